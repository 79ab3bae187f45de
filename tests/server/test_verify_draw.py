"""Fraud of every kind against the checks of a draw, each beside the honest draw in which nothing is found."""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace
from rich.console import Console

from actors.core.draw_checks import check_draw
from protocol.draw_document import DrawDocument, HeadAt, PublishedKey, SignedReceipt
from server.cli import main
from server.draws.verifying import BROKEN, NOT_DRAWN, SOUND, UNREADABLE, add_arguments, find_faults, verify_draw
from tests.server.draws import (
    BEACON,
    CLOSED_AT,
    KEY_ID,
    dismissed,
    entries,
    heads_of,
    in_the_lobby,
    published,
    receipt_of,
    sign_head,
)

JOINED = entries(100)
HONEST = published(JOINED)
LATER = "2031-05-01T12:00:03.000Z"


def codes(
    document: DrawDocument, receipt: SignedReceipt | None = None, earlier: DrawDocument | None = None
) -> set[str]:
    return {one.code for one in find_faults(document, receipt, earlier)}


@pytest.mark.parametrize("count", [0, 1, 2, 10, 100])
@pytest.mark.parametrize("beacon", [None, BEACON], ids=["no beacon", "beacon"])
def test_nothing_is_found_in_an_honest_draw(count: int, beacon: None) -> None:
    joined = entries(count)
    earlier = in_the_lobby(joined[: count // 2], beacon)
    assert codes(published(joined, beacon=beacon), earlier=earlier) == set()
    for number in range(0, count, 7):
        assert codes(published(joined, beacon=beacon), receipt_of(joined, number, beacon)) == set()


def test_nothing_is_found_in_a_lobby() -> None:
    lobby, receipt = in_the_lobby(JOINED), receipt_of(JOINED, 3)
    assert codes(lobby, receipt, in_the_lobby(JOINED[:50])) == set()


def in_places(document: DrawDocument, change: Callable[[list[int]], None]) -> DrawDocument:
    places = list(document.places)
    change(places)
    return replace(document, places=places)


def swap_first_two(values: list[int]) -> None:
    values[0], values[1] = values[1], values[0]


MOVED = [*JOINED[:40], JOINED[41], JOINED[40], *JOINED[42:]]
DROPPED = JOINED[:40] + JOINED[41:]
ALTERED = [*JOINED[:40], bytes(32), *JOINED[41:]]
LATE = entries(103)
OTHER_SEED = bytes(32)

WITHIN: dict[str, tuple[DrawDocument, set[str]]] = {
    # The heads were published while people joined: what is changed afterwards does not fit them.
    "an entry is dropped": (published(DROPPED, heads_of(JOINED)), {"chain_broken", "heads_out_of_order"}),
    "an entry is altered": (published(ALTERED, heads_of(JOINED)), {"chain_broken", "two_heads"}),
    "entries are reordered": (published(MOVED, heads_of(JOINED)), {"chain_broken", "two_heads"}),
    "an entry is not published": (
        replace(HONEST, entries=HONEST.entries[:-1]),
        {"wrong_count", "wrong_order", "chain_broken"},
    ),
    "an entry is there twice": (published([*JOINED, JOINED[0]]), {"entry_twice"}),
    "entries came late": (
        replace(published(LATE), last_head=sign_head(HeadAt(103, published(LATE).last_head.head, LATER))),
        {"late_entries"},
    ),
    "it was never closed": (replace(HONEST, closed_at=None), {"not_closed"}),
    "the seed is another": (published(JOINED, operator_seed=OTHER_SEED), {"wrong_seed"}),
    "the seed is withheld": (
        replace(HONEST, status="seed_withheld", operator_seed=None, places=[]),
        {"seed_withheld"},
    ),
    "the seed is missing without a word": (replace(HONEST, operator_seed=None), {"seed_withheld"}),
    "two places are exchanged": (in_places(HONEST, swap_first_two), {"wrong_order"}),
    "a place is missing": (in_places(HONEST, lambda places: places.clear()), {"wrong_order"}),
    "it was drawn again": (replace(HONEST, earlier_draws=[dismissed()]), {"drawn_again"}),
    "the beacon's value is invented": (
        published(JOINED, beacon=replace(BEACON, value="5" * 64)),
        {"wrong_beacon"},
    ),
    "the beacon's signature is none": (published(JOINED, beacon=replace(BEACON, signature="zz")), {"wrong_beacon"}),
    "the beacon was known before": (
        published(JOINED, beacon=replace(BEACON, round_at=CLOSED_AT)),
        {"beacon_too_early"},
    ),
    "the beacon is not told": (replace(HONEST, beacon=replace(BEACON, signature=None)), {"beacon_missing"}),
    "the beacon is left out": (replace(HONEST, beacon=None), {"chain_broken", "wrong_order"}),
    "another beacon is used": (
        replace(HONEST, beacon=replace(BEACON, chain="7" * 64)),
        {"chain_broken"},
    ),
    "the commitment is exchanged": (replace(HONEST, commitment="7" * 64), {"chain_broken", "wrong_seed"}),
    "the head is not signed": (
        replace(HONEST, last_head=replace(HONEST.last_head, signature="0" * 128)),
        {"wrong_signature"},
    ),
    "the key is unknown": (replace(HONEST, keys=[]), {"unknown_key"}),
    "the key is another": (
        replace(HONEST, keys=[PublishedKey(KEY_ID, "7" * 64)]),
        {"wrong_key", "wrong_signature"},
    ),
}


@pytest.mark.parametrize(("document", "expected"), WITHIN.values(), ids=WITHIN)
def test_what_does_not_fit_within_is_found(document: DrawDocument, expected: set[str]) -> None:
    assert codes(document) == expected


# A publisher who makes everything anew, heads and signatures too, is not found out by the document alone.
REMADE: dict[str, tuple[list[bytes], int, str, str]] = {
    "dropped": (DROPPED, 40, "entry_dropped", "entries_dropped"),
    "altered": (ALTERED, 40, "entry_dropped", "history_changed"),
    "reordered": (MOVED, 40, "entry_moved", "history_changed"),
    "changed before it": (MOVED, 60, "history_changed", "history_changed"),
    "invented in front": ([bytes(32), *JOINED], 40, "entry_moved", "history_changed"),
    "cut off": (JOINED[:90], 95, "entry_dropped", "entries_dropped"),
}


@pytest.mark.parametrize(("joined", "number", "by_receipt", "by_earlier"), REMADE.values(), ids=REMADE)
def test_who_makes_everything_anew_is_found_out_by_what_others_kept(
    joined: list[bytes], number: int, by_receipt: str, by_earlier: str
) -> None:
    remade = published(joined)
    assert codes(remade) == set(), "the control: without receipts and earlier publications it looks sound"
    assert codes(remade, receipt_of(JOINED, number)) == {by_receipt}
    assert codes(remade, earlier=in_the_lobby(JOINED)) == {by_earlier}


def test_entries_after_the_end_are_found_by_the_publication_of_the_end() -> None:
    late = published(LATE)
    assert codes(late) == set(), "the control: all times were falsified"
    assert codes(late, earlier=in_the_lobby(JOINED)) == set(), "the control: people may still join in the lobby"
    assert codes(late, earlier=HONEST) == {"late_entries"}


FORGED: dict[str, tuple[SignedReceipt, set[str]]] = {
    "not signed": (replace(receipt_of(JOINED, 3), signature="0" * 128), {"wrong_signature"}),
    "signed by nobody": (replace(receipt_of(JOINED, 3), key_id="0" * 16), {"unknown_key"}),
    "of another place in the chain": (
        replace(receipt_of(JOINED, 3), position=1),
        {"wrong_signature", "entry_moved"},
    ),
    "of another nonce": (replace(receipt_of(JOINED, 3), nonce="0" * 64), {"wrong_signature", "wrong_nonce"}),
    "of another commitment": (
        replace(receipt_of(JOINED, 3), commitment="0" * 64),
        {"wrong_signature", "commitment_changed"},
    ),
    "of another beacon": (
        replace(receipt_of(JOINED, 3), beacon_chain=None),
        {"wrong_signature", "beacon_changed"},
    ),
}


@pytest.mark.parametrize(("receipt", "expected"), FORGED.values(), ids=FORGED)
def test_a_forged_receipt_is_found(receipt: SignedReceipt, expected: set[str]) -> None:
    assert codes(HONEST, receipt) == expected


def test_a_receipt_whose_commitment_was_exchanged_for_all() -> None:
    """Seed and commitment exchanged after people joined, and all made anew: each receipt shows it."""
    other = published(JOINED, beacon=None)
    assert codes(other) == set()
    assert codes(other, receipt_of(JOINED, 3)) == {"beacon_changed", "history_changed"}
    assert codes(other, earlier=in_the_lobby(JOINED)) == {"beacon_changed", "history_changed"}


def options_for(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


async def run(*words: str) -> tuple[int, str]:
    said = io.StringIO()
    status = await verify_draw(options_for(*words), Console(file=said, width=200))
    return status, said.getvalue()


def kept(tmp_path: Path, name: str, what: DrawDocument | SignedReceipt) -> str:
    path = tmp_path / name
    path.write_bytes(msgspec.json.encode(what))
    return str(path)


async def test_verdicts_and_exit_codes(tmp_path: Path) -> None:
    sound, lobby = kept(tmp_path, "sound", HONEST), kept(tmp_path, "lobby", in_the_lobby(JOINED))
    fraud = kept(tmp_path, "fraud", published(DROPPED))
    receipt = kept(tmp_path, "receipt", receipt_of(JOINED, 40))

    status, said = await run(sound, "--receipt", receipt, "--earlier", lobby)
    assert (status, "This draw holds" in said) == (SOUND, True)
    assert f"{HONEST.places[40]}" in next(line for line in said.splitlines() if "your place" in line)
    status, said = await run(lobby)
    assert (status, "Nothing was drawn yet" in said) == (NOT_DRAWN, True)
    status, said = await run(fraud, "--receipt", receipt)
    assert (status, "entry_dropped" in said, "does not hold" in said) == (BROKEN, True, True)
    status, said = await run(kept(tmp_path, "no beacon", published(JOINED, beacon=None)))
    assert (status, "not from the operator" in said) == (SOUND, True)


async def test_keys_that_are_trusted(tmp_path: Path) -> None:
    """Who publishes everything anew with a key of their own is found out by the keys that others know."""
    sound = kept(tmp_path, "sound", HONEST)
    keys, others = tmp_path / "keys", tmp_path / "others"
    keys.write_bytes(msgspec.json.encode({"success": True, "data": HONEST.keys}))
    others.write_bytes(msgspec.json.encode([PublishedKey("0" * 16, "0" * 64), PublishedKey(KEY_ID, "0" * 64)]))
    receipt = kept(tmp_path, "receipt", receipt_of(JOINED, 40))
    assert (await run(sound, "--receipt", receipt, "--keys", str(keys)))[0] == SOUND
    status, said = await run(sound, "--receipt", receipt, "--keys", str(others))
    assert (status, said.count("untrusted_key")) == (BROKEN, 1)
    status, said = await run(sound, "--keys", sound)
    assert (status, "is no list of keys" in said) == (UNREADABLE, True)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"{}", b'{"success":false,"error":"no"}', b"\xff", b"[" * 100_000]
)
async def test_what_is_no_draw_is_told(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(raw)
    status, said = await run(str(path))
    assert (status, "is no published draw" in said) == (UNREADABLE, True)


async def test_what_is_not_there_is_told(tmp_path: Path, unused_tcp_port: int) -> None:
    assert (await run(str(tmp_path / "nowhere")))[0] == UNREADABLE
    status, said = await run(f"http://127.0.0.1:{unused_tcp_port}/draw")
    assert (status, "cannot be fetched" in said) == (UNREADABLE, True)


async def test_a_draw_is_fetched_with_its_envelope() -> None:
    async def draw(_request: web.Request) -> web.Response:
        body = msgspec.json.encode({"success": True, "data": HONEST})
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/draw", draw)
    async with TestServer(app) as server:
        assert (await run(str(server.make_url("/draw"))))[0] == SOUND
        status, said = await run(str(server.make_url("/nothing")))
    assert (status, "status 404" in said) == (UNREADABLE, True)


def test_the_command_ends_with_its_status(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify-draw", kept(tmp_path, "fraud", in_places(HONEST, swap_first_two))])
    assert ended.value.code == BROKEN


def test_a_hundred_thousand_entries() -> None:
    joined = entries(100_000)
    document = published(joined, heads_of(joined, each=5_000))
    read = msgspec.json.decode(msgspec.json.encode(document), type=DrawDocument)
    assert check_draw(read) == []
    assert {one.code for one in check_draw(in_places(read, swap_first_two))} == {"wrong_order"}
