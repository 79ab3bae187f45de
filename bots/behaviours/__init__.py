"""What bots do, by name, and mixes of them."""

from collections.abc import Awaitable, Callable, Mapping

from bots.behaviours import buyers, holders, nasty, queuers, racers, visitors
from bots.bot import Bot

Behaviour = Callable[[Bot], Awaitable[None]]

BEHAVIOURS: Mapping[str, Behaviour] = {
    "browsers": visitors.browse,
    "buyers": buyers.buy,
    "hoarders": visitors.hoard,
    "quitters": visitors.quit_often,
    "reconnectors": visitors.lose_connection,
    "nasty": nasty.be_nasty,
    "queuers": queuers.queue_up,
    "waverers": queuers.give_up,
    "vanishers": queuers.vanish,
    "callers": queuers.ask_by_rest,
    "pushers": queuers.push_in,
    "holders": holders.hold_and_release,
    "paced": holders.keep_a_pace,
    "hot-seats": racers.race,
    "shop": buyers.shop_around,
    "sell-out": buyers.sell_out,
}

ENDLESS = frozenset(BEHAVIOURS) - {"hot-seats", "sell-out"}
"""Those that go on until they are told to stop; the others end by themselves."""

QUEUING = frozenset({"queuers", "waverers", "vanishers", "callers", "pushers"})
"""Those who know what a waiting room is."""

MIXES: Mapping[str, Mapping[str, int]] = {
    "on-sale": {"buyers": 50, "browsers": 25, "hoarders": 8, "reconnectors": 8, "quitters": 6, "nasty": 3},
    "hostile": {"buyers": 40, "reconnectors": 20, "quitters": 20, "nasty": 20},
    "waiting-room": {"queuers": 50, "browsers": 10, "callers": 10, "waverers": 10, "vanishers": 10, "pushers": 10},
    "quiet": {"browsers": 80, "buyers": 15, "hoarders": 5},
}
"""Shares of behaviours, in percent."""


def assigned(shares: Mapping[str, int], bots: int) -> list[str]:
    """Who of so many bots does what: in turns, so that any few in a row are mixed as all of them are."""
    done = dict.fromkeys(shares, 0)
    names = []
    for number in range(1, bots + 1):
        name = max(shares, key=lambda one: shares[one] * number - done[one] * sum(shares.values()))
        done[name] += 1
        names.append(name)
    return names
