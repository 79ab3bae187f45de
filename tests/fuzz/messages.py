"""Messages that are nearly commands, each answered as the protocol says."""

import random

from protocol.codes import CloseCode
from protocol.inbound import BadCommand, NotUnderstood, Open, Ping, read_command
from protocol.limits import MESSAGE_BYTES_MAX
from protocol.outbound import Accepted, Outbound, Patch, Pong, Rejected, Snapshot
from tests.fuzz.mutations import frame
from tests.fuzz.target import OPEN, Target
from tests.fuzz.wire import Closed, Finding, Wire
from tests.server.raw_socket import TEXT


async def messages(target: Target, rng: random.Random) -> None:
    """Mutated samples on one socket, each answered as `read_command` says, until the server closes it."""
    session_id = target.session(rng)
    async with await Wire.join(target.url, target.event_id, session_id) as wire:
        if rng.random() < 0.3:
            wire.frame(TEXT, OPEN)
        for _ in range(rng.randint(1, 8)):
            text = frame(rng)
            target.note(f"{text!r}, {'signed in' if session_id else 'a stranger'}")
            wire.frame(TEXT, text)
            if not await _is_answered(wire, text):
                return
        await wire.settled()


async def _is_answered(wire: Wire, text: bytes) -> bool:
    """Wait for the answer; False: the connection is closed, as it must be then."""
    codes = _close_codes(text)
    try:
        while not _answers(text, await wire.hear()) or codes:
            pass
    except Closed as closed:
        if closed.code not in codes:
            raise Finding(f"{closed}, expected {codes or 'an answer'}") from None
        return False
    return True


def _close_codes(text: bytes) -> set[int | None]:
    """What the socket may be closed with because of this text; empty: it must not be."""
    if len(text) > MESSAGE_BYTES_MAX:
        return {CloseCode.TOO_BIG}
    try:
        read_command(text)
    except NotUnderstood:
        return {CloseCode.NOT_UNDERSTOOD, CloseCode.BAD_TEXT}
    return set()


def _answers(text: bytes, message: Outbound) -> bool:
    if len(text) > MESSAGE_BYTES_MAX:
        return False
    try:
        command = read_command(text)
    except NotUnderstood:
        return False
    if isinstance(command, Open):
        return isinstance(message, Patch | Snapshot)
    if isinstance(command, Ping):
        return isinstance(message, Pong) and message.at == command.at
    if not isinstance(message, Accepted | Rejected) or message.id != command.id:
        return False
    if isinstance(command, BadCommand) and not isinstance(message, Rejected):
        raise Finding(f"a command that is not right was accepted: {message}")
    return True
