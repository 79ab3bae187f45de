"""What can be seen at /metrics: counts that are right, labels that are bounded, and a door that is shut."""

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from actors.core.verdict import Asked
from actors.told import Told
from protocol.inbound import ReleaseSeats
from server.engines import PostgresAddress, RedisAddress
from server.people.passwords import Passwords
from server.rest.envelope import Refused
from server.services import SERVICES
from server.settings import Settings
from server.telemetry import scrape
from server.telemetry.metrics import Metrics
from tests.server.conftest import some_parts
from tests.server.parts import Till, Usher, running, until

Series = dict[str, dict[tuple[str, ...], float]]

ROOT = Path(__file__).parents[2]
LOCAL, FAR = ("127.0.0.1", 1), ("203.0.113.7", 1)
TOKEN = "a-token-for-metrics"


async def scraped(usher: Usher) -> Series:
    """The value of each series: name, then the values of its labels in the order of the labels' names."""
    async with usher.http.get(usher.url + "/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert answer.headers["Cache-Control"] == "no-store"
        return series_of(await answer.text())


def series_of(text: str) -> Series:
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def test_requests_are_counted_by_the_template_of_their_route(own: Usher) -> None:
    for number in range(30):
        await own.rest("GET", f"/events/{uuid4()}")
        await own.rest("GET", f"/nowhere/{number}")
    async with own.http.request("PURGE", own.url + "/api/v1/events"):
        pass
    assert (await own.rest("GET", "/events")).status == 200
    counted = (await scraped(own))["usher_http_request_seconds_count"]
    assert counted == {
        ("GET", "/api/v1/events/{event_id}", "404"): 30,
        ("GET", "unmatched", "404"): 30,
        ("other", "unmatched", "405"): 1,
        ("GET", "/api/v1/events", "200"): 1,
    }
    times = (await scraped(own))["usher_http_request_seconds_sum"]
    assert all(took > 0 for took in times.values())


async def test_commands_are_counted_by_way_type_and_outcome(own: Usher) -> None:
    event_id, ada, ben = await own.event(), await own.customer(), await own.customer()
    async with own.socket(event_id, ada) as socket, own.socket(event_id) as stranger:
        await socket.ask("hold_seats", seats=[1, 2])
        await socket.ask("hold_seats", seats=[3])
        await socket.ask("hold_seats", seats=[999])
        await socket.ask("extend_hold", seats="x")
        await stranger.ask("hold_seats", seats=[5])
        assert (await own.reserve(event_id, [1], ben)).status == 400
        assert (await own.reserve(event_id, [9], ben)).status == 200
    assert (await scraped(own))["usher_commands_total"] == {
        ("accepted", "hold_seats", "socket"): 2,
        ("seat_not_found", "hold_seats", "socket"): 1,
        ("bad_command", "unreadable", "socket"): 1,
        ("not_signed_in", "hold_seats", "socket"): 1,
        ("seat_taken", "hold_seats", "rest"): 1,
        ("accepted", "hold_seats", "rest"): 1,
    }


async def test_batches_orders_and_tickets_are_counted(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    till = Till()
    async with running(database_address, redis_address, till) as own:
        event_id, ada, ben = await own.event(), await own.customer(), await own.customer()
        await own.reserve(event_id, [1, 2, 3], ada)
        await own.reserve(event_id, [4], ben)
        till.is_open.clear()
        buying = asyncio.create_task(own.buy(ada))
        await until(lambda: bool(till.asked))
        seen = await scraped(own)
        assert seen["usher_orders_total"] == {("pending",): 1}
        assert seen["usher_orders_pending"] == seen["usher_payments_under_way"] == {(): 1}
        assert seen["usher_holds"] == {(): 2}
        till.is_open.set()
        order = (await buying).data["order"]
        assert (await own.buy(ben, "decline")).status == 402
        assert (await own.rest("POST", f"/checkout/orders/{order['id']}/cancel", by=ada)).status == 200
        seen = await scraped(own)
    assert seen["usher_orders_total"] == {
        ("pending",): 2,
        ("completed",): 1,
        ("payment_failed",): 1,
        ("cancelled",): 1,
    }
    assert seen["usher_tickets_sold_total"] == {(): 3}
    assert seen["usher_orders_pending"] == seen["usher_payments_under_way"] == {(): 0}
    assert seen["usher_holds"] == {(): 1}, "a declined payment leaves the hold"
    assert seen["usher_batch_seconds_count"] == seen["usher_batch_commands_count"] == {(): 7}
    assert seen["usher_batch_commands_sum"] == {(): 5}, "what the provider answers is no command"
    assert seen["usher_batches_failed_total"] == {(): 0}


async def test_what_the_parts_are_like_is_looked_up(own: Usher) -> None:
    event_id, ada = await own.event(), await own.customer()
    before = await scraped(own)
    assert before["usher_events_owned"] == {(): 0}
    async with own.socket(event_id, ada) as watching, own.socket(event_id):
        await watching.open()
        await until(lambda: len(own.parts.sockets) == 2)
        seen = await scraped(own)
    assert seen["usher_events_owned"] == {(): 1}
    assert seen["usher_sockets_open"] == {(): 2}
    assert seen["usher_watchers"] == {(): 1}
    for name in ("inbox_commands", "inbox_commands_deepest", "watchers_behind", "passwords_waiting"):
        assert seen[f"usher_{name}"] == {(): 0}, name
    for name in ("lease_held", "mirror_on", "session_cache_in_use"):
        await until(partial(is_at, own, f"usher_{name}", 1))
    for name in ("mirror_lag_seconds", "mirror_events_behind"):
        await until(partial(is_at, own, f"usher_{name}", 0))
    assert seen["usher_database_connections"].keys() == {("idle",), ("busy",)}
    assert seen["usher_sessions_created_total"] == {(): 1}
    for name in ("process_resident_memory_bytes", "python_gc_collections_total", "python_info"):
        assert name in seen


async def test_every_metric_is_described(own: Usher) -> None:
    described = set(re.findall(r"^\| `(usher_\w+)`", (ROOT / "docs/operations.md").read_text(), re.MULTILINE))
    await own.event()
    async with own.http.get(own.url + "/metrics") as answer:
        lines = (await answer.text()).splitlines()
    known = {line.split()[2] for line in lines if line.startswith("# TYPE usher_")}
    assert {name for name in known if not name.endswith("_created")} == described


async def is_at(usher: Usher, name: str, value: float) -> bool:
    return (await scraped(usher))[name] == {(): value}


async def test_logins_are_counted(own: Usher) -> None:
    account = {"email": "ada@example.org", "password": "an uncommon password", "name": "Ada"}
    await own.rest("POST", "/auth/register", account)
    assert (await own.rest("POST", "/auth/login", account)).status == 200
    assert (await own.rest("POST", "/auth/login", account | {"password": "another"})).status == 401
    seen = await scraped(own)
    assert seen["usher_sessions_created_total"] == {(): 1}
    assert seen["usher_logins_failed_total"] == {(): 1}


async def test_passwords_that_wait_are_seen() -> None:
    passwords = Passwords(1)
    waiting = [asyncio.create_task(passwords.hash("x")) for _ in range(3)]
    await asyncio.sleep(0)
    assert passwords.depth == 3
    await asyncio.gather(*waiting)
    await until(lambda: passwords.depth == 0)
    passwords.close()


async def test_what_waits_in_an_inbox_is_seen(own: Usher) -> None:
    ada, shows, answers = await own.customer(), [await own.event(), await own.event()], asyncio.Queue[bytes]()
    for event_id in shows:
        await own.parts.supervisor.seating(event_id)
    for event_id, number in ((shows[0], 1), (shows[0], 2), (shows[1], 3)):
        asked = Asked(ada.id, ReleaseSeats(f"r{number}", ()))
        own.parts.supervisor.tell(event_id, Told(asked, lambda frame, _: answers.put_nowait(frame)))
    seen = series_of(generate_latest(own.parts.metrics.registry).decode())  # before anybody gets a turn
    assert seen["usher_inbox_commands"] == {(): 3}
    assert seen["usher_inbox_commands_deepest"] == {(): 2}
    for _ in range(3):
        assert b"accepted" in await answers.get()
    assert (await scraped(own))["usher_inbox_commands"] == {(): 0}


def test_servers_do_not_share_their_counts() -> None:
    one, other = Metrics(), Metrics()
    one.batch_failed()
    assert one.registry.get_sample_value("usher_batches_failed_total") == 1
    assert other.registry.get_sample_value("usher_batches_failed_total") == 0


def refusal_of(peer: tuple[str, int] | None, headers: dict[str, str], token: str | None) -> Any:
    """Ask for the metrics; what it was refused with, if it was."""
    app: Any = {SERVICES: some_parts(settings=Settings(metrics_token=token), metrics=Metrics())}
    transport = Mock(get_extra_info=lambda name: peer if name == "peername" else None)
    request = make_mocked_request("GET", "/metrics", app=app, transport=transport)
    request._headers = CIMultiDictProxy(CIMultiDict(headers))
    try:
        answer = asyncio.run(answer_to(request))
    except Refused as refused:
        return refused.status, refused.code
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    assert "usher_batch_seconds_count" in series_of(answer.body.decode())
    return None


async def answer_to(request: web.Request) -> web.StreamResponse:
    found: web.StreamResponse = await scrape.metrics(request)
    return found


SHUT = {
    "from afar": (FAR, {}, TOKEN),
    "from afar, no token set": (FAR, {"Authorization": "Bearer "}, None),
    "from afar, None as a word": (FAR, {"Authorization": "Bearer None"}, None),
    "a wrong token": (FAR, {"Authorization": f"Bearer {TOKEN}x"}, TOKEN),
    "a shorter token": (FAR, {"Authorization": f"Bearer {TOKEN[:-1]}"}, TOKEN),
    "an empty token": (FAR, {"Authorization": "Bearer"}, TOKEN),
    "another scheme": (FAR, {"Authorization": f"Basic {TOKEN}"}, TOKEN),
    "no text": (FAR, {"Authorization": "Bearer \udcff\udcfe"}, TOKEN),
    "not ASCII": (FAR, {"Authorization": "Bearer é"}, TOKEN),
    "a proxy of this machine": (LOCAL, {"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, TOKEN),
    "a proxy by the standard": (LOCAL, {"Host": "localhost", "Forwarded": "for=127.0.0.1"}, TOKEN),
    "a proxy that says little": (LOCAL, {"Host": "localhost", "X-Real-IP": "127.0.0.1"}, None),
    "a page that has a name lead here": (LOCAL, {"Host": "evil.example"}, TOKEN),
    "who says to be local": (FAR, {"Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}, TOKEN),
    "nobody knows who": (None, {}, TOKEN),
}
OPEN = {
    "from here": (LOCAL, {"Host": "localhost:3001"}, None),
    "from here by IPv6": (("::1", 1, 0, 0), {"Host": "[::1]:3001"}, TOKEN),
    "from here by both": (("::ffff:127.0.0.1", 1, 0, 0), {"Host": "127.0.0.1"}, None),
    "from afar with the token": (FAR, {"Authorization": f"Bearer {TOKEN}"}, TOKEN),
    "in small letters": (FAR, {"Authorization": f"bearer {TOKEN}"}, TOKEN),
    "through a proxy with the token": (LOCAL, {"Authorization": f"Bearer {TOKEN}", "Forwarded": "for=x"}, TOKEN),
}


@pytest.mark.parametrize(("peer", "headers", "token"), SHUT.values(), ids=SHUT)
def test_the_metrics_are_not_there(peer: Any, headers: dict[str, str], token: str | None) -> None:
    assert refusal_of(peer, headers, token) == (404, "not_found")


@pytest.mark.parametrize(("peer", "headers", "token"), OPEN.values(), ids=OPEN)
def test_the_metrics_are_there(peer: Any, headers: dict[str, str], token: str | None) -> None:
    assert refusal_of(peer, headers, token) is None


async def test_a_stranger_sees_the_envelope_of_an_unknown_page(own: Usher) -> None:
    async with own.http.get(own.url + "/metrics", headers={"X-Forwarded-For": "203.0.113.7"}) as answer:
        shut = answer.status, await answer.json()
    async with own.http.get(own.url + "/nowhere") as answer:
        unknown = answer.status, await answer.json()
    assert shut == unknown == (404, {"success": False, "error": "Not found", "code": "not_found"})
