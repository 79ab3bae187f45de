"""That the draw is fair: everybody has the same chance, whenever they join; and why a beacon matters."""

import hashlib
from collections.abc import Iterable
from statistics import mean
from uuid import UUID

from actors.core import draw

EVENT_ID = UUID(int=7)
PEOPLE, DRAWS = 20, 4_000
CHI_SQUARE_MAX = 43.82
"""With 19 degrees of freedom more than this comes once in a thousand times. The sample is fixed: nothing flakes."""


def some(what: str, number: int) -> bytes:
    return hashlib.sha256(f"{what} {number}".encode()).digest()


def drawn_places(number: int) -> list[int]:
    """The places of people in the order in which they joined, in one draw of many."""
    entries = [draw.entry_id(EVENT_ID, some(f"draw {number}", person)) for person in range(PEOPLE)]
    first = draw.genesis(EVENT_ID, draw.commitment(EVENT_ID, some("operator", number)))
    seed = draw.seed(some("operator", number), list(draw.heads(first, entries))[-1])
    place_of = {entry: place for place, entry in enumerate(draw.drawn_order(seed, entries))}
    return [place_of[entry] for entry in entries]


def chi_square(places: Iterable[int]) -> float:
    """How far these places are from coming up equally often."""
    counts = [0] * PEOPLE
    for place in places:
        counts[place] += 1
    expected = sum(counts) / PEOPLE
    return sum((count - expected) ** 2 / expected for count in counts)


def test_every_joiner_has_every_place_equally_often() -> None:
    drawn = [drawn_places(number) for number in range(DRAWS)]
    for person in (0, 1, PEOPLE // 2, PEOPLE - 1):
        assert chi_square(places[person] for places in drawn) < CHI_SQUARE_MAX
    averages = [mean(places[person] for places in drawn) for person in range(PEOPLE)]
    middle = (PEOPLE - 1) / 2
    assert all(abs(average - middle) < 0.4 for average in averages), "four standard errors, for first and last"


def test_the_figure_shows_a_draw_that_favours_the_early() -> None:
    """The control: who joins first is drawn first once in ten times; the same figure must find it."""
    drawn = [list(range(PEOPLE)) if number % 10 == 0 else drawn_places(number) for number in range(DRAWS)]
    assert chi_square(places[0] for places in drawn) > CHI_SQUARE_MAX


def ground_nonce(operator_seed: bytes, joined: list[bytes], tries: int) -> bytes:
    """The nonce of a last entry that has the best place there is for it, for one who knows the operator's seed."""
    first = draw.genesis(EVENT_ID, draw.commitment(EVENT_ID, operator_seed))
    head = list(draw.heads(first, joined))[-1]

    def place(nonce: bytes) -> int:
        own = draw.entry_id(EVENT_ID, nonce)
        return draw.drawn_order(draw.seed(operator_seed, draw.next_head(head, own)), [*joined, own]).index(own)

    return min((some("grind", number) for number in range(tries)), key=place)


def test_a_known_seed_is_ground_and_a_beacon_undoes_it() -> None:
    """Who knows the seed before the lobby closes picks a nonce that wins; a value that nobody knew undoes it."""
    operator_seed, joined = some("operator", 0), [draw.entry_id(EVENT_ID, some("entrant", n)) for n in range(100)]
    own = draw.entry_id(EVENT_ID, ground_nonce(operator_seed, joined, tries=300))
    first = draw.genesis(EVENT_ID, draw.commitment(EVENT_ID, operator_seed))
    final = list(draw.heads(first, [*joined, own]))[-1]

    def place(beacon: bytes | None) -> int:
        return draw.drawn_order(draw.seed(operator_seed, final, beacon), [*joined, own]).index(own)

    assert place(None) == 0, "without a beacon the operator's friend is first, and every check passes"
    with_beacon = [place(some("round", number)) for number in range(400)]
    assert 45 < mean(with_beacon) < 55, "a beacon gives the friend the place of anybody"
