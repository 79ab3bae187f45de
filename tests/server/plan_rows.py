"""Small pretix plans for tests, row by row."""

import json
from collections.abc import Sequence
from typing import Any

from server.plans.importing import Imported, import_file

Json = dict[str, Any]


def seat(x: float, number: str, category: str = "A", **more: Any) -> Json:
    """A seat on its row's line."""
    return {
        "seat_guid": f"g{number}-{x}",
        "seat_number": number,
        "position": {"x": x, "y": 0},
        "category": category,
    } | more


def row(xs: Sequence[float], number: str = "1", y: float = 0, **more: Any) -> Json:
    """A straight row with seats at these places."""
    seats = [seat(x, str(k), seat_guid=f"{number}-{y}-{k}") for k, x in enumerate(xs, 1)]
    return {"row_number": number, "position": {"x": 0, "y": y}, "seats": seats} | more


def plan(*rows: Json, categories: Sequence[str] = ("A",), **zone: Any) -> Json:
    """A plan of one zone."""
    return {
        "name": "Hall",
        "categories": [{"name": name, "color": "#112233"} for name in categories],
        "size": {"width": 1000, "height": 1000},
        "zones": [{"name": "Stalls", "position": {"x": 0, "y": 0}, "rows": list(rows)} | zone],
    }


def read(tree: Any, prices: dict[str, int] | None = None, **options: Any) -> Imported:
    """What becomes of it; a seat of category A costs 10."""
    return import_file(json.dumps(tree).encode(), {"A": 10_00} if prices is None else prices, **options)


def found(imported: Imported) -> dict[str, int]:
    """Its oddities by their codes."""
    return {oddity.code: oddity.count for oddity in imported.oddities}
