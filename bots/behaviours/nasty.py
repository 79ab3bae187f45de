"""Those who are up to no good: garbage, floods, never reading. The server has to end each in the way it says.

Nothing that they send may take effect.
"""

import asyncio
from collections.abc import Awaitable, Callable

from bots.bot import Bot
from bots.raw_socket import BINARY, CLOSE, PING, TEXT, RawSocket, frame, head
from bots.rest import ServerAway
from protocol.codes import CloseCode
from protocol.limits import MESSAGE_BYTES_MAX

PAUSE_S = 1.0
END_S = 30.0
"""How long the server may take to end what is to be ended, however busy it is."""
OPEN = frame(TEXT, b'{"type":"open"}')
HOLD = b'{"type":"hold_seats","id":"nasty","seats":[0]}'
FLOOD_COMMANDS = 2_000
UNREAD_BYTES, OPENS_MAX = 3_000_000, 2_000
PROBE_S = 0.5

_AWAY = {CloseCode.GOING_AWAY, CloseCode.RESTARTING, None}
"""How any connection may end: the server stops, or is gone."""
_BROKEN = {CloseCode.BROKEN_FRAME}
_NO_TEXT = {CloseCode.BAD_TEXT, CloseCode.NOT_UNDERSTOOD}
_STRANGE = {CloseCode.NOT_UNDERSTOOD}
GARBAGE: dict[str, tuple[bytes, set[CloseCode]]] = {
    "not JSON": (frame(TEXT, b"hello"), _STRANGE),
    "an unknown type": (frame(TEXT, b'{"type":"sell_everything"}'), _STRANGE),
    "a command without an id": (frame(TEXT, b'{"type":"hold_seats","seats":[0]}'), _STRANGE),
    "a binary frame": (frame(BINARY, HOLD), _STRANGE),
    "no UTF-8": (frame(TEXT, b"\xff\xfe"), _NO_TEXT),
    "too big a message": (frame(TEXT, HOLD + b" " * MESSAGE_BYTES_MAX), {CloseCode.TOO_BIG}),
    "an unknown kind of frame": (frame(3, HOLD), _BROKEN),
    "a reserved bit": (frame(TEXT | 0x40, HOLD), _BROKEN),
    "a long control frame": (frame(PING, b"x" * 126), _BROKEN),
    "a control frame in parts": (frame(PING, b"", is_final=False), _BROKEN),
    "half a close code": (frame(CLOSE, b"\x03"), _BROKEN),
}
"""What is sent, and how the server may close because of it."""

Deed = Callable[[Bot], Awaitable[str]]


async def be_nasty(bot: Bot) -> None:
    """One deed after the other."""
    await bot.sale.begin(bot.customer.name)
    while bot.is_on:
        await bot.unless_over(_do(bot, bot.dice.choice(DEEDS)))
        await bot.thinks(PAUSE_S)


async def _do(bot: Bot, deed: Deed) -> None:
    try:
        async with asyncio.timeout(END_S):
            bot.sale.tally.ended(await deed(bot))
    except ServerAway:
        bot.sale.tally.ended("not served")
    except TimeoutError:
        bot.sale.tally.broke(f"{deed.__name__.strip('_')}: the server had not ended it after {END_S:.0f} s")


async def _garbage(bot: Bot) -> str:
    name, (garbage, codes) = bot.dice.choice(list(GARBAGE.items()))
    async with RawSocket(bot.sale.rest.url) as raw:
        await raw.shake_hands(bot.sale.terms.event_id)
        raw.send(OPEN + garbage)
        code = await raw.read_to_end()
    if code not in codes | _AWAY:
        allowed = ", ".join(str(int(one)) for one in sorted(codes))
        bot.sale.tally.broke(f"{name} was closed with {code}, not with {allowed}")
    return f"{name}: closed with {code}"


async def _rubbish(bot: Bot) -> str:
    async with RawSocket(bot.sale.rest.url) as raw:
        await raw.shake_hands(bot.sale.terms.event_id)
        raw.send(bot.dice.randbytes(bot.dice.choice((1, 100, 3_000))))
        raw.send_no_more()
        await raw.read_to_end()
    return "random bytes: ended"


async def _half_a_handshake(bot: Bot) -> str:
    async with RawSocket(bot.sale.rest.url) as raw:
        whole = head(bot.sale.rest.url, f"/ws/events/{bot.sale.terms.event_id}")
        raw.send(whole[: len(whole) // 2])
        await raw.read_to_end()
    return "half a handshake: ended"


async def _flood(bot: Bot) -> str:
    """Thousands of commands in one go, for a seat that is not there: each is refused, or the socket is closed."""
    heard: list[bytes] = []

    def hear(text: bytes) -> bool:
        kind = text[9:17]
        if kind in (b"accepted", b'pong","a'):
            heard.append(kind)
        return bool(heard)

    rest, seat = bot.sale.rest, bot.sale.terms.seat_count
    commands = (b'{"type":"hold_seats","id":"flood-%d","seats":[%d]}' % (k, seat) for k in range(FLOOD_COMMANDS))
    async with RawSocket(rest.url) as raw:
        await raw.shake_hands(bot.sale.terms.event_id, await rest.ws_ticket(bot.customer.session_id))
        raw.send(b"".join(frame(TEXT, command) for command in commands) + frame(TEXT, b'{"type":"ping","at":1}'))
        code = await raw.read_to_end(hear)
    if heard and heard[0] == b"accepted":
        bot.sale.tally.broke("a hold of a seat that is not there was accepted")
    if heard:
        return "flood: all refused"
    if code not in {CloseCode.TOO_MUCH, CloseCode.TOO_SLOW} | _AWAY:
        bot.sale.tally.broke(f"a flood was closed with {code}")
    return f"flood: closed with {code}"


async def _never_reads(bot: Bot) -> str:
    """Ask for the whole map again and again and read none of it, until one is cut off."""
    opens = UNREAD_BYTES * 3 // bot.sale.terms.seat_count
    if opens > OPENS_MAX:
        return "never reading: too small an event to matter"
    async with RawSocket(bot.sale.rest.url) as raw:
        await raw.shake_hands(bot.sale.terms.event_id)
        raw.send(OPEN * opens)
        while not raw.is_cut:
            await asyncio.sleep(PROBE_S)
            raw.send(frame(PING, b""))
    return "never reading: cut off"


DEEDS: tuple[Deed, ...] = (_garbage, _garbage, _garbage, _rubbish, _half_a_handshake, _flood, _never_reads)
