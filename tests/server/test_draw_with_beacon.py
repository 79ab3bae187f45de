"""A draw that waits for a beacon, on real servers, with a relay on a real port that answers as drand does."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from protocol.draw_document import DrawDocument, SignedReceipt
from server.draws import beacon as beacon_module
from server.draws.beacon_address import BeaconAddress
from server.draws.verifying import find_faults
from server.engines import PostgresAddress, RedisAddress
from server.settings import Settings
from server.settings_error import SettingsError
from tests.server.draws import add_lobby
from tests.server.parts import Usher, running, until

CHAIN = hashlib.sha256(b"a chain of tests").digest()
BEGINS_AT = datetime(2020, 1, 1, tzinfo=UTC)


class Relay:
    """A beacon with a round each second; `is_away` makes it refuse everything."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked: list[int] = []
        self.address = BeaconAddress("", CHAIN)

    async def info(self, _request: web.Request) -> web.Response:
        if self.is_away:
            raise web.HTTPServiceUnavailable
        said = {"hash": CHAIN.hex(), "period": 1, "genesis_time": int(BEGINS_AT.timestamp())}
        return web.json_response(said)

    async def round(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        self.asked.append(number)
        if self.is_away or BEGINS_AT + timedelta(seconds=number - 1) > datetime.now(UTC):
            raise web.HTTPNotFound
        signature = hashlib.sha512(b"round %d" % number).digest()
        value = hashlib.sha256(signature).hexdigest()
        return web.json_response({"round": number, "randomness": value, "signature": signature.hex()})


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    """A relay at work, whose rounds count sooner than ten seconds after the lobby."""
    monkeypatch.setattr(beacon_module, "LATER", timedelta(milliseconds=500))
    made, app = Relay(), web.Application()
    app.router.add_get(f"/{CHAIN.hex()}/info", made.info)
    app.router.add_get(f"/{CHAIN.hex()}/public/{{number}}", made.round)
    async with TestServer(app) as server:
        made.address = BeaconAddress(str(server.make_url("")).rstrip("/"), CHAIN)
        yield made


@asynccontextmanager
async def usher_at(
    database_at: PostgresAddress, redis_at: RedisAddress, relay: Relay, name: str = "test"
) -> AsyncIterator[Usher]:
    async with running(database_at, redis_at, node_name=name, beacon=relay.address) as usher:
        yield usher


async def published(usher: Usher, event_id: str) -> DrawDocument:
    return msgspec.convert((await usher.rest("GET", f"/queue/{event_id}/draw")).data, DrawDocument)


async def is_published_as(usher: Usher, event_id: str, status: str) -> bool:
    answer = await usher.rest("GET", f"/queue/{event_id}/draw")
    return answer.status == 200 and answer.data["status"] == status


async def begin_sale(usher: Usher, event_id: str) -> None:
    olga = await usher.customer("Olga")
    await usher.database.execute("UPDATE customer SET role = 'admin' WHERE id = $1", UUID(olga.id))
    olga = await usher.sign_in(olga.id)
    opened = await usher.rest("PATCH", f"/events/{event_id}/status", {"status": "on_sale"}, olga)
    assert opened.status == 200, opened.body


async def test_a_draw_waits_for_its_round(
    database_address: PostgresAddress, redis_address: RedisAddress, relay: Relay
) -> None:
    async with usher_at(database_address, redis_address, relay) as usher:
        event_id = await add_lobby(usher)
        await until(lambda: is_published_as(usher, event_id, "lobby"))
        lobby = await published(usher, event_id)
        assert lobby.count == 0, "it is published before anybody has joined"
        assert lobby.beacon is not None
        assert (lobby.beacon.chain, lobby.beacon.round) == (CHAIN.hex(), None)
        people = [await usher.customer(f"Entrant {number}") for number in range(3)]
        for one in people:
            assert (await usher.rest("POST", f"/queue/{event_id}/join", by=one)).status == 200
        own = msgspec.convert(
            (await usher.rest("GET", f"/queue/{event_id}/receipt", by=people[1])).data, SignedReceipt
        )
        assert own.beacon_chain == CHAIN.hex()

        relay.is_away = True
        await begin_sale(usher, event_id)
        await until(lambda: is_published_as(usher, event_id, "awaiting_beacon"))
        late = await usher.customer("Late")
        joined = await usher.rest("POST", f"/queue/{event_id}/join", by=late)
        assert joined.data["place"] == 4, "who comes now stands behind those who will be drawn"
        assert (await usher.rest("GET", f"/queue/{event_id}/status", by=people[0])).data["phase"] == "lobby"
        waiting = await published(usher, event_id)
        assert (len(waiting.entries), waiting.operator_seed, waiting.places) == (3, None, [])
        assert find_faults(waiting, own, lobby) == []
        closed_at = waiting.closed_at

    # Another server takes over, and finds that it has to wait.
    async with usher_at(database_address, redis_address, relay, "other") as usher:
        relay.is_away = False
        await until(lambda: is_published_as(usher, event_id, "drawn"))
        document = await published(usher, event_id)
        assert document.closed_at == closed_at, "the end of the lobby, and so the round, is what it was"
        assert document.beacon is not None
        assert document.beacon.round == relay.asked[-1]
        assert (document.beacon.round_at or "") > (closed_at or "")
        assert find_faults(document, own, waiting) == []
        assert sorted(document.places) == [1, 2, 3]
        status = (await usher.rest("GET", f"/queue/{event_id}/status", by=people[0])).data
        assert status["status"] == "active", "the turn of those who were drawn has come"


@pytest.mark.parametrize(
    "wrong",
    [
        {"USHER_BEACON_URL": "https://api.drand.sh"},
        {"USHER_BEACON_CHAIN": CHAIN.hex()},
        {"USHER_BEACON_URL": "ftp://api.drand.sh", "USHER_BEACON_CHAIN": CHAIN.hex()},
        {"USHER_BEACON_URL": "https://api.drand.sh", "USHER_BEACON_CHAIN": "league"},
    ],
)
def test_settings_of_half_a_beacon_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="USHER_BEACON"):
        Settings.from_env(wrong)


def test_a_beacon_is_set() -> None:
    env = {"USHER_BEACON_URL": "https://api.drand.sh/", "USHER_BEACON_CHAIN": CHAIN.hex()}
    assert Settings.from_env(env).beacon == BeaconAddress("https://api.drand.sh", CHAIN)
    assert Settings.from_env({}).beacon is None
