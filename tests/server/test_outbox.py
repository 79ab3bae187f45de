"""The way out to one connection: what fits, what is left out, when it is cut off; and the frames themselves."""

import json
import socket as sockets

import pytest

from protocol.codes import CloseCode
from protocol.outbound import Pong
from server.sockets import outbox
from server.sockets.frames import close_frame, text_frame
from server.sockets.outbox import Outbox
from tests.server.transports import Transport


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def closed() -> list[CloseCode]:
    return []


@pytest.fixture
def way_out(transport: Transport, closed: list[CloseCode]) -> Outbox:
    return Outbox(transport, "ada", b"hash", closed.append)


def test_a_message_is_framed_and_written_at_once(way_out: Outbox, transport: Transport) -> None:
    way_out.send(Pong(1, 2))
    size = transport.unsent[1]
    assert transport.unsent[0] == 0x81
    assert json.loads(transport.unsent[2:]) == {"type": "pong", "at": 1, "server_time_ms": 2}
    assert size == len(transport.unsent) - 2


def test_a_shared_frame_is_left_out_when_too_much_is_unread(
    way_out: Outbox, transport: Transport, closed: list[CloseCode]
) -> None:
    frame = text_frame(b"x" * 1000)
    pushed = 0
    while way_out.push(frame):
        pushed += 1
    assert outbox.PATCH_BUFFER_BYTES_MAX < len(transport.unsent) <= outbox.PATCH_BUFFER_BYTES_MAX + len(frame)
    assert len(transport.unsent) == pushed * len(frame)
    assert not way_out.push(frame)
    assert way_out.is_drained is False
    transport.unsent = transport.unsent[: outbox.DRAINED_BYTES]
    assert [way_out.is_drained] == [True]
    assert way_out.push(frame)
    assert closed == []


def test_answers_go_out_longer_than_patches_and_then_cut_the_connection(
    way_out: Outbox, transport: Transport, closed: list[CloseCode]
) -> None:
    text = b"x" * 1000
    while not closed:
        way_out.send_text(text)
    assert closed == [CloseCode.TOO_SLOW]
    assert outbox.BUFFER_BYTES_MAX < len(transport.unsent) <= outbox.BUFFER_BYTES_MAX + 1004
    unsent = transport.unsent
    way_out.send_text(text)
    assert way_out.push(text_frame(text)), "left out, but that is no falling behind any more"
    assert transport.unsent == unsent
    assert closed == [CloseCode.TOO_SLOW], "once"


def test_nothing_is_written_after_a_close_began(
    way_out: Outbox, transport: Transport, closed: list[CloseCode]
) -> None:
    way_out.close(CloseCode.RESTARTING)
    way_out.close(CloseCode.SESSION_ENDED)
    way_out.send(Pong(1, 2))
    assert way_out.push(text_frame(b"x"))
    assert closed == [CloseCode.RESTARTING]
    assert transport.unsent == b""


def test_nothing_is_written_to_a_connection_that_is_gone(way_out: Outbox, transport: Transport) -> None:
    transport.is_closed = True
    way_out.send(Pong(1, 2))
    assert way_out.push(text_frame(b"x"))
    assert transport.unsent == b""


def test_the_buffers_are_small(closed: list[CloseCode]) -> None:
    with sockets.socket() as sock:
        transport = Transport(sock)
        Outbox(transport, None, None, closed.append)
        size = sock.getsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF)
        assert size <= 2 * outbox.SEND_BUFFER_BYTES
        assert transport.high == outbox.BUFFER_BYTES_MAX
    # The promise: who never reads costs at most 512 KB, the kernel's part included.
    assert outbox.BUFFER_BYTES_MAX + 2 * outbox.SEND_BUFFER_BYTES + 100 * 1024 <= 512 * 1024


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_frames_of_every_size(size: int) -> None:
    text = b"x" * size
    frame = text_frame(text)
    assert frame[0] == 0x81
    if size < 126:
        head = bytes([size])
    elif size < 65_536:
        head = bytes([126]) + size.to_bytes(2, "big")
    else:
        head = bytes([127]) + size.to_bytes(8, "big")
    assert frame[1:] == head + text


def test_a_close_frame_has_its_code() -> None:
    assert close_frame(CloseCode.TOO_SLOW) == b"\x88\x02" + (4408).to_bytes(2, "big")
