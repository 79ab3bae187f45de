"""Shoppers who hold, change their minds, pay and cancel, on few seats, until they are told to stop."""

import asyncio

from bots.account import Account
from bots.steady_socket import SteadySocket
from protocol.inbound import Checkout, Command, ExtendHold, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted

SEATS_MAX = 3


async def shop(socket: SteadySocket, seats: range, limit: int, stop: asyncio.Event) -> None:
    """Shop among `seats` until `stop`. Every command is answered in the end; what is held stays held."""
    account = Account()
    while not stop.is_set():
        chance = socket.dice.random()
        if account.orders and (chance < 0.3 or len(account.bought) + SEATS_MAX > limit):
            order_id = next(iter(account.orders))
            await socket.cancel_order(order_id)
            account.cancel(order_id)
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
