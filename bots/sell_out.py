"""Buyers who go on until nothing is left: every seat of an event sold through the socket."""

from bots.rest import BotError
from bots.steady_socket import SteadySocket
from protocol.codes import Code
from protocol.inbound import Checkout, HoldSeats
from protocol.outbound import Rejected
from protocol.seat_state import SeatState

LOT_MAX = 4
QUIET_S = 0.2
"""How long a buyer waits for a change of the map before looking again."""


async def buy_all(socket: SteadySocket, limit: int) -> None:
    """One buyer: hold a few seats, pay, again, up to `limit` tickets or until no seat is left."""
    dice = socket.dice
    while limit > 0:
        available = socket.map.seats(SeatState.AVAILABLE)
        if not available:
            if not socket.map.seats(SeatState.HELD):
                return
            await socket.a_change(QUIET_S)
            continue
        wanted = dice.sample(available, min(len(available), limit, dice.randint(1, LOT_MAX)))
        limit -= await _buy(socket, tuple(wanted))


async def _buy(socket: SteadySocket, seats: tuple[int, ...]) -> int:
    """How many seats were bought: all that are held now, or none."""
    held = await socket.ask(HoldSeats(socket.new_id(), seats))
    if isinstance(held, Rejected):
        if held.code is Code.LIMIT_REACHED:
            raise BotError(f"limit_reached within the limit: {held}")
        await socket.a_change(QUIET_S)
        return 0
    paid = await socket.ask(Checkout(socket.new_id(), "test"))
    if isinstance(paid, Rejected):
        raise BotError(f"what was held could not be bought: {paid}")
    assert paid.order
    return len(paid.order.seats)
