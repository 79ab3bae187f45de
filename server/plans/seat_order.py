"""The order of a row's seats in formats that give none: as people walk along them."""

import math
from collections.abc import Iterable
from itertools import pairwise

from server.plans.plan import PlanSeat

_DETOUR = 1.2
"""The way along the numbers may be longer than the shortest found by so much."""
_SEATS_MAX = 1_000
"""The search takes the square of their number; in a longer row the numbers stand."""


def in_order(seats: Iterable[PlanSeat]) -> list[PlanSeat]:
    """By number, if all are whole numbers, else as they come; by their places where that goes to and fro.

    Odd numbers on the left and even ones on the right, or numbers sorted as text, look like aisles everywhere.
    """
    by_number = list(seats)
    numbers = [seat.number for seat in by_number]
    if all(number.isascii() and number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers):
        by_number.sort(key=lambda seat: int(seat.number))
    if not 2 < len(by_number) <= _SEATS_MAX:
        return by_number
    along = _way_from_end(by_number)
    return along if _length(by_number) > _DETOUR * _length(along) else by_number


def _way_from_end(seats: list[PlanSeat]) -> list[PlanSeat]:
    """From a seat at an end always to the nearest one left; the end that comes first in the order given leads."""
    x, y = sum(seat.x for seat in seats) / len(seats), sum(seat.y for seat in seats) / len(seats)
    left = list(range(len(seats)))
    at = max(left, key=lambda k: math.hypot(seats[k].x - x, seats[k].y - y))
    way = []
    while True:
        left.remove(at)
        way.append(at)
        if not left:
            break
        here = seats[at]
        at = min(left, key=lambda k: math.hypot(seats[k].x - here.x, seats[k].y - here.y))
    if way[0] > way[-1]:
        way.reverse()
    return [seats[k] for k in way]


def _length(seats: list[PlanSeat]) -> float:
    return sum(math.hypot(two.x - one.x, two.y - one.y) for one, two in pairwise(seats))
