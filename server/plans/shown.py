"""An import as `import-plan` shows it."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from protocol.seat_map import places
from server.plans.changes import Changes
from server.plans.importing import Imported
from server.plans.oddities import Oddity

_EXAMPLES = 5


def show(imported: Imported, currency: str, changes: Changes | None, console: Console) -> None:
    """What was read, what is odd about it, what it changes."""
    seat_map = imported.seat_map
    seats = list(places(seat_map))
    blocked = sum(place.blocked for place in seats)
    by_section = Counter(place.section for place in seats)
    console.print(
        f"[bold]{escape(seat_map.name)}[/bold]: {len(seats):,} seats, sections: {len(by_section)}"
        + (f", blocked: {blocked:,}" if blocked else "")
        + f"; everybody looks at {escape(imported.focal_from)} ({imported.format})"
    )
    rows: Counter[str] = Counter()
    for section in seat_map.sections:
        rows[section.name] += len(section.rows)
    table = _table("Section", "Rows", "Seats")
    for name, count in by_section.items():
        table.add_row(escape(name), f"{rows[name]:,}", f"{count:,}")
    console.print(table)
    by_category = Counter(place.category for place in seats)
    table = _table("Category", f"Price ({currency})", "Seats")
    for category in seat_map.categories:
        cost = f"{category.price_cents / 100:,.2f}"
        table.add_row(escape(category.name), cost, f"{by_category[category]:,}")
    console.print(table)
    _show_oddities(imported.oddities, console)
    if changes is not None:
        _show_changes(changes, console)


def _show_oddities(oddities: Sequence[Oddity], console: Console) -> None:
    if not oddities:
        console.print("Nothing about the plan is odd.")
        return
    console.print("[yellow]What is odd about the plan:[/yellow]")
    for oddity in oddities:
        console.print(f"  • {escape(oddity.text)}", soft_wrap=True)


def _show_changes(changes: Changes, console: Console) -> None:
    table = _table("Seats", "Changed")
    table.add_column("Such as")
    table.add_row("kept", f"{changes.kept:,}", "")
    for name in ("added", "gone", "moved", "relabelled", "recategorised", "repriced"):
        changed = getattr(changes, name)
        more = ", …" if changed.count > _EXAMPLES else ""
        table.add_row(name, f"{changed.count:,}", escape(", ".join(changed.seats[:_EXAMPLES]) + more))
    console.print("What it changes for the venue's events to come:")
    console.print(table)


def _table(name: str, *numbers: str) -> Table:
    table = Table()
    table.add_column(name)
    for number in numbers:
        table.add_column(number, justify="right")
    return table
