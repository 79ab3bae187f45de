"""The beacon against a relay on a real port, which answers as drand did: chain and round 1 are recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.draws.beacon import ANSWER_BYTES_MAX, LATER, BeaconAway, Chain, DrandBeacon

CHAIN = "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce"
INFO = {
    "public_key": (
        "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31"
    ),
    "period": 30,
    "genesis_time": 1595431050,
    "hash": CHAIN,
    "groupHash": "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
    "schemeID": "pedersen-bls-chained",
    "metadata": {"beaconID": "default"},
}
ROUND_1 = {
    "round": 1,
    "randomness": "101297f1ca7dc44ef6088d94ad5fb7ba03455dc33d53ddb412bbc4564ed986ec",
    "signature": (
        "8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b101"
        "04990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655"
    ),
    "previous_signature": "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
}
BEGINS_AT = datetime(2020, 7, 22, 15, 17, 30, tzinfo=UTC)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def saying(said: Any, status: int = 200) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        if isinstance(said, bytes):
            return web.Response(body=said, status=status)
        return web.json_response(said, status=status)

    return answer


async def silent(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


@asynccontextmanager
async def relay(info: Answer = saying(INFO), round_1: Answer = saying(ROUND_1)) -> AsyncIterator[DrandBeacon]:  # noqa: B008 (stateless)
    app = web.Application()
    app.router.add_get(f"/{CHAIN}/info", info)
    app.router.add_get(f"/{CHAIN}/public/1", round_1)
    app.router.add_get(f"/{CHAIN}/public/2", round_1)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield DrandBeacon(http, str(server.make_url("/")), bytes.fromhex(CHAIN), answer_s=0.2)


async def test_a_chain_and_a_round() -> None:
    async with relay() as beacon:
        assert await beacon.chain() == Chain(bytes.fromhex(CHAIN), BEGINS_AT, timedelta(seconds=30))
        found = await beacon.round(1)
    assert (found.number, found.value.hex(), found.signature.hex()) == (
        1,
        ROUND_1["randomness"],
        ROUND_1["signature"],
    )


async def test_a_round_that_is_not_there_yet() -> None:
    async with relay() as beacon:
        with pytest.raises(BeaconAway, match="status 404"):
            await beacon.round(3)


async def test_the_answer_to_another_question() -> None:
    async with relay() as beacon:
        with pytest.raises(BeaconAway, match="with round 1"):
            await beacon.round(2)


WRONG = {
    "an invented value": (saying(ROUND_1 | {"randomness": "7" * 64}), "not of its signature"),
    "no hexadecimal text": (saying(ROUND_1 | {"signature": "zz"}), "no hexadecimal"),
    "a field is missing": (saying({"round": 1}), "not answer to the point"),
    "no JSON": (saying(b"<html>"), "not answer to the point"),
    "no text": (saying(b'"\xff'), "not answer to the point"),
    "trouble": (saying(b"", 500), "status 500"),
    "too much": (saying(b" " * (ANSWER_BYTES_MAX + 1)), "more than"),
    "nothing": (silent, "does not answer"),
}


@pytest.mark.parametrize(("answer", "why"), WRONG.values(), ids=WRONG)
async def test_a_relay_that_is_not_to_be_believed(answer: Answer, why: str) -> None:
    async with relay(round_1=answer) as beacon:
        with pytest.raises(BeaconAway, match=why):
            await beacon.round(1)


async def test_another_chain_is_refused() -> None:
    async with relay(info=saying(INFO | {"hash": "7" * 64})) as beacon:
        with pytest.raises(BeaconAway, match="another chain"):
            await beacon.chain()


async def test_a_relay_that_is_not_there(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(BeaconAway, match="does not answer"):
            await DrandBeacon(http, f"http://127.0.0.1:{unused_tcp_port}", bytes(32)).chain()


def test_the_round_of_a_draw_is_after_its_lobby() -> None:
    chain = Chain(bytes(32), BEGINS_AT, timedelta(seconds=30))
    assert chain.time_of(1) == BEGINS_AT
    assert chain.first_round_from(BEGINS_AT - timedelta(days=1)) == 1
    for seconds in range(0, 200, 7):
        closed_at = BEGINS_AT + timedelta(seconds=seconds)
        number = chain.round_for(closed_at)
        assert chain.time_of(number) >= closed_at + LATER
        assert number == 1 or chain.time_of(number - 1) < closed_at + LATER, "and it is the first of them"
