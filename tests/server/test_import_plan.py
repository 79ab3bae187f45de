"""`import-plan`: from a file to an event on sale, or to a sentence that says why not."""

import argparse
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from rich.console import Console

from protocol.seat_map import decode_map
from server.plans.command import add_arguments, import_plan
from server.plans.options import amount, moment, price

PLAN = {
    "name": "Old Hall",
    "size": {"width": 200, "height": 100},
    "categories": [{"name": "VIP", "color": "#112233"}, {"name": "NOT AVAILABLE"}, {"name": "[red]Box[/red]"}],
    "zones": [
        {
            "name": "Stalls",
            "position": {"x": 0, "y": 0},
            "rows": [
                {
                    "row_number": number,
                    "position": {"x": 0, "y": 20 * line},
                    "seats": [
                        {
                            "seat_guid": f"{number}{k}",
                            "seat_number": str(k + 1),
                            "position": {"x": 20 * k, "y": 0},
                            "category": category,
                        }
                        for k in range(5)
                    ],
                }
                for line, (number, category) in enumerate(
                    [("A", "VIP"), ("B", "[red]Box[/red]"), ("B", "NOT AVAILABLE"), ("C", "VIP")]
                )
            ],
        }
    ],
}

PRICES = ("--price", "VIP=99.50", "--price", "[red]Box[/red]=20", "--blocked", "not available")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    return path


def parsed(*arguments: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser.parse_args([str(argument) for argument in arguments])


async def run(connection: Any, *arguments: Any) -> tuple[int, str]:
    options = parsed(*arguments)
    written = io.StringIO()
    code = await import_plan(connection, options.file, options, Console(file=written, width=100))
    return code, written.getvalue()


async def imported(database: asyncpg.Pool, *arguments: Any) -> tuple[int, str]:
    async with database.acquire() as connection:
        return await run(connection, *arguments)


async def test_a_plan_becomes_an_event_on_sale(database: asyncpg.Pool, file: Path) -> None:
    code, written = await imported(
        database, file, *PRICES, "--max-tickets", 7, "--currency", "eur", "--city", "Bonn"
    )
    assert code == 0
    path = written.split()[-1]
    assert path.startswith("/events/")
    (event,) = await database.fetch("SELECT * FROM event WHERE id = $1", UUID(path.removeprefix("/events/")))
    assert (event["name"], event["artist"], event["category"]) == ("Old Hall", "Old Hall", "other")
    assert (event["seat_count"], event["max_tickets_per_user"], event["currency"]) == (20, 7, "EUR")
    assert event["stage"] == "scheduled"
    assert abs(event["on_sale_at"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert event["event_at"] - event["on_sale_at"] == timedelta(days=30)
    (venue,) = await database.fetch("SELECT * FROM venue WHERE id = $1", event["venue_id"])
    assert (venue["name"], venue["city"], venue["capacity"]) == ("Old Hall", "Bonn", 20)
    (section,) = await database.fetch("SELECT * FROM section WHERE venue_id = $1", venue["id"])
    assert (section["name"], section["row_count"], section["seats_per_row"]) == ("Stalls", 4, 5)
    assert (section["base_price_cents"], section["section_type"]) == (99_50, "vip")
    states = await database.fetch("SELECT state FROM seat WHERE event_id = $1 ORDER BY seat_index", event["id"])
    assert [row["state"] for row in states] == [*[0] * 10, *[3] * 5, *[0] * 5]
    body = await database.fetchval("SELECT body FROM seat_map WHERE sha256 = $1", event["map_sha256"])
    assert decode_map(body).currency == "EUR"


async def test_names_and_times_can_be_given(database: asyncpg.Pool, file: Path) -> None:
    names = ("--name", "The Show", "--venue", "New Hall", "--artist", "The Band", "--category", "theater")
    times = ("--on-sale-at", "2999-01-01T10:00+02:00", "--event-at", "2999-02-01")
    assert (await imported(database, file, *PRICES, *names, *times))[0] == 0
    (event,) = await database.fetch("SELECT e.*, v.name AS venue FROM event e JOIN venue v ON v.id = e.venue_id")
    assert [event[key] for key in ("name", "venue", "artist", "category")] == [
        "The Show",
        "New Hall",
        "The Band",
        "theater",
    ]
    assert event["on_sale_at"] == datetime(2999, 1, 1, 8, tzinfo=UTC)
    assert event["event_at"] == datetime(2999, 2, 1, tzinfo=UTC)


async def test_it_says_what_it_found_and_what_was_odd(file: Path) -> None:
    code, written = await run(None, file, *PRICES, "--dry-run")
    assert code == 0
    assert "Old Hall: 20 seats, sections: 1, blocked: 5" in written
    assert "[red]Box[/red]" in written
    assert "99.50" in written
    assert "rows that have the number of another row in their section: “Stalls” (1)" in written
    assert "Nothing was written" in written


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "no price for “VIP” (10 seats), “NOT AVAILABLE” (5 seats), “[red]Box[/red]” (5 seats)"),
        ((*PRICES, "--price", "Oops=1"), "no category “Oops”"),
        ((*PRICES, "--strict"), "departs from the format"),
        ((*PRICES, "--event-at", "2001-01-01"), "the event would be over"),
        ((*PRICES, "--event-at", "2999-01-01", "--on-sale-at", "2999-01-02"), "the sale would begin after"),
    ],
)
async def test_an_error_is_a_sentence_and_writes_nothing(
    database: asyncpg.Pool, file: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    code, written = await imported(database, file, *arguments)
    assert (code, sentence in written) == (1, True), written
    assert await database.fetchval("SELECT count(*) FROM venue") == 0


async def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert await run(None, tmp_path / "no.json") == (1, f"{tmp_path}/no.json: No such file or directory\n")
    assert (await run(None, tmp_path))[0] == 1


async def test_what_fails_while_writing_leaves_nothing(
    database: asyncpg.Pool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> int:
        raise ConnectionResetError

    monkeypatch.setattr("server.plans.command.publish", fails)
    with pytest.raises(ConnectionResetError):
        await imported(database, file, *PRICES)
    assert await database.fetchval("SELECT count(*) FROM venue") == 0


def test_amounts_are_exact() -> None:
    assert [amount(text) for text in ("350", "99.5", "0", "0.07", " 1e2 ")] == [350_00, 99_50, 0, 7, 100_00]
    assert price("A=B = 5") == ("A=B", 5_00)
    for text in ("", "x", "-1", "1.005", "nan", "inf", "1e9", "9" * 400):
        with pytest.raises(argparse.ArgumentTypeError):
            amount(text)
    for text in ("VIP", "=5", "VIP=", "VIP=x"):
        with pytest.raises(argparse.ArgumentTypeError):
            price(text)


def test_times_without_a_zone_are_utc() -> None:
    assert (
        moment("2027-05-01T19:30") == moment("2027-05-01T21:30+02:00") == datetime(2027, 5, 1, 19, 30, tzinfo=UTC)
    )
    for text in ("", "soon", "0001-01-01T00:00+14:00"):
        with pytest.raises(argparse.ArgumentTypeError):
            moment(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-tickets", "0"),
        ("--max-tickets", "many"),
        ("--currency", "euro"),
        ("--name", " "),
        ("--name", "a\x00b"),
        ("--category", "party"),
    ],
)
def test_bad_options_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(argparse.ArgumentError):
        parsed("plan.json", *arguments)
