"""Shoppers who hold, change their minds, pay and cancel, on few seats, until they are told to stop."""

import asyncio

from bots.account import Account
from bots.rest import PATIENCE_S, BotError, ServerAway
from bots.steady_socket import SteadySocket
from protocol.inbound import Checkout, Command, ExtendHold, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted

SEATS_MAX = 3
CANCEL_AGAIN_S = 0.1


async def shop(socket: SteadySocket, seats: range, limit: int, stop: asyncio.Event) -> None:
    """Shop among `seats` until `stop`. Every command is answered in the end; what is held stays held."""
    account = Account()
    while not stop.is_set():
        chance = socket.dice.random()
        if account.orders and (chance < 0.3 or len(account.bought) + SEATS_MAX > limit):
            await _cancel(socket, account)
            continue
        answer = await socket.ask(_wish(socket, seats, account))
        if isinstance(answer, Accepted):
            account.take(answer)


def _wish(socket: SteadySocket, seats: range, account: Account) -> Command:
    chance, command_id = socket.dice.random(), socket.new_id()
    if not account.held or chance < 0.3:
        return HoldSeats(command_id, tuple(socket.dice.sample(seats, socket.dice.randint(1, SEATS_MAX))))
    if chance < 0.4:
        return ExtendHold(command_id)
    if chance < 0.65:
        return ReleaseSeats(command_id, account.held[: socket.dice.randint(0, len(account.held))])
    return Checkout(command_id, "decline" if socket.dice.random() < 0.1 else "test")


async def _cancel(socket: SteadySocket, account: Account) -> None:
    """Cancel the oldest order. After an answer that was lost, it may be cancelled already."""
    order_id = next(iter(account.orders))
    loop = asyncio.get_running_loop()
    give_up = loop.time() + PATIENCE_S
    while True:
        try:
            status, envelope = await socket.rest.call(
                "POST", f"/checkout/orders/{order_id}/cancel", session_id=socket.session_id
            )
        except ServerAway:
            if loop.time() > give_up:
                raise BotError(f"order {order_id} could not be cancelled for {PATIENCE_S} s") from None
            socket.move_on()
            await asyncio.sleep(CANCEL_AGAIN_S)
            continue
        if status != 200 and envelope.get("code") != "order_not_completed":
            raise BotError(f"cancel of order {order_id}: {status} {envelope}")
        break
    account.cancel(order_id)
    socket.log.cancel(socket.customer, order_id)
