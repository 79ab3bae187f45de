"""What a rehearsal has shown."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from rich.markup import escape
from rich.table import Table

from bots.memory import Memory
from bots.tally import Tally
from bots.turns import LineFigures
from bots.watched_map import WatchedMap
from protocol.seat_state import SeatState


class Summary(Struct):
    """What was done, how fast, and which promises were broken.

    seconds: from the first command to the last answer
    seats_sold: at the end, by the map
    answered_p50_ms, …: of commands that were sent once
    answered_after_all_p50_ms, …: of those that were sent again, because no answer had come or it said to come
        back, from when they were first sent
    race_s: from the first command to the last that was accepted, where all race for a few seats
    nasty: how connections ended that were up to no good
    line: what came of the waiting room
    broken_count: all broken promises and divergences; `broken` has the first of them, and what the audit found
    """

    event: str
    seats: int
    customers: int
    bots: Mapping[str, int]
    processes: int
    seconds: float
    seats_sold: int
    seats_bought: int
    orders: int
    orders_per_s: float
    orders_cancelled: int
    commands: int
    commands_per_s: float
    accepted: int
    answered_p50_ms: float
    answered_p99_ms: float
    sent_again: int
    answered_after_all_p50_ms: float
    answered_after_all_p99_ms: float
    refusals: dict[str, int]
    race_s: float | None
    maps_compared: int
    divergences: int
    resumes: int
    resumed_by_patches: int
    nasty: dict[str, int]
    server_memory_mb: Memory | None
    bots_memory_mb: Memory | None
    line: LineFigures | None
    broken_count: int
    broken: list[str]
    is_audited: bool = False


def summarised(
    event: str,
    seat_map: WatchedMap,
    bots: Mapping[str, int],
    processes: int,
    customers: int,
    tally: Tally,
    server: Memory | None,
    own: Memory | None,
    line: LineFigures | None,
) -> Summary:
    """The summary of a run."""
    seconds = max(tally.last_answered_at_s - tally.first_asked_at_s, 0.001)
    race_s = max(0.0, tally.last_accepted_at_s - tally.first_asked_at_s)
    return Summary(
        event=event,
        seats=len(seat_map.states),
        customers=customers,
        bots=bots,
        processes=processes,
        seconds=round(seconds, 2),
        seats_sold=seat_map.states.count(SeatState.SOLD),
        seats_bought=tally.seats_bought,
        orders=tally.orders,
        orders_per_s=round(tally.orders / seconds, 1),
        orders_cancelled=tally.orders_cancelled,
        commands=tally.commands,
        commands_per_s=round(tally.commands / seconds, 1),
        accepted=tally.accepted,
        answered_p50_ms=tally.waits.within_ms(0.5),
        answered_p99_ms=tally.waits.within_ms(0.99),
        sent_again=tally.sent_again,
        answered_after_all_p50_ms=tally.waits_again.within_ms(0.5),
        answered_after_all_p99_ms=tally.waits_again.within_ms(0.99),
        refusals=dict(sorted(tally.refusals.items())),
        race_s=round(race_s, 3) if "hot-seats" in bots else None,
        maps_compared=tally.maps_compared,
        divergences=tally.divergences,
        resumes=tally.resumes,
        resumed_by_patches=tally.resumed_by_patches,
        nasty=dict(sorted(tally.fates.items())),
        server_memory_mb=server,
        bots_memory_mb=own,
        line=line,
        broken_count=tally.broken + tally.divergences,
        broken=list(tally.texts),
    )


def as_table(summary: Summary, audit: str) -> Table:
    """For people. `audit` says what was compared with the database."""
    table = Table(title=escape(summary.event), show_header=False)
    shown = msgspec.structs.asdict(summary)
    for name in ("event", "broken", "broken_count", "is_audited"):
        del shown[name]
    for name, value in shown.items():
        if value is not None or name == "server_memory_mb":
            table.add_row(name.replace("_", " "), escape(_said(value)))
    table.add_row("audit", escape(audit))
    texts = [*summary.broken]
    if summary.broken_count > len(texts):
        texts.append(f"… {summary.broken_count:,} in all")
    table.add_row("broken promises", f"[bold red]{escape(chr(10).join(texts))}[/]" if texts else "[green]none[/]")
    return table


def _said(value: object) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, Memory):
        return f"{value.first} first, {value.last} last, {value.peak} at most; {value.growth:+} since the warm-up"
    if isinstance(value, LineFigures):
        return (
            f"{value.turns:,} turns, {value.most_inside:,} of {value.slots:,} slots at most,"
            f" {value.slots_used_percent} % used\nwaits p50 {value.waited_p50_s} s, p99 {value.waited_p99_s} s,"
            f" {value.ranges_right:,} of {value.ranges_told:,} as told"
        )
    if isinstance(value, Mapping):
        return "\n".join(f"{name} {count:,}" for name, count in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
