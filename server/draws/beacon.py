"""Public randomness for the draw: the port, and a beacon that speaks as drand does.

A draw names the beacon's chain when its lobby opens. Its round is the first that is published `LATER` or more after
the lobby was closed: nobody could know it before, the operator no more than anybody.

That a value is made of its signature is checked here; the signature itself (BLS, of the chain's key) is not. Who
checks a draw compares the round with any of the beacon's own relays. Source: https://docs.drand.love, HTTP API v1.
"""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple, Protocol, TypeVar

import aiohttp
import msgspec
from msgspec import Meta, Struct

LATER = timedelta(seconds=10)
"""A batch that was under way when the lobby closed is committed by then."""
ANSWER_S = 5.0
ANSWER_BYTES_MAX = 64 * 1024

T = TypeVar("T")


class BeaconAway(Exception):
    """The beacon did not answer, or not to the point, or its round is still to come: ask again later."""


class Chain(NamedTuple):
    """A beacon's chain: round 1 is published at `begins_at`, each further one `period` later."""

    hash: bytes
    begins_at: datetime
    period: timedelta

    def time_of(self, number: int) -> datetime:
        """When this round is published."""
        return self.begins_at + (number - 1) * self.period

    def first_round_from(self, moment: datetime) -> int:
        """The first round that is published at this moment or later."""
        if moment <= self.begins_at:
            return 1
        return -((self.begins_at - moment) // self.period) + 1

    def round_for(self, closed_at: datetime) -> int:
        """The round of a draw whose lobby was closed at this moment."""
        return self.first_round_from(closed_at + LATER)


class Round(NamedTuple):
    """A round; `value` is SHA-256 of `signature`."""

    number: int
    value: bytes
    signature: bytes


class Beacon(Protocol):
    """A source of public randomness."""

    async def chain(self) -> Chain:
        """The chain that is configured. Raises BeaconAway."""

    async def round(self, number: int) -> Round:
        """A round that has been published. Raises BeaconAway."""


class _Info(Struct):
    hash: str
    period: Annotated[int, Meta(ge=1, le=86_400)]
    genesis_time: Annotated[int, Meta(ge=0, le=1 << 40)]


class _Random(Struct):
    round: int
    randomness: str
    signature: str


class DrandBeacon:
    """A chain of drand, by its hash, at a relay such as https://api.drand.sh."""

    def __init__(
        self, http: aiohttp.ClientSession, base_url: str, chain_hash: bytes, answer_s: float = ANSWER_S
    ) -> None:
        self._http = http
        self._answer_s = answer_s
        self._url = f"{base_url.rstrip('/')}/{chain_hash.hex()}"
        self._hash = chain_hash

    async def chain(self) -> Chain:
        """What the relay says of the chain. Raises BeaconAway."""
        info = await self._get("/info", _Info)
        if info.hash != self._hash.hex():
            raise BeaconAway(f"{self._url} tells of another chain, {info.hash[:64]}")
        begins_at = datetime.fromtimestamp(info.genesis_time, UTC)
        return Chain(self._hash, begins_at, timedelta(seconds=info.period))

    async def round(self, number: int) -> Round:
        """A round that has been published. Raises BeaconAway."""
        found = await self._get(f"/public/{number}", _Random)
        try:
            value, signature = bytes.fromhex(found.randomness), bytes.fromhex(found.signature)
        except ValueError:
            raise BeaconAway(f"{self._url} answers round {number} with what is no hexadecimal text") from None
        if found.round != number:
            raise BeaconAway(f"{self._url} answers round {number} with round {found.round}")
        if hashlib.sha256(signature).digest() != value:
            raise BeaconAway(f"{self._url} answers round {number} with a value that is not of its signature")
        return Round(number, value, signature)

    async def _get(self, path: str, kind: type[T]) -> T:
        try:
            async with asyncio.timeout(self._answer_s), self._http.get(self._url + path) as answer:
                if answer.status != 200:
                    raise BeaconAway(f"{self._url}{path} answers with status {answer.status}")
                raw = await _read(answer)
                return msgspec.json.decode(raw, type=kind)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise BeaconAway(f"{self._url}{path} does not answer: {error!r}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BeaconAway(f"{self._url}{path} does not answer to the point: {error}") from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The whole answer. Raises BeaconAway for one that is too long."""
    raw = bytearray()
    async for piece in answer.content.iter_any():
        raw += piece
        if len(raw) > ANSWER_BYTES_MAX:
            raise BeaconAway(f"{answer.url} answers with more than {ANSWER_BYTES_MAX} bytes")
    return bytes(raw)
