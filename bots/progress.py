"""How a rehearsal goes, shown while it goes on: a live view on a terminal, plain lines elsewhere."""

from collections import deque

from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bots.memory import Memory
from bots.tally import Tally, Waits
from protocol.seat_state import SeatState

NOW_S = 5.0
"""What counts as now."""
LINE_S = 5.0
REFUSALS_SHOWN = 6


class Progress(Struct, frozen=True):
    """One look at a run: when, s; what was seen until then; the seats; the server's memory.

    expected: before the sale begins, how many are to be there; then 0
    """

    at_s: float
    tally: Tally
    states: bytes
    server: Memory | None
    expected: int = 0


class Pace(Struct, frozen=True):
    """What happened within some seconds."""

    commands_per_s: float
    orders_per_s: float
    p50_ms: float
    p99_ms: float


class View:
    """Shows a run. Use as a context manager."""

    def __init__(self, console: Console, title: str, total_s: float | None) -> None:
        self._console = console
        self._title = title
        self._total_s = total_s
        self._recent: deque[Progress] = deque()
        self._line_at_s = self._coming_at_s = 0.0
        self._told: set[str] = set()
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> "View":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show how it is; tell of each broken promise once."""
        if progress.expected:
            self._show_coming(progress)
            return
        self._recent.append(progress)
        while progress.at_s - self._recent[0].at_s > NOW_S and len(self._recent) > 2:
            self._recent.popleft()
        for text in progress.tally.texts:
            if text not in self._told:
                self._told.add(text)
                self._console.print(f"[bold red]broken:[/] {escape(text)}", soft_wrap=True)
        if self._live is not None:
            self._live.update(self._table(progress), refresh=True)
        elif progress.at_s >= self._line_at_s:
            self._line_at_s += LINE_S
            self._console.print(self._line(progress), soft_wrap=True)

    def _show_coming(self, progress: Progress) -> None:
        text = f"connecting {progress.tally.arrived:,} of {progress.expected:,}"
        if self._live is not None:
            self._live.update(Text(f"{self._title}  {text}"), refresh=True)
        elif progress.at_s >= self._coming_at_s:
            self._coming_at_s += LINE_S
            self._console.print(text)

    def _line(self, progress: Progress) -> str:
        tally, now = progress.tally, pace(self._recent[0], progress)
        return (
            f"{progress.at_s:5.0f} s  {tally.visiting:,} bots  {now.commands_per_s:,.0f} commands/s  "
            f"p50 {now.p50_ms:.1f} ms  p99 {now.p99_ms:.1f} ms  {now.orders_per_s:,.0f} orders/s  "
            f"{seats(progress.states)}  {line_of(tally)}"
            f"divergences {tally.divergences}  broken {tally.broken}"
        )

    def _table(self, progress: Progress) -> Table:
        tally = progress.tally
        now, whole = pace(self._recent[0], progress), pace(Progress(0.0, Tally(), b"", None), progress)
        until = "" if self._total_s is None else f" of {_clock(self._total_s)}"
        table = Table(title=f"{escape(self._title)}  {_clock(progress.at_s)}{until}", title_justify="left")
        for column in ("", "now", "since the start"):
            table.add_column(column, justify="right" if column else "left", min_width=12)
        table.add_row("commands/s", f"{now.commands_per_s:,.0f}", f"{whole.commands_per_s:,.0f}")
        table.add_row("answered p50, ms", f"{now.p50_ms:,.1f}", f"{whole.p50_ms:,.1f}")
        table.add_row("answered p99, ms", f"{now.p99_ms:,.1f}", f"{whole.p99_ms:,.1f}")
        table.add_row("orders/s", f"{now.orders_per_s:,.0f}", f"{whole.orders_per_s:,.0f}")
        table.add_row("orders, cancelled", "", f"{tally.orders:,}, {tally.orders_cancelled:,}")
        table.add_row("bots visiting", f"{tally.visiting:,}", "")
        if tally.waiting or tally.turns:
            table.add_row("waiting, inside, turns", f"{tally.waiting:,}, {tally.inside:,}", f"{tally.turns:,}")
        table.add_row("seats", seats(progress.states), "", end_section=True)
        refusals = sorted(tally.refusals.items(), key=lambda one: -one[1])[:REFUSALS_SHOWN]
        for code, count in refusals:
            table.add_row(f"refused: {code}", "", f"{count:,}")
        table.add_section()
        table.add_row("maps compared", "", f"{tally.maps_compared:,}")
        resumed = f"{tally.resumed_by_patches:,} of {tally.resumes:,}"
        table.add_row("resumed by patches", "", resumed)
        table.add_row("nasty connections ended", "", f"{sum(tally.fates.values()):,}")
        style = "bold red" if tally.divergences or tally.broken else "green"
        table.add_row("divergences", "", f"[{style}]{tally.divergences}[/]")
        table.add_row("broken promises", "", f"[{style}]{tally.broken}[/]")
        if progress.server is not None:
            table.add_row(
                "server's memory, MB", f"{progress.server.last:,.0f}", f"from {progress.server.first:,.0f}"
            )
        return table


def pace(earlier: Progress, later: Progress) -> Pace:
    """What happened between two looks."""
    seconds = max(later.at_s - earlier.at_s, 0.001)
    before, after = earlier.tally, later.tally
    waits: Waits = after.waits - before.waits
    return Pace(
        (after.commands - before.commands) / seconds,
        (after.orders - before.orders) / seconds,
        waits.within_ms(0.5),
        waits.within_ms(0.99),
    )


def line_of(tally: Tally) -> str:
    """Who is in the waiting room, and inside; nothing where nobody was."""
    if not tally.waiting and not tally.turns:
        return ""
    return f"{tally.waiting:,} waiting, {tally.inside:,} inside, {tally.turns:,} turns  "


def seats(states: bytes) -> str:
    """How many seats are available, held and sold."""
    shown = (SeatState.AVAILABLE, SeatState.HELD, SeatState.SOLD)
    return ", ".join(f"{states.count(state):,} {state.name.lower()}" for state in shown)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
