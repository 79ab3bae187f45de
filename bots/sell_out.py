"""Buyers who go on until nothing is left: every seat of an event sold through the socket."""

import asyncio
import random
from collections import Counter

from msgspec import Struct, UnsetType

from bots.client import BotError, EventSocket, Rest
from protocol.codes import Code
from protocol.inbound import Checkout, HoldSeats, ReleaseSeats
from protocol.outbound import OrderStatus, Rejected
from protocol.seat_state import SeatState

LOT_MAX = 4
QUIET_S = 0.2
"""How long a buyer waits for a change of the map before looking again."""


class Tally(Struct):
    """What all buyers did together. `sold` is who was told to have bought each seat, in order of being told."""

    sold: dict[int, list[str]]
    refusals: Counter[str]
    commands: int = 0
    orders: int = 0


async def buy_all(
    rest: Rest, event_id: str, session_id: str, name: str, limit: int, tally: Tally, dice: random.Random
) -> None:
    """One buyer: hold a few seats, pay, again, up to `limit` tickets or until no seat is left."""
    async with EventSocket(rest, event_id, session_id) as socket:
        await socket.open()
        while limit > 0:
            available = socket.map.seats(SeatState.AVAILABLE)
            if not available:
                if not socket.map.seats(SeatState.HELD):
                    return
                await _a_change(socket)
                continue
            wanted = tuple(dice.sample(available, min(len(available), limit, dice.randint(1, LOT_MAX))))
            bought = await _buy(socket, wanted, tally)
            for seat in bought:
                tally.sold.setdefault(seat, []).append(name)
            limit -= len(bought)


async def _buy(socket: EventSocket, seats: tuple[int, ...], tally: Tally) -> tuple[int, ...]:
    """The seats bought: all that are now held, or none."""
    held = await socket.ask(HoldSeats(socket.new_id(), seats))
    tally.commands += 1
    if isinstance(held, Rejected):
        tally.refusals[held.code] += 1
        if held.code is Code.LIMIT_REACHED:
            raise BotError(f"limit_reached within the limit: {held}")
        await _a_change(socket)
        return ()
    paid = await socket.ask(Checkout(socket.new_id(), "test"))
    tally.commands += 1
    if isinstance(paid, Rejected):
        tally.refusals[paid.code] += 1
        await socket.ask(ReleaseSeats(socket.new_id(), ()))
        return ()
    if isinstance(paid.order, UnsetType) or paid.order.status is not OrderStatus.COMPLETED:
        raise BotError(f"a checkout was not completed: {paid}")
    tally.orders += 1
    return paid.order.seats


async def _a_change(socket: EventSocket) -> None:
    socket.changed.clear()
    try:
        async with asyncio.timeout(QUIET_S):
            await socket.changed.wait()
    except TimeoutError:
        return
