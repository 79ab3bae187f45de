"""Public reads: as fresh as the request, tagged, packed, and written once for all who ask at the same time."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from protocol.limits import SEATS_PER_COMMAND_MAX
from server.reads import seat_answers, shared_work
from server.reads.gzip_pieces import Piece
from server.reads.seat_texts import SectionTexts, sections_pieces
from server.reads.shared_work import SharedWork, Slices
from server.rest import availability, events
from tests.server.parts import BLOCKED, DEADLINE_S, SEAT_COUNT, SHARED, Customer, Usher, until

pytestmark = SHARED

SEAT_PATHS = ("availability", "availability?section=Stand", "availability?summary=true", "sections/Stand")
SEAT_OF_STAND = 25


class Got(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def tag(self) -> str:
        return self.headers["ETag"]


async def get(usher: Usher, path: str, method: str = "GET", **headers: str) -> Got:
    """One request under `/api/v1`, on a connection of its own; nothing is unpacked."""
    named = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.request(method, f"{usher.url}/api/v1{path}", headers=named) as answer,
    ):
        return Got(answer.status, answer.headers, await answer.read())


def held(body: bytes) -> list[int]:
    """The seats that an answer about the whole event shows as held."""
    return [
        int(seat["id"])
        for section in json.loads(body)["data"]
        for seat in section["seats"]
        if seat["status"] == "held"
    ]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The states of every answer about whole sections that was written, in order."""
    states_written: list[bytes] = []

    def counted(sections: Sequence[SectionTexts], states: bytes) -> Iterator[Piece]:
        states_written.append(states)
        yield from sections_pieces(sections, states)

    monkeypatch.setattr(availability, "sections_pieces", counted)
    return states_written


# As fresh as the request


async def test_no_answer_is_older_than_its_request(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    # Many slices, so that requests and commits come while an answer is being written.
    monkeypatch.setattr(shared_work, "SLICE_S", 0.0)
    event_id, ada = await usher.event(max_tickets=SEAT_COUNT), await usher.customer()
    sent, acknowledged, answers = 0, 0, 0
    is_over = asyncio.Event()

    async def read(coding: str) -> None:
        nonlocal answers
        while not is_over.is_set():
            at_least = acknowledged
            got = await get(usher, f"/seats/{event_id}/availability", Accept_Encoding=coding)
            shown = held(gzip.decompress(got.body) if coding == "gzip" else got.body)
            # Seats are taken in index order: what was true at some moment is a row of them without a gap.
            assert shown == list(range(len(shown)))
            assert at_least <= len(shown) <= sent
            answers += 1

    readers = [asyncio.create_task(read(coding)) for coding in ("gzip", "gzip", "gzip", "identity")]
    try:
        for _ in range(60):
            sent += 1
            assert (await usher.reserve(event_id, [sent - 1], ada)).status == 200
            acknowledged += 1
    finally:
        is_over.set()
        await asyncio.gather(*readers)
    assert answers > len(readers)
    assert held((await get(usher, f"/seats/{event_id}/availability")).body) == list(range(60))


@pytest.mark.parametrize("path", SEAT_PATHS)
async def test_everybody_sees_what_was_acknowledged(usher: Usher, path: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    path = f"/seats/{event_id}/{path}"
    empty, codings = await get(usher, path), ("gzip", "identity")
    for _ in range(10):
        for is_held, act in ((True, "reserve"), (False, "release")):
            known = (await get(usher, path)).tag
            body = {"seat_ids": [str(SEAT_OF_STAND)]}
            assert (await usher.rest("POST", f"/seats/{event_id}/{act}", body, ada)).status == 200
            many = [get(usher, path, Accept_Encoding=coding, If_None_Match=known) for coding in codings]
            for got in await asyncio.gather(*many):
                assert got.status == 200, "a 304 would be older than the request"
                assert (got.tag != empty.tag) is is_held


class Hasty(SharedWork[Any]):
    """Hands out what is under way: what a server must not do."""

    async def outcome(self, work: Callable[[Slices], Awaitable[Any]]) -> Any:
        if self._under_way is not None and not self._under_way.done():
            return await asyncio.shield(self._under_way)
        return await super().outcome(work)


async def late_reader(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], int]:
    """What somebody is told who asks after seat 0 was held, while an answer from before that is being written.

    With him ask nine others; the number is how many answers were written in all.
    """
    event_id, ada = await usher.event(), await usher.customer()
    path, goes_on, begun = f"/seats/{event_id}/availability", asyncio.Event(), 0

    class Halting(Slices):
        def __init__(self, clock: Callable[[], float]) -> None:
            nonlocal begun
            super().__init__(clock)
            begun += 1

        async def breathe(self) -> None:
            await goes_on.wait()

    monkeypatch.setattr(shared_work, "Slices", Halting)
    early = asyncio.create_task(get(usher, path))
    await until(lambda: begun == 1)
    await usher.reserve(event_id, [0], ada)
    asked = usher.parts.supervisor.seating
    arrived = 0

    async def counted(event_id: str) -> Any:
        nonlocal arrived
        arrived += 1
        return await asked(event_id)

    monkeypatch.setattr(usher.parts.supervisor, "seating", counted)
    late = [asyncio.create_task(get(usher, path)) for _ in range(10)]
    await until(lambda: arrived == 10)
    goes_on.set()
    async with asyncio.timeout(DEADLINE_S):
        assert held((await early).body) == []
        bodies = {got.body for got in await asyncio.gather(*late)}
    assert len(bodies) == 1
    return held(bodies.pop()), begun


async def test_who_comes_while_an_answer_is_written_waits_for_the_next(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await late_reader(usher, monkeypatch) == ([0], 2)


async def test_an_answer_under_way_would_be_too_old(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat_answers, "SharedWork", Hasty)
    assert await late_reader(usher, monkeypatch) == ([], 1)


async def test_what_was_changed_behind_our_back_shows_once_the_event_is_loaded_anew(usher: Usher) -> None:
    event_id = await usher.event()
    path = f"/seats/{event_id}/availability?summary=true"
    assert (await usher.rest("GET", path)).data[0]["available"] == 20
    await usher.database.execute(
        "UPDATE seat SET state = 3 WHERE event_id = $1 AND seat_index = 10", UUID(event_id)
    )
    await usher.unload(event_id)
    assert (await usher.rest("GET", path)).data[0]["available"] == 19


# Written once


async def test_many_who_ask_at_once_share_an_answer(usher: Usher, written: list[bytes]) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    path = f"/seats/{event_id}/availability"
    for number in range(3):
        written.clear()
        bodies = {reply.raw for reply in await asyncio.gather(*(usher.rest("GET", path) for _ in range(50)))}
        assert len(bodies) == 1
        assert held(bodies.pop()) == list(range(number))
        assert 1 <= len(written) <= 2
        await usher.reserve(event_id, [number], ada)


async def test_what_is_still_true_is_not_written_again(usher: Usher, written: list[bytes]) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    path = f"/seats/{event_id}/availability?section=Stand"
    first = await get(usher, path)
    async with usher.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", seats=[0])
        await socket.ask("extend_hold")
    assert (await usher.revision_of(event_id)) == 2
    assert (await get(usher, path)).body == first.body
    assert (await get(usher, path, If_None_Match=first.tag)).status == 304
    assert len(written) == 1, "no seat of this section has changed"
    await usher.reserve(event_id, [SEAT_OF_STAND], ada)
    assert (await get(usher, path, If_None_Match='"other"')).status == 200
    assert len(written) == 2


async def test_an_answer_that_could_not_be_written_is_written_for_the_next(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await usher.event()

    def broken(sections: Sequence[SectionTexts], states: bytes) -> Iterator[Piece]:
        if is_broken:
            raise ConnectionError
        return sections_pieces(sections, states)

    monkeypatch.setattr(availability, "sections_pieces", broken)
    is_broken = True
    assert [(await get(usher, f"/seats/{event_id}/availability")).status for _ in range(2)] == [503, 503]
    is_broken = False
    assert (await get(usher, f"/seats/{event_id}/availability")).status == 200


# Tags


@pytest.mark.parametrize("path", SEAT_PATHS)
async def test_a_tag_changes_when_the_content_does_and_only_then(usher: Usher, path: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    path = f"/seats/{event_id}/{path}"
    seen: dict[bytes, str] = {}

    async def look() -> str:
        got = await get(usher, path)
        assert got.tag == (await get(usher, path, Accept_Encoding="gzip")).tag
        assert got.tag == seen.setdefault(got.body, got.tag)
        assert len(set(seen.values())) == len(seen)
        return got.tag

    empty = await look()
    async with usher.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", seats=[SEAT_OF_STAND])
        one_held = await look()
        assert one_held != empty
        await socket.ask("extend_hold")
        assert await look() == one_held, "another revision, the same seats"
        await socket.ask("hold_seats", seats=[SEAT_OF_STAND + 1])
        assert await look() not in (empty, one_held)
        await socket.ask("release_seats", seats=[])
    assert await look() == empty
    await usher.unload(event_id)
    assert await look() == empty


async def test_events_with_other_seats_have_other_tags(usher: Usher) -> None:
    one, other = await usher.event(), await usher.event()
    first = (await get(usher, f"/seats/{one}/availability")).tag
    assert (await get(usher, f"/seats/{other}/availability")).tag == first, "the same seats, the same content"
    renamed = await usher.event()
    await usher.database.execute("UPDATE place SET row_label = 'X' WHERE event_id = $1", UUID(renamed))
    assert (await get(usher, f"/seats/{renamed}/availability")).tag != first


async def public_paths(usher: Usher, event_id: str, ada: Customer) -> list[str]:
    event = (await usher.rest("GET", f"/events/{event_id}", by=ada)).data
    venue = f"/venues/{event['venue_id']}"
    seats = [f"/seats/{event_id}/{path}" for path in SEAT_PATHS]
    return [
        *seats,
        f"/events?venue={event['venue_id']}",
        f"/events/{event_id}",
        "/venues",
        venue,
        f"{venue}/sections",
    ]


async def test_a_client_that_has_what_is_true_is_told_so(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    for path in await public_paths(usher, event_id, ada):
        whole = await get(usher, path)
        assert whole.status == 200
        assert whole.headers["Cache-Control"] == "no-cache"
        assert set(", ".join(whole.headers.getall("Vary")).split(", ")) == {"Origin", "Accept-Encoding"}
        strong = whole.tag.removeprefix("W/")
        for known in (whole.tag, strong, f'"x", {whole.tag}', f'{strong}, W/"y"', "*"):
            for method in ("GET", "HEAD"):
                got = await get(usher, path, method, If_None_Match=known, Accept_Encoding="gzip")
                assert (got.status, got.body) == (304, b""), (path, known)
                for name in ("ETag", "Cache-Control", "Vary"):
                    assert got.headers.getall(name) == whole.headers.getall(name)
                assert "Content-Encoding" not in got.headers
                assert "Content-Type" not in got.headers
        for unknown in ('"x"', 'W/"x", "y"', '"*"', "x", "", strong.strip('"')):
            again = await get(usher, path, If_None_Match=unknown)
            assert (again.status, again.body, again.tag) == (200, whole.body, whole.tag), (path, unknown)
        head = await get(usher, path, "HEAD")
        assert (head.status, head.body, head.tag) == (200, b"", whole.tag)
        assert head.headers["Content-Length"] == str(len(whole.body))


async def test_an_event_and_its_list_change_with_its_seats(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    paths = [f"/events/{event_id}", "/events?limit=100"]
    known = [(await get(usher, path)).tag for path in paths]
    await usher.reserve(event_id, [0], ada)
    for path, tag in zip(paths, known, strict=True):
        assert (await get(usher, path, If_None_Match=tag)).status == 200


async def test_many_who_list_events_share_a_query(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    path = f"/events?venue={(await usher.rest('GET', f'/events/{event_id}')).data['venue_id']}"
    fetch, answer = events._list, usher.parts.event_lists.answer
    queries, arrived, goes_on = 0, 0, asyncio.Event()

    async def halting(*arguments: Any) -> bytes:
        nonlocal queries
        queries += 1
        found = await fetch(*arguments)
        await goes_on.wait()
        return found

    async def counted(*arguments: Any) -> bytes:
        nonlocal arrived
        arrived += 1
        return await answer(*arguments)

    monkeypatch.setattr(events, "_list", halting)
    monkeypatch.setattr(usher.parts.event_lists, "answer", counted)
    early = asyncio.create_task(usher.rest("GET", path))
    await until(lambda: queries == 1)
    await usher.reserve(event_id, [0], ada)
    late = [asyncio.create_task(usher.rest("GET", path)) for _ in range(50)]
    await until(lambda: arrived == 51)
    goes_on.set()
    async with asyncio.timeout(DEADLINE_S):
        replies = [await early, *await asyncio.gather(*late)]
    # The early one's query may have been before the hold; those who came after it are told of it.
    assert {reply.data[0]["available_seats"] for reply in replies[1:]} == {SEAT_COUNT - len(BLOCKED) - 1}
    assert queries == 2


async def test_refusals_and_private_answers_are_not_kept(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    paths = [f"/seats/{event_id}/sections/Pit", "/events/1", "/venues/1", "/events?page=0", "/auth/me"]
    for path in [*paths, "/seats/reservation"]:
        got = await get(usher, path, X_Session_Id=ada.session_id, If_None_Match="*")
        assert got.status != 304
        assert got.headers["Cache-Control"] == "no-store"
        assert "ETag" not in got.headers


# Packed


async def test_a_packed_answer_is_the_plain_one(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    for path in await public_paths(usher, event_id, ada):
        plain = await get(usher, path)
        assert "Content-Encoding" not in plain.headers
        packed = await get(usher, path, Accept_Encoding="br, gzip")
        assert packed.headers["Content-Type"] == plain.headers["Content-Type"] == "application/json"
        if "Content-Encoding" not in packed.headers:
            assert len(plain.body) < 1_000
            assert packed.body == plain.body
            continue
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.body) < len(plain.body)
        unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
        assert unpacking.decompress(packed.body) == plain.body
        assert unpacking.eof
        assert not unpacking.unused_data, "more than one member"
        assert (await usher.rest("GET", path)).raw == plain.body, "read by a usual client"
        head = await get(usher, path, "HEAD", Accept_Encoding="gzip")
        assert head.headers["Content-Length"] == str(len(packed.body))


async def test_answers_stay_the_same_packed_and_plain_while_seats_change(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=SEAT_COUNT), await usher.customer()
    path = f"/seats/{event_id}/availability"
    for first in range(0, 90, SEATS_PER_COMMAND_MAX):
        await usher.reserve(event_id, list(range(first, first + SEATS_PER_COMMAND_MAX)), ada)
        plain, packed = await get(usher, path), await get(usher, path, Accept_Encoding="gzip")
        assert gzip.decompress(packed.body) == plain.body
        assert held(plain.body) == list(range(first + SEATS_PER_COMMAND_MAX))
