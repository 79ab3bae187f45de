"""Negative controls: with a safeguard taken out by the test, the auditor finds what it is there for.

Each faulty world lives through storms until the auditor speaks up; one of a few seeds has to be enough.
"""

from collections.abc import Callable

import pytest

from actors.ports import Batch, Committed, Outcome, Stored
from tests.auditor import AuditFailure
from tests.fake_database import FakeDatabase, FakeEvent
from tests.simulation.storm import storm
from tests.simulation.weather import StormyStore

SEEDS = range(100, 110)


class Unfenced(FakeDatabase):
    """Owner, term and revision are not looked at."""

    def is_fenced(self, event: FakeEvent, batch: Batch) -> bool:
        return False


class WithoutOwner(FakeDatabase):
    """The revision is compared, owner and term are not."""

    def is_fenced(self, event: FakeEvent, batch: Batch) -> bool:
        return event.revision != batch.revision

    def after_the_fence(self, event: FakeEvent, batch: Batch) -> Outcome:
        is_next = event.revision == batch.revision + 1
        return Committed(event.revision) if is_next else super().after_the_fence(event, batch)


class WithoutRevision(FakeDatabase):
    """Owner and term are compared, the revision is not: the same batch is written as often as it comes."""

    def is_fenced(self, event: FakeEvent, batch: Batch) -> bool:
        return (event.owner, event.term) != (batch.claim.owner, batch.claim.term)


class Forgetful(FakeDatabase):
    """Nobody looks whether a command was accepted before."""

    def look_up(self, event: FakeEvent, lookups: object) -> tuple[Stored, ...]:
        return ()


class HastyStore(StormyStore):
    """The output gate stands open: it is committed, says the store, and sends the batch off."""

    async def commit(self, batch: Batch) -> Outcome:
        if not batch.writes:
            return await super().commit(batch)
        self.sent = self.send(batch)
        return Committed(batch.revision + 1)


def storms(climate: str, **faulty: Callable[..., object]) -> None:
    for seed in SEEDS:
        storm(seed, climate, **faulty)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("climate", "database", "finding"),
    [
        ("haunted", Unfenced, "the answer names another revision"),
        ("haunted", WithoutOwner, "was acknowledged and has no such effect"),
        ("lossy", WithoutRevision, "the answer names another revision"),
        ("crashing", Forgetful, "has two effects"),
    ],
)
def test_a_database_without_a_safeguard_is_found(
    climate: str, database: Callable[..., object], finding: str
) -> None:
    with pytest.raises(AuditFailure, match=finding):
        storms(climate, database=database)


@pytest.mark.parametrize("climate", ["calm", "lossy", "crashing"])
def test_an_open_output_gate_is_found(climate: str) -> None:
    with pytest.raises(AuditFailure, match="was acknowledged and has no such effect"):
        storms(climate, store=HastyStore)
