"""The rounds that closed lobbies wait for: found at the beacon, told to the event's owner."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import asyncpg

from actors.core.model import BeaconRound, DrawTerms
from actors.ports import Randomness
from server.database import TROUBLE
from server.draws.beacon import BeaconAway, DrandBeacon
from server.draws.beacon_address import BeaconAddress
from server.ending import end
from server.statements import sql

RETRY_FIRST_S, RETRY_MAX_S = 0.5, 30.0

log = logging.getLogger(__name__)


class Rounds(Randomness):
    """`actors.ports.Randomness` at a relay of drand. `spoke` hears each round that was found.

    Where the owner changes meanwhile, the new one asks again: the round follows from when the lobby was closed.
    """

    def __init__(self, http: aiohttp.ClientSession, database: asyncpg.Pool, address: BeaconAddress | None) -> None:
        self._http = http
        self._database = database
        self._address = address
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.spoke: Callable[[str, BeaconRound], None] = lambda _event_id, _found: None

    def await_round(self, event_id: str, draws: DrawTerms) -> None:
        if event_id not in self._tasks:
            task = asyncio.create_task(self._find(event_id, draws), name=f"beacon {event_id}")
            self._tasks[event_id] = task
            task.add_done_callback(lambda _task: self._tasks.pop(event_id))

    async def stop(self) -> None:
        """Look for nothing any more."""
        for task in list(self._tasks.values()):
            await end(task)

    async def _find(self, event_id: str, draws: DrawTerms) -> None:
        pause_s = RETRY_FIRST_S
        while True:
            try:
                found = await self._round(event_id, draws)
            except (BeaconAway, *TROUBLE) as problem:
                log.warning("the draw of event %s waits for the beacon: %s", event_id, problem)
            else:
                self.spoke(event_id, found)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_MAX_S)

    async def _round(self, event_id: str, draws: DrawTerms) -> BeaconRound:
        assert draws.beacon_chain is not None, "a draw without a beacon waits for none"
        assert draws.closed_ms is not None, "an open lobby waits for no round"
        beacon = DrandBeacon(self._http, await self._url(event_id, draws.beacon_chain), draws.beacon_chain)
        chain = await beacon.chain()
        number = chain.round_for(datetime.fromtimestamp(draws.closed_ms / 1000, UTC))
        at = chain.time_of(number)
        await self._database.execute(sql("name_round"), UUID(event_id), number, at)
        await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        found = await beacon.round(number)
        return BeaconRound(number, int(at.timestamp() * 1000), found.value, found.signature)

    async def _url(self, event_id: str, chain: bytes) -> str:
        """The relay that is set, where it has this chain; else the one that the lobby named."""
        if self._address is not None and self._address.chain == chain:
            return self._address.url
        named: str = await self._database.fetchval(sql("named_relay"), UUID(event_id))
        return named
