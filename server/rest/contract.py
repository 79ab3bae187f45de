"""Every operation of the contract, `/api/v1`, in the order in which people read about them."""

from server.rest import (
    accounts,
    auth,
    availability,
    checkout,
    draws,
    events,
    my_sessions,
    organising_events,
    organising_plans,
    organising_seats,
    organising_venues,
    queue,
    seats,
    signing_keys,
    venues,
)
from server.rest.operations import Operation

MODULES = (
    auth,
    accounts,
    my_sessions,
    events,
    venues,
    availability,
    seats,
    queue,
    draws,
    checkout,
    signing_keys,
    organising_events,
    organising_venues,
    organising_plans,
    organising_seats,
)


def all_operations() -> list[Operation]:
    """All operations of all modules."""
    return [operation for module in MODULES for operation in module.operations.all]
