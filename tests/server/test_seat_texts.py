"""The pieces that answers about seats are made of, the coding a client wants, and how work is shared."""

import asyncio
import gzip
import json
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from protocol.seat_state import SeatState
from server.reads.accepted_coding import wants_gzip
from server.reads.gzip_pieces import STORED_BYTES_MAX, GzipBody, Piece, PlainBody, packed_body
from server.reads.places import Place
from server.reads.rounds import ANSWERS_MAX, Rounds
from server.reads.seat_texts import PIECE_SEATS_MAX, seats_pieces, sections_of, sections_pieces
from server.reads.shared_work import REST, SLICE_S, SharedQuestions, SharedWork, Slices, Turns
from tests.simulation.virtual_time import scene

SIZES = st.one_of(
    st.binary(max_size=400),
    st.integers(0, 70_000).map(lambda size: b'{"status":"available"},' * (size // 23)),
    st.integers(STORED_BYTES_MAX - 2, STORED_BYTES_MAX + 2).map(bytes),
)


@given(st.lists(SIZES, max_size=8))
def test_pieces_make_one_gzip_member(plains: list[bytes]) -> None:
    pieces, whole = [Piece(plain) for plain in plains], b"".join(plains)
    for _ in range(2):  # the second time from what was packed before
        plain, packed = PlainBody(), GzipBody()
        for piece in pieces:
            plain.add(piece)
            packed.add(piece)
        assert plain.whole() == whole
        unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
        assert unpacking.decompress(packed.whole()) == whole
        assert unpacking.eof
        assert not unpacking.unused_data
    assert gzip.decompress(packed_body(whole)) == whole


def places(sizes: list[tuple[str, int]]) -> list[Place]:
    """Sections of these names and sizes in index order."""
    return [
        Place(name, 'Row "A"', f"{number}é", "vip", 35_000 + 50 * number)
        for name, size in sizes
        for number in range(size)
    ]


def expected(seats: list[Place], states: bytes) -> list[dict[str, Any]]:
    """What an answer tells, written in the plainest way."""
    sections: dict[str, list[int]] = {}
    for index, seat in enumerate(seats):
        sections.setdefault(seat.section, []).append(index)
    return [
        {
            "section": name,
            "available": sum(states[index] == SeatState.AVAILABLE for index in indexes),
            "total": len(indexes),
            "min_price": min(seats[index].price_cents for index in indexes) / 100,
            "max_price": max(seats[index].price_cents for index in indexes) / 100,
            "seats": [
                {
                    "id": str(index),
                    "row": seats[index].row,
                    "seat_number": seats[index].number,
                    "price": seats[index].price_cents / 100,
                    "price_tier": seats[index].price_tier,
                    "status": SeatState(states[index]).name.lower(),
                }
                for index in indexes
            ],
        }
        for name, indexes in sections.items()
    ]


@pytest.mark.parametrize(
    "sizes",
    [
        [("One", 1)],
        [("Large", 2 * PIECE_SEATS_MAX + 1), ("Small", 3)],
        [("Exact", PIECE_SEATS_MAX), ("Exactly two", 2 * PIECE_SEATS_MAX)],
        [("Apart", 5), ("Between", 7), ("Apart", PIECE_SEATS_MAX + 1)],
    ],
)
def test_the_pieces_tell_every_seat_by_section(sizes: list[tuple[str, int]]) -> None:
    seats, chance = places(sizes), random.Random(7)
    sections = sections_of(seats)
    states = bytearray(len(seats))
    for _ in range(20):
        states[chance.randrange(len(seats))] = chance.choice(list(SeatState))
        now = bytes(states)
        whole = json.loads(b"".join(piece.plain for piece in sections_pieces(list(sections.values()), now)))
        assert whole == {"success": True, "data": expected(seats, now)}
        for told, section in zip(whole["data"], sections.values(), strict=True):
            alone = json.loads(b"".join(piece.plain for piece in sections_pieces([section], now)))
            assert alone["data"] == [told]
            only_seats = json.loads(b"".join(piece.plain for piece in seats_pieces([section], now)))
            assert only_seats["data"] == told["seats"]
            assert len(section.states(now)) == told["total"]


def test_only_pieces_with_changed_seats_are_written_again() -> None:
    seats = places([("Large", 2 * PIECE_SEATS_MAX), ("Small", 3)])
    sections = list(sections_of(seats).values())
    before = list(sections_pieces(sections, bytes(len(seats))))
    after = list(sections_pieces(sections, bytes(PIECE_SEATS_MAX) + b"\1" + bytes(PIECE_SEATS_MAX + 2)))
    large = [(old, new) for old, new in zip(before, after, strict=True) if len(old.plain) > PIECE_SEATS_MAX]
    assert [new is old for old, new in large] == [True, False]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("br, deflate", False),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.5, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip ; Q=0.001", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("gzip, *;q=0", True),
        ("identity", False),
        ("identity, gzip", True),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("identity;q=0", False),
        ("identity;q=0, *", True),
        ("gzip;q=2", False),
        ("gzip;q=nan", False),
        ("gzip;level=9", False),
        ("gzipped, notgzip", False),
        (" , ,gzip,", True),
        (";q=1", False),
    ],
)
def test_gzip_is_sent_to_whom_it_pleases(header: str, wanted: bool) -> None:
    assert wants_gzip(header) is wanted


# Shared work


@scene
async def test_all_who_wait_share_one_piece_of_work() -> None:
    loop, begun = asyncio.get_running_loop(), list[float]()
    shared: SharedWork[float] = SharedWork(Turns(rest=1, clock=loop.time))

    async def work(_slices: Slices) -> float:
        begun.append(loop.time())
        await asyncio.sleep(1)
        return begun[-1]

    async def ask_at(moment: float) -> float:
        await asyncio.sleep(moment)
        return await shared.outcome(work)

    moments = [0, 0, 0.5, 0.9, 1.5, 2.1, 50]
    outcomes = await asyncio.gather(*(ask_at(moment) for moment in moments))
    assert all(outcome >= moment for outcome, moment in zip(outcomes, moments, strict=True))
    # One second of work, one of a pause, in which whoever comes joins those who wait.
    assert outcomes == pytest.approx([0, 0, 2, 2, 2, 4, 50])
    assert len(begun) == 4


@scene
async def test_work_of_all_kinds_leaves_the_loop_to_others_for_most_of_the_time() -> None:
    loop, worked = asyncio.get_running_loop(), list[tuple[float, float]]()
    turns = Turns(clock=loop.time)

    async def work(slices: Slices) -> None:
        began = loop.time()
        await asyncio.sleep(0.25)
        await slices.breathe()
        await asyncio.sleep(0.25)
        assert slices.worked_s == pytest.approx(0.5)
        worked.append((began, loop.time()))

    async def busy(shared: SharedWork[None]) -> None:
        for _ in range(5):
            await shared.outcome(work)

    await asyncio.gather(*(busy(SharedWork(turns)) for _ in range(3)))
    assert len(worked) == 15
    for (_, ended), (began, _) in pairwise(worked):
        assert began >= ended + 0.5 * REST - 1e-9


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_slices_are_as_short_as_they_are_meant(runner: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """On the loop that serves, too: its own clock has steps of 1 ms."""

    async def work() -> None:
        others, now_s = 0, 0.0

        async def other() -> None:
            nonlocal others
            while True:
                others += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        async with Turns(clock=lambda: now_s).turn() as slices:
            others = 0
            for _ in range(40):
                now_s += SLICE_S / 4 + 1e-9
                await slices.breathe()
            assert others == 10
            assert slices.worked_s == pytest.approx(10 * SLICE_S, rel=0.01)
        task.cancel()

    runner(work())


def test_the_clock_of_a_server_has_fine_steps() -> None:
    assert time.get_clock_info("perf_counter").resolution < SLICE_S / 10
    assert Turns()._clock is time.perf_counter


@scene
async def test_who_gives_up_leaves_the_others_their_answer() -> None:
    shared: SharedWork[int] = SharedWork(Turns(clock=asyncio.get_running_loop().time))

    async def work(_slices: Slices) -> int:
        await asyncio.sleep(1)
        return 7

    async def failing(_slices: Slices) -> int:
        await asyncio.sleep(1)
        raise ConnectionError

    first = asyncio.create_task(shared.outcome(work))
    second = asyncio.create_task(shared.outcome(work))
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second == 7
    lonely = asyncio.create_task(shared.outcome(failing))
    await asyncio.sleep(1.5)
    lonely.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lonely
    with pytest.raises(ConnectionError):
        await shared.outcome(failing)
    assert await shared.outcome(work) == 7


@scene
async def test_equal_questions_are_put_once() -> None:
    questions: SharedQuestions[int] = SharedQuestions()
    loop, put = asyncio.get_running_loop(), list[tuple[str, float]]()

    async def ask_at(moment: float, question: str) -> int:
        async def work() -> int:
            put.append((question, loop.time()))
            await asyncio.sleep(1)
            return len(put)

        await asyncio.sleep(moment)
        return await questions.answer(question, work)

    asked = [(0, "a"), (0, "a"), (0, "b"), (0.5, "a"), (0.6, "a"), (5, "a")]
    await asyncio.gather(*(ask_at(moment, question) for moment, question in asked))
    assert [question for question, _ in put] == ["a", "b", "a", "a"]
    assert [moment for _, moment in put] == pytest.approx([0, 0, 1, 5])
    assert not questions._asked, "what nobody asks is not kept"


@scene
async def test_a_few_are_answered_in_each_round() -> None:
    rounds, loop = Rounds(), asyncio.get_running_loop()
    passed, number = list[tuple[int, int]](), 0

    def count() -> None:
        nonlocal number
        number += 1
        if len(passed) < 50:
            loop.call_soon(count)

    async def reader(name: int) -> None:
        await rounds.join()
        passed.append((number, name))

    count()
    readers = [asyncio.create_task(reader(name)) for name in range(3 * ANSWERS_MAX + 50)]
    await asyncio.sleep(0)
    given_up = readers[2 * ANSWERS_MAX : 2 * ANSWERS_MAX + 53]
    for one in given_up:
        one.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    assert [name for _, name in passed] == [k for k, one in enumerate(readers) if one not in given_up]
    in_round = Counter(number for number, _ in passed)
    assert max(in_round.values()) == ANSWERS_MAX
    assert len(in_round) == 3, "no round is left out"
    await rounds.join()
