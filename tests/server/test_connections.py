"""The connections: how many there may be, and how those end that only take up room."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Any

import pytest
import uvloop
from aiohttp import hdrs, web

from server.door import connections as limits
from server.door import open_files
from server.door.connections import GOODBYE_S, HEAD_S, UNREAD_S, Connections
from server.door.door_settings import DoorSettings
from server.door.http_protocol import HttpProtocol, protocol_factory
from tests.server.parts import DEADLINE_S, until
from tests.server.raw_http import RawHttp
from tests.server.test_hostile_http import assert_guarded
from tests.server.test_rate_limits import Seconds

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
BIG_BYTES = 64 * 1024 * 1024
READ_BYTES = 16 * 1024 * 1024
"""More than the kernel takes on both sides."""


class Listening:
    """A small application behind our protocol, with a clock for tests; its sweeps are made by hand."""

    def __init__(self, connections: Connections, clock: Seconds, url: str, protocols: list[HttpProtocol]) -> None:
        self.connections = connections
        self.clock = clock
        self.url = url
        self.protocols = protocols

    def sweep_after(self, seconds: float) -> None:
        """Let time pass, then sweep."""
        self.clock.now += seconds
        self.connections.sweep()


Listen = Callable[..., Awaitable[Listening]]


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def big(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * BIG_BYTES)


async def small_and_closed(_: web.Request) -> web.Response:
    response = web.Response(body=b"x" * 60_000)
    response.force_close()
    return response


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Opens a server; `settings` are those of the door."""
    async with AsyncExitStack() as stack:

        async def opened(**settings: Any) -> Listening:
            app = web.Application()
            app.add_routes(
                [
                    web.get("/", hello),
                    web.post("/", echo),
                    web.get("/big", big),
                    web.get("/closed", small_and_closed),
                ]
            )
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            assert runner.server is not None
            clock, protocols = Seconds(), []
            connections = Connections(DoorSettings(**settings), clock)
            factory = protocol_factory(runner.server, connections)

            def remembered() -> HttpProtocol:
                protocols.append(factory())
                return protocols[-1]

            server = await asyncio.get_running_loop().create_server(remembered, "127.0.0.1", 0)
            stack.callback(server.close)
            return Listening(
                connections, clock, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", protocols
            )

        yield opened


async def test_beyond_the_limit_a_connection_is_told_so_and_ended(listen: Listen) -> None:
    server = await listen(connections_max=2)
    async with RawHttp(server.url) as one, RawHttp(server.url) as two, RawHttp(server.url) as three:
        refused = await three.answer()
        assert refused.refusal == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.headers["Connection"] == "close"
        assert_guarded(refused)
        assert await three.ended() == b""
        for http in (one, two):
            assert (await http.answer(HEAD + b"\r\n")).status == 200
    await until(lambda: len(server.connections) == 0)
    async with RawHttp(server.url) as http:
        assert (await http.answer(HEAD + b"\r\n")).status == 200, "there is room again"


async def test_who_is_refused_while_sending_can_read_why(listen: Listen) -> None:
    server = await listen(connections_max=1)
    async with RawHttp(server.url) as one:
        assert (await one.answer(HEAD + b"\r\n")).status == 200
        async with RawHttp(server.url) as http:
            assert (
                await http.answer(b"POST / HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60_000)
            ).status == 503


async def test_who_is_refused_and_stays_is_cut(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GOODBYES_MAX", 1)
    server = await listen(connections_max=1)
    async with RawHttp(server.url), RawHttp(server.url) as one, RawHttp(server.url) as two:
        assert (await one.answer()).status == 503
        await two.ended()  # those beyond what may say goodbye are cut at once
        assert len(server.connections._leaving) == 1
        server.sweep_after(GOODBYE_S - 0.1)
        assert len(server.connections._leaving) == 1
        server.sweep_after(0.1)
        assert len(server.connections._leaving) == 0
        await one.ended()
    await until(lambda: not server.connections._open)


class Peer(asyncio.Transport):
    """A connection from an address."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1)})


def test_connections_are_counted_by_address() -> None:
    settings = DoorSettings(
        connections_max=100, connections_per_address=2, trusted_proxies=(ip_network("10.0.0.0/8"),)
    )
    connections = Connections(settings, Seconds())
    first, second = Peer("192.0.2.1"), Peer("192.0.2.1")
    assert [connections.admit(peer) for peer in (first, second)] == [True, True]
    refused = Peer("192.0.2.1")
    assert not connections.admit(refused)
    connections.gone(refused)
    assert not connections.admit(Peer("::ffff:192.0.2.1")), "it is the same one"
    assert connections.admit(Peer("192.0.2.2"))
    connections.gone(first)
    assert connections.admit(Peer("192.0.2.1"))
    assert [connections.admit(Peer(f"2001:db8::{last}")) for last in range(1, 4)] == [True, True, False], "a /64"
    for exempt in ("127.0.0.1", "::1", "10.1.2.3"):
        assert all(connections.admit(Peer(exempt)) for _ in range(5)), exempt
    for transport in list(connections._open):
        connections.gone(transport)
    assert not connections._by_address


def test_the_log_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Seconds()
    connections = Connections(DoorSettings(connections_max=1), clock)
    for passed_s, lines in ((0, 1), (0, 1), (59, 1), (1, 2)):
        clock.now += passed_s
        peer = Peer("192.0.2.1")
        connections.admit(peer)
        connections.admit(Peer("192.0.2.2"))
        connections.gone(peer)
        assert len(caplog.messages) == lines


def test_zero_lifts_the_limit_of_an_address() -> None:
    connections = Connections(DoorSettings(connections_max=10, connections_per_address=0), Seconds())
    assert [connections.admit(Peer("192.0.2.1")) for _ in range(11)] == [True] * 10 + [False]


async def test_fifty_slow_heads_are_cut_in_time_and_hurt_nobody(listen: Listen) -> None:
    server = await listen()
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(RawHttp(server.url)) for _ in range(50)]
        for number, http in enumerate(slow):
            http.writer.write(HEAD[: min(number, len(HEAD))])
        await until(lambda: len(server.connections) == 50)
        honest = await stack.enter_async_context(RawHttp(server.url))
        assert (await honest.answer(HEAD + b"\r\n")).status == 200
        await until(lambda: sum(one._head_bytes > 0 for one in server.protocols) == 49)
        server.sweep_after(HEAD_S - 0.1)
        await asyncio.sleep(0)
        assert len(server.connections) == 51, "not before its time"
        for http in slow:
            http.writer.write(b"X")  # a byte now and then earns nobody more time
        server.sweep_after(0.1)
        ends = await asyncio.gather(*(http.ended() for http in slow))
        assert all(end == b"" or end.startswith(b"HTTP/1.1 408 ") for end in ends)
        assert sum(end.startswith(b"HTTP/1.1 408 ") for end in ends) >= 49, "who has said something is told why"
        assert (await honest.answer(HEAD + b"\r\n")).status == 200
        for http in slow:
            http.writer.transport.abort()
        await until(lambda: len(server.connections) == 1)


async def test_a_later_head_may_not_be_slow_either(listen: Listen) -> None:
    server = await listen()
    async with RawHttp(server.url) as http:
        assert (await http.answer(HEAD + b"\r\n")).status == 200
        server.sweep_after(5 * HEAD_S)
        assert (await http.answer(HEAD + b"\r\n")).status == 200, "between requests one may rest"
        http.writer.write(HEAD)
        await until(lambda: server.protocols[0]._head_bytes == len(HEAD))
        server.sweep_after(HEAD_S)
        assert (await http.answer()).refusal == (408, "too_slow")
        assert await http.ended() == b""


async def test_a_head_that_comes_in_time_in_pieces_is_taken(listen: Listen) -> None:
    server = await listen()
    async with RawHttp(server.url) as http:
        for _ in range(2):
            for byte in HEAD:
                http.writer.write(bytes([byte]))
                await http.writer.drain()
                await asyncio.sleep(0)
            assert (await http.answer(b"\r\n")).status == 200
            server.sweep_after(HEAD_S)
        assert not server.connections._heads


async def test_a_body_is_no_head(listen: Listen) -> None:
    server = await listen()
    async with RawHttp(server.url) as http:
        http.writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
        await until(lambda: server.protocols[0]._request_count == 1)
        for _ in range(6):
            http.writer.write(b"x" * 10_000)
            await http.writer.drain()
            server.sweep_after(HEAD_S)
        assert len((await http.answer()).body) == 60_000


async def unread(server: Listening, http: RawHttp, path: str) -> None:
    """Ask for more than is read, and wait until no more of it goes."""
    http.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    sizes: list[int] = []

    def is_still() -> bool:
        sizes.extend(transport.get_write_buffer_size() for transport in server.connections._unread)
        return len(sizes) > 5 and len(set(sizes[-5:])) == 1

    await until(is_still)
    server.sweep_after(0)


@pytest.mark.parametrize("path", ["/big", "/closed"])
async def test_who_does_not_read_is_cut(listen: Listen, path: str) -> None:
    server = await listen()
    async with RawHttp(server.url, is_deaf=True) as http, RawHttp(server.url) as honest:
        assert (await honest.answer(HEAD + b"\r\n")).status == 200
        for protocol in server.protocols:
            assert protocol.transport is not None
            sock = protocol.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # else the kernel takes what is small
        await unread(server, http, path)
        server.sweep_after(UNREAD_S - 0.1)
        assert (await honest.answer(HEAD + b"\r\n")).status == 200
        assert len(server.connections) == 2
        server.sweep_after(0.1)
        await until(lambda: len(server.connections) == 1)
        assert (await honest.answer(HEAD + b"\r\n")).status == 200


async def test_who_reads_slowly_is_not_cut(listen: Listen) -> None:
    server = await listen()
    async with RawHttp(server.url) as http:
        http.writer.write(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: bool(server.connections._unread))
        for _ in range(BIG_BYTES // READ_BYTES):
            async with asyncio.timeout(DEADLINE_S):
                await http.reader.readexactly(READ_BYTES)
            server.sweep_after(0.9 * UNREAD_S)
        await until(lambda: not server.connections._unread)
        assert len(server.connections) == 1


def test_the_limits_hold_under_uvloop_too() -> None:
    async def all_of_them() -> None:
        app = web.Application()
        app.add_routes([web.get("/", hello), web.get("/big", big)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        assert runner.server is not None
        clock = Seconds()
        connections = Connections(DoorSettings(connections_max=3), clock)
        server = await asyncio.get_running_loop().create_server(
            protocol_factory(runner.server, connections), "127.0.0.1", 0
        )
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with (
            RawHttp(url) as slow,
            RawHttp(url, is_deaf=True) as deaf,
            RawHttp(url) as honest,
            RawHttp(url) as late,
        ):
            assert (await late.answer()).refusal == (503, "overloaded")
            slow.writer.write(HEAD)
            deaf.writer.write(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: bool(connections._unread))
            assert (await honest.answer(HEAD + b"\r\n")).status == 200
            clock.now += UNREAD_S
            connections.sweep()
            clock.now += UNREAD_S
            connections.sweep()
            assert (await slow.answer()).refusal == (408, "too_slow")
            await until(lambda: len(connections) <= 2)
            assert (await honest.answer(HEAD + b"\r\n")).status == 200
        server.close()
        await runner.cleanup()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(all_of_them())


async def test_our_protocol_tells_itself_by_nothing(listen: Listen) -> None:
    server = await listen()
    async with RawHttp(server.url) as http:
        assert_guarded(await http.answer(b"\0\r\n\r\n"))
    async with RawHttp(server.url) as http:
        assert hdrs.SERVER in (await http.answer(HEAD + b"\r\n")).headers


def test_as_many_connections_as_files(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: set_to.append(both))
    for soft, hard, wanted in (
        (1024, 4096, (4096, 4096)),
        (1024, resource.RLIM_INFINITY, (open_files.FILES_WANTED, resource.RLIM_INFINITY)),
        (1024, 1_000_000, (open_files.FILES_WANTED, 1_000_000)),
        (4096, 4096, None),
        (200_000, 1_000_000, None),
    ):
        set_to.clear()
        monkeypatch.setattr(resource, "getrlimit", lambda _, both=(soft, hard): both)
        open_files.raise_open_files_limit()
        assert set_to == ([wanted] if wanted else [])
    for soft, fit in (
        (1024, 768),
        (256, 128),
        (100_000, 99_744),
        (resource.RLIM_INFINITY, open_files.FILES_WANTED),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _, both=(soft, soft): both)
        assert open_files.connections_that_fit() == fit


def test_a_limit_of_files_that_cannot_be_raised_is_no_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", refused)
    open_files.raise_open_files_limit()
    assert "stays at 256" in caplog.text
