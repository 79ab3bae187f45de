"""The categories of a pretix plan, which has no prices, with the prices that were given for them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET

from protocol.limits import NAME_CHARS_MAX
from protocol.seat_map import Category
from server.plans import pretix_format as pretix
from server.plans.oddities import Oddity, PlanError, named_counts
from server.plans.pretix_areas import color_of
from server.plans.pretix_rows import PlacedRow, clean

TIERS = ("vip", "premium", "standard", "economy")
NO_CATEGORY = "(none)"


class Priced(NamedTuple):
    """The categories in use, in the order of the file, those that are blocked, and what was odd."""

    categories: tuple[Category, ...]
    blocked: frozenset[str]
    oddities: tuple[Oddity, ...]


def category_name(seat: pretix.Seat) -> str:
    """The name of a seat's category as the file has it."""
    return seat.category or NO_CATEGORY


def price_categories(
    plan: pretix.Plan,
    rows: Sequence[PlacedRow],
    prices: Mapping[str, int],
    default_price_cents: int | None,
    blocked_categories: Iterable[str],
) -> Priced:
    """A price for each category that a seat has. Upper and lower case are the same in the names given.

    Raises:
        PlanError: a category in use has no price and is not blocked, or a name given is not in the plan.
    """
    used = Counter(category_name(seat) for placed in rows for seat in placed.row.seats)
    declared = {category.name: color_of(category.color) for category in plan.categories}
    names = [name for name in declared if name in used] + [name for name in used if name not in declared]
    blocked_folded = {name.casefold() for name in blocked_categories}
    cents = {name.casefold(): price for name, price in prices.items()}
    _check_given([*prices, *blocked_categories], [*declared, *names])
    blocked = frozenset(name for name in names if name.casefold() in blocked_folded)
    categories = []
    missing = []
    for name in names:
        price = cents.get(name.casefold(), 0 if name in blocked else default_price_cents)
        if price is None:
            missing.append(name)
            continue
        label = clean(name, "categories", NAME_CHARS_MAX)
        tier = label.casefold() if label.casefold() in TIERS else label
        categories.append(Category(label, tier, price, declared.get(name) or UNSET))
    if missing:
        raise PlanError("no price for " + ", ".join(f"“{name}” ({used[name]} seats)" for name in missing))
    return Priced(tuple(categories), blocked, tuple(_oddities(declared, used)))


def _check_given(given: Iterable[str], there: Sequence[str]) -> None:
    folded = {name.casefold() for name in there}
    for name in given:
        if name.casefold() not in folded:
            has = ", ".join(f"“{one}”" for one in there)
            raise PlanError(f"the plan has no category “{name}”; it has {has}")


def _oddities(declared: Mapping[str, str], used: Counter[str]) -> Iterable[Oddity]:
    unused = [name for name in declared if name not in used]
    if unused:
        text = "categories that no seat has: " + ", ".join(f"“{name}”" for name in unused)
        yield Oddity("unused_category", len(unused), text)
    undeclared = {f"“{name}”": count for name, count in used.items() if name not in declared}
    if undeclared:
        count = sum(undeclared.values())
        text = f"seats of categories that the plan does not declare: {named_counts(undeclared)}"
        yield Oddity("undeclared_category", count, text)
