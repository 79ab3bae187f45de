"""What is not understood, who does not read, and how a socket ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
import pytest_asyncio

from protocol.codes import CloseCode
from server.engines import PostgresAddress, RedisAddress
from server.sockets import broadcast, connection, hub, outbox
from server.sockets import open_sockets as sockets
from server.sockets.outbox import Outbox
from tests.server.parts import SHARED, Customer, Json, Usher, running, until
from tests.server.raw_socket import BINARY, CLOSE, PING, PONG, TEXT, RawSocket

pytestmark = SHARED

NOT_UNDERSTOOD = 4400
HOLD = b'{"type":"hold_seats","id":"h","seats":[0]}'


@pytest_asyncio.fixture(loop_scope="module")
async def event_id(usher: Usher) -> str:
    return await usher.event()


@pytest_asyncio.fixture(loop_scope="module")
async def ada(usher: Usher) -> Customer:
    return await usher.customer()


def the_outbox(usher: Usher, event_id: str) -> Outbox:
    """The server's side of the only socket on this event that watches."""
    channel = usher.parts.hub._channels[event_id]
    (found,) = channel.watchers
    return found


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"open"',
        b"{}",
        b'{"type":1}',
        b'{"type":null}',
        b'{"type":"hold"}',
        b'{"type":"Open"}',
        b'{"type":"welcome"}',
        b'{"type":"cancel_order","id":"x","order_id":"y"}',
        b'{"type":"settle","order_id":"y","payment_id":"z"}',
        b'{"type":"hold_seats","seats":[1]}',
        b'{"type":"hold_seats","id":"","seats":[1]}',
        b'{"type":"hold_seats","id":1,"seats":[1]}',
        b'{"type":"hold_seats","id":null,"seats":[1]}',
        b'{"type":"hold_seats","id":"' + b"x" * 65 + b'","seats":[1]}',
        b'{"type":"hold_seats","id":"a\\u0000b","seats":[1]}',
        b'{"type":"hold_seats","id":"a","id":"b","seats":[1]}',
        b'{"type":"extend_hold","type":"open","id":"a"}',
        b'{"type":"open","revision":"1"}',
        b'{"type":"open","revision":-1,"epoch":"e"}',
        b'{"type":"open","since":1}',
        b'{"type":"ping"}',
        b'{"type":"ping","at":"now"}',
        b'{"type":"ping","at":true}',
        b'{"type":"ping","at":1,"id":"x"}',
        b'{"type":"open"}{"type":"open"}',
        b"[" * 8000,
        b'{"type":"hold_seats","id":"x","seats":' + b"[" * 8000,
        HOLD + b"\0",
        b"\xef\xbb\xbf" + HOLD,
        HOLD.decode().encode("utf-16"),
    ],
)
async def test_what_is_not_understood_closes_with_4400(
    usher: Usher, event_id: str, ada: Customer, text: bytes
) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.frame(TEXT, text)
        # What comes after it is not looked at.
        socket.frame(TEXT, HOLD)
        assert (await socket.message())["type"] == "welcome"
        assert await socket.close_code() == NOT_UNDERSTOOD
    assert 1 not in await usher.seat_states(event_id)


@pytest.mark.parametrize("text", [b"\xff\xfe", b'{"type":"ping","at":1,"\xc3\x28":1}', b'{"type":"\xed\xa0\x80"}'])
async def test_bytes_that_are_no_text_close_the_socket(usher: Usher, event_id: str, text: bytes) -> None:
    async with await RawSocket.connect(usher, event_id) as socket:
        socket.frame(TEXT, text)
        assert await socket.close_code() in (1007, NOT_UNDERSTOOD)


async def test_no_command_with_bytes_that_are_no_text_takes_effect(
    usher: Usher, event_id: str, ada: Customer
) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.frame(TEXT, b'{"type":"checkout","id":"\xff","payment_method":"card"}')
        assert await socket.close_code() in (1007, NOT_UNDERSTOOD)
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.frame(TEXT, b'{"type":"checkout","id":"x","payment_method":"\xff"}')
        code = await socket.close_code()
        assert code in (1007, NOT_UNDERSTOOD)


async def test_a_binary_frame_closes_with_4400(usher: Usher, event_id: str, ada: Customer) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.frame(BINARY, HOLD)
        assert await socket.close_code() == NOT_UNDERSTOOD
    assert 1 not in await usher.seat_states(event_id)


async def test_a_message_may_have_16_kb_and_no_more(usher: Usher, event_id: str, ada: Customer) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        padded = HOLD[:-1] + b" " * (16 * 1024 - len(HOLD)) + b"}"
        assert len(padded) == 16 * 1024
        socket.frame(TEXT, padded)
        await socket.message()
        assert (await socket.message())["type"] == "accepted"
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.frame(TEXT, b" " + padded.replace(b'"h"', b'"i"'))
        assert await socket.close_code() == 1009
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        # Neither in parts.
        socket.frame(TEXT, b" " * 10_000, is_final=False)
        socket.frame(0, b" " * 10_000)
        assert await socket.close_code() == 1009


async def test_a_message_may_come_in_parts_with_a_ping_between(usher: Usher, event_id: str, ada: Customer) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        await socket.message()
        socket.frame(TEXT, HOLD[:10], is_final=False)
        socket.frame(PING, b"still there?")
        socket.frame(0, HOLD[10:])
        assert await socket.read() == (PONG, b"still there?")
        assert (await socket.message())["type"] == "accepted"


@pytest.mark.parametrize(
    ("opcode", "payload", "how"),
    [
        (3, b"", {}),
        (0, b"", {}),
        (PING, b"x" * 126, {}),
        (PING, b"", {"is_final": False}),
        (TEXT | 0x40, HOLD, {}),
        (CLOSE, b"\x03", {}),
        (CLOSE, (1005).to_bytes(2, "big"), {}),
    ],
)
async def test_a_frame_against_the_rules_ends_the_socket(
    usher: Usher, event_id: str, ada: Customer, opcode: int, payload: bytes, how: dict[str, bool]
) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.frame(opcode, payload, **how)
        assert await socket.close_code() in (1002, 1007)
        await socket.gone()
    assert 1 not in await usher.seat_states(event_id)


async def test_who_just_leaves_is_forgotten(usher: Usher, event_id: str, ada: Customer) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.send(type="open")
        await until(lambda: event_id in usher.parts.hub.watched())
    await until(lambda: event_id not in usher.parts.hub.watched())
    await until(lambda: len(usher.parts.sockets) == 0)
    assert not usher.parts.hub.customers.sockets


async def test_a_command_whose_sender_has_left_takes_effect_once(
    usher: Usher, event_id: str, ada: Customer
) -> None:
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        await socket.message()
        socket.frame(TEXT, HOLD)
        await until(lambda: usher.parts.supervisor.loaded(event_id) is not None)
    async with usher.socket(event_id, ada) as again:
        answer = await again.ask("hold_seats", "h", seats=[0])
        assert answer["hold"]["seats"] == [0]
        assert answer["revision"] == 1


async def test_a_polite_end_is_answered(usher: Usher, event_id: str) -> None:
    async with await RawSocket.connect(usher, event_id) as socket:
        await socket.message()
        socket.frame(CLOSE, (1000).to_bytes(2, "big"))
        assert await socket.close_code() == 1000
        await socket.gone()


async def test_logging_out_closes_the_sockets_of_the_session_and_keeps_the_hold(
    usher: Usher, event_id: str
) -> None:
    ada = await usher.customer()
    phone = await usher.sign_in(ada.id)
    async with (
        usher.socket(event_id, ada) as one,
        usher.socket(event_id, ada) as two,
        usher.socket(event_id, phone) as other,
    ):
        await one.open()
        await one.ask("hold_seats", seats=[0])
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await usher.rest("POST", "/auth/logout", by=ada)).status == 200
        assert [await one.closed(), await two.closed()] == [4401, 4401]
        assert loop.time() - began < 1
        await other.settled()
        await other.open()
        assert (await other.seen("hold"))["seats"] == [0]


async def test_a_session_that_ended_elsewhere_is_found_within_a_minute(
    usher: Usher, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sockets.CHECK_S <= 60
    ada, ben = await usher.customer(), await usher.customer()
    async with (
        usher.socket(event_id, ada) as one,
        usher.socket(event_id, ben) as two,
        usher.socket(event_id) as three,
    ):
        for socket in (one, two, three):
            await socket.seen("welcome")
        ended = "UPDATE session SET ended_at = now() WHERE customer_id = $1"
        await usher.database.execute(ended, UUID(ada.id))

        async def cannot_tell(_: object) -> set[bytes]:
            raise ConnectionRefusedError("no database")

        with monkeypatch.context() as away:
            away.setattr(usher.parts.sockets, "_alive", cannot_tell)
            await usher.parts.sockets.check()
            await one.settled()
        await usher.parts.sockets.check()
        assert await one.closed() == 4401
        await two.settled()
        await three.settled()


async def test_a_fault_of_ours_ends_one_socket_and_asks_it_to_come_back(
    usher: Usher, event_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    async with usher.socket(event_id) as socket, usher.socket(event_id) as other:
        await other.open()
        with monkeypatch.context() as patched:
            patched.setattr(usher.parts.hub, "watch", broken)
            await socket.send(type="open")
            assert await socket.closed() == 1012
        await other.settled()
    assert "a fault of ours" in caplog.text


@pytest_asyncio.fixture(loop_scope="module")
async def small(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Buffers so small that little is needed to fill them, and no folding."""
    monkeypatch.setattr(outbox, "SEND_BUFFER_BYTES", 2048)
    monkeypatch.setattr(outbox, "PATCH_BUFFER_BYTES_MAX", 4096)
    monkeypatch.setattr(outbox, "DRAINED_BYTES", 256)
    monkeypatch.setattr(broadcast, "FOLD_S", 0.0)
    monkeypatch.setattr(hub, "CARE_S", 0.02)
    yield


async def fill_up(usher: Usher, event_id: str, deaf: Outbox) -> None:
    """Hold and release until the deaf one is behind, and some more."""
    async with usher.socket(event_id, await usher.customer()) as socket:
        rounds_after = 0
        while rounds_after < 20:
            assert (await socket.ask("hold_seats", seats=list(range(100, 110))))["type"] == "accepted"
            assert (await socket.ask("release_seats", seats=[]))["type"] == "accepted"
            rounds_after += deaf.behind_since is not None
        await socket.ask("hold_seats", seats=[120, 121])


async def test_who_does_not_read_gets_no_more_patches_and_hurts_nobody(
    usher: Usher, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "BEHIND_MAX_S", 3600.0)
    event_id = await usher.event(max_tickets=10)
    async with await RawSocket.connect(usher, event_id) as deaf:
        deaf.send(type="open")
        await until(lambda: event_id in usher.parts.hub.watched())
        its_outbox = the_outbox(usher, event_id)
        async with usher.socket(event_id) as watcher:
            await watcher.open()
            await fill_up(usher, event_id, its_outbox)
            await watcher.at_revision(await usher.revision_of(event_id))
            assert watcher.states == await usher.seat_states(event_id)
            buffered = its_outbox._transport.get_write_buffer_size()
            assert buffered < 4096 + 512
            assert its_outbox.behind_since is not None
            # It wakes up: one folded patch brings it up to date, however much there was.
            messages: list[Json] = []
            while not messages or messages[-1].get("revision") != watcher.revision:
                messages.append(await deaf.message())
        patches = [message for message in messages if message["type"] == "patch"]
        assert len(patches) < len(watcher.of("patch"))
        last = patches[-1]
        assert last["base"] == patches[-2]["revision"]
        assert last["held"] == [120, 121]
        assert last["available"] == list(range(100, 110))
        assert its_outbox.behind_since is None


async def test_who_wakes_up_too_late_for_the_history_gets_a_snapshot(
    usher: Usher, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "BEHIND_MAX_S", 3600.0)
    monkeypatch.setattr(broadcast, "HISTORY_SEATS_MAX", 20)
    event_id = await usher.event(max_tickets=10)
    async with await RawSocket.connect(usher, event_id) as deaf:
        deaf.send(type="open")
        await until(lambda: event_id in usher.parts.hub.watched())
        await fill_up(usher, event_id, the_outbox(usher, event_id))
        kinds = []
        while "resync" not in kinds:
            kinds.append((await deaf.message())["type"])
        snapshot = await deaf.message()
        assert snapshot["type"] == "snapshot"
        assert snapshot["revision"] == await usher.revision_of(event_id)
        assert snapshot["counts"]["held"] == 2


async def test_who_stays_behind_is_told_4408(usher: Usher, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "BEHIND_MAX_S", 0.1)
    event_id = await usher.event(max_tickets=10)
    async with await RawSocket.connect(usher, event_id) as deaf:
        deaf.send(type="open")
        await until(lambda: event_id in usher.parts.hub.watched())
        its_outbox = the_outbox(usher, event_id)
        await fill_up(usher, event_id, its_outbox)
        await until(lambda: its_outbox.is_closing)
        # Whoever reads at last finds out why.
        assert await deaf.close_code() == CloseCode.TOO_SLOW
        await until(lambda: event_id not in usher.parts.hub.watched())


async def test_who_never_reads_is_cut_off(usher: Usher, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "BEHIND_MAX_S", 0.1)
    monkeypatch.setattr(connection, "CLOSE_S", 0.1)
    event_id = await usher.event(max_tickets=10)
    async with await RawSocket.connect(usher, event_id) as deaf:
        deaf.send(type="open")
        await until(lambda: event_id in usher.parts.hub.watched())
        its_outbox = the_outbox(usher, event_id)
        await fill_up(usher, event_id, its_outbox)
        await until(lambda: len(usher.parts.sockets) == 0)
        assert its_outbox._transport.get_write_buffer_size() == 0


async def test_answers_left_unread_are_bounded_too(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_S", 0.1)
    monkeypatch.setattr(outbox, "SEND_BUFFER_BYTES", 4096)
    monkeypatch.setattr(outbox, "BUFFER_BYTES_MAX", 32 * 1024)
    event_id = await usher.event()
    closed: list[CloseCode] = []
    biggest = 0
    send_text, close = Outbox.send_text, Outbox.close

    def watched_send(self: Outbox, text: bytes) -> None:
        nonlocal biggest
        send_text(self, text)
        biggest = max(biggest, self._transport.get_write_buffer_size())

    def watched_close(self: Outbox, code: CloseCode) -> None:
        closed.append(code)
        close(self, code)

    monkeypatch.setattr(Outbox, "send_text", watched_send)
    monkeypatch.setattr(Outbox, "close", watched_close)
    async with await RawSocket.connect(usher, event_id) as deaf:
        # Snapshots and pongs without end, to somebody who takes none of them.
        while not closed:
            for _ in range(200):
                deaf.send(type="open", epoch="e" * 100, revision=1)
                deaf.send(type="ping", at=1)
            await asyncio.sleep(0)
        await until(lambda: len(usher.parts.sockets) == 0)
    assert closed[0] is CloseCode.TOO_SLOW
    assert biggest <= outbox.BUFFER_BYTES_MAX + 1024


async def test_a_node_that_goes_away_says_1012(
    database_address: PostgresAddress, redis_address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CLOSE_S", 0.2)
    async with AsyncExitStack() as clients:
        async with running(database_address, redis_address) as own:
            event_id, ada = await own.event(), await own.customer()
            one = await clients.enter_async_context(own.socket(event_id, ada))
            two = await clients.enter_async_context(own.socket(event_id))
            deaf = await clients.enter_async_context(await RawSocket.connect(own, event_id))
            await two.open()
            held = await one.ask("hold_seats", seats=[0])
            # Commands on their way must not have a reset overtake the close frame.
            for number in range(50):
                await one.send(type="release_seats", id=f"r{number}", seats=[199])
        assert [await one.closed(), await two.closed()] == [1012, 1012]
        assert await deaf.close_code() == 1012
    async with running(database_address, redis_address) as own, own.socket(event_id, ada) as socket:
        await socket.open(epoch=two.epoch, revision=held["revision"])
        assert (await socket.seen("hold"))["seats"] == [0]
        answered = [frame["id"] for frame in one.of("accepted")]
        for command_id in answered[1:]:
            again = await socket.ask("release_seats", command_id, seats=[199])
            assert again == next(frame for frame in one.frames if frame.get("id") == command_id)


async def test_numbers_are_integers(usher: Usher, event_id: str, ada: Customer) -> None:
    fractions: list[str] = []
    async with await RawSocket.connect(usher, event_id, ada) as socket:
        socket.send(type="open")
        socket.frame(TEXT, HOLD)
        text = b""
        while b'"accepted"' not in text:
            _, text = await socket.read()
            json.loads(text, parse_float=fractions.append)
    assert fractions == []
