"""What is attacked, and a few words that attackers share."""

import random
from typing import Protocol

CONTINUATION = 0
HOLD = b'{"type":"hold_seats","id":"h","seats":[0]}'
OPEN = b'{"type":"open"}'
BYE = (1000).to_bytes(2, "big")


class Target(Protocol):
    """The server that is attacked. `note` keeps what is being done, for the report of a finding."""

    url: str
    event_id: str

    def note(self, what: str) -> None: ...

    def session(self, rng: random.Random) -> str | None: ...

    async def ticket(self) -> str: ...
