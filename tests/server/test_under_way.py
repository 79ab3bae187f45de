"""The requests under way at the end of the server."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.door.under_way import RequestsUnderWay


async def test_it_waits_for_those_that_end_and_ends_the_others() -> None:
    under_way, go = RequestsUnderWay(), asyncio.Event()

    async def quick(_request: web.Request) -> web.StreamResponse:
        await go.wait()
        return web.Response(text="done")

    async def stuck(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    request = make_mocked_request("GET", "/")
    first = asyncio.create_task(under_way.counted(request, quick))
    second = asyncio.create_task(under_way.counted(request, stuck))
    finish = asyncio.create_task(under_way.finish(0.05))
    await asyncio.sleep(0)
    go.set()
    await finish
    assert (await first).status == 200
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_with_nothing_under_way_it_does_not_wait() -> None:
    async with asyncio.timeout(1):
        await RequestsUnderWay().finish(60)
