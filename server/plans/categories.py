"""The categories of a plan with their prices: those given, those of the file, those known from before."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET

from protocol.limits import NAME_CHARS_MAX
from protocol.seat_map import Category
from server.plans.oddities import Oddity, PlanError, named_counts
from server.plans.plan import NO_CATEGORY, Plan, PlanCategory, category_counts, clean

TIERS = ("vip", "premium", "standard", "economy")
CATEGORIES_MAX = 255
"""The page keeps a seat's category in a byte."""


class Priced(NamedTuple):
    """The categories in use, in the order of the file, their numbers by name, those blocked, and what was odd."""

    categories: tuple[Category, ...]
    number_of: dict[str, int]
    blocked: frozenset[str]
    oddities: tuple[Oddity, ...]


def price_categories(
    plan: Plan,
    prices: Mapping[str, int],
    known_prices: Mapping[str, int],
    default_price_cents: int | None,
    blocked_categories: Iterable[str],
) -> Priced:
    """A price for each category that a seat has: the given one, that of the file, the known one, the default.

    Upper and lower case are the same in the names given.

    Raises:
        PlanError: a category in use has no price and is not blocked, a name given is not in the plan, or there are
            too many.
    """
    used = category_counts(plan)
    declared = plan.categories
    names = [name for name in declared if name in used] + [name for name in used if name not in declared]
    if len(names) > CATEGORIES_MAX:
        raise PlanError(f"the plan has {len(names)} categories; {CATEGORIES_MAX} is the most")
    blocked_folded = {name.casefold() for name in blocked_categories}
    given = {name.casefold(): price for name, price in prices.items()}
    known = {name.casefold(): price for name, price in known_prices.items()}
    _check_given([*prices, *blocked_categories], [*declared, *names])
    blocked = frozenset(name for name in names if name.casefold() in blocked_folded)
    categories: list[Category] = []
    missing = []
    for name in names:
        of_file = declared.get(name, PlanCategory())
        found = (
            *(given.get(name.casefold()), of_file.price_cents, known.get(name.casefold())),
            *(0 if name in blocked else None, default_price_cents),
        )
        price = next((one for one in found if one is not None), None)
        if price is None:
            missing.append(name)
            continue
        label = clean(name, "categories", NAME_CHARS_MAX) or NO_CATEGORY
        tier = label.casefold() if label.casefold() in TIERS else label
        categories.append(Category(label, of_file.price_tier or tier, price, of_file.color or UNSET))
    if missing:
        raise PlanError("no price for " + ", ".join(f"“{name}” ({used[name]} seats)" for name in missing))
    numbers = {name: number for number, name in enumerate(names)}
    return Priced(tuple(categories), numbers, blocked, tuple(_oddities(declared, used)))


def _check_given(given: Iterable[str], there: Sequence[str]) -> None:
    folded = {name.casefold() for name in there}
    for name in given:
        if name.casefold() not in folded:
            has = ", ".join(f"“{one}”" for one in there)
            raise PlanError(f"the plan has no category “{name}”; it has {has}")


def _oddities(declared: Mapping[str, PlanCategory], used: Counter[str]) -> Iterable[Oddity]:
    unused = [name for name in declared if name not in used]
    if unused:
        text = "categories that no seat has: " + ", ".join(f"“{name}”" for name in unused)
        yield Oddity("unused_category", len(unused), text)
    undeclared = {f"“{name}”": count for name, count in used.items() if name not in declared}
    if undeclared:
        count = sum(undeclared.values())
        text = f"seats of categories that the plan does not declare: {named_counts(undeclared)}"
        yield Oddity("undeclared_category", count, text)
