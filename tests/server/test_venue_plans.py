"""A venue's plan while its events are sold: over REST and by `import-plan` and `export-plan`."""

import argparse
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from rich.console import Console

from protocol.seat_map import decode_map
from protocol.seat_state import SeatState
from server.plans import command, export_command, of_venue
from server.plans.command import add_arguments, import_plan
from tests.rows import add_customer
from tests.server.parts import SHARED, Customer, Json, Usher
from tests.server.plan_rows import plan, read, row, seat

SVG = '<svg><circle id="seat-1-A-1" r="5"/><circle id="seat-2-A-1" cx="20" r="5"/><script>alert(1)</script></svg>'


def old_hall(*guids: str, category: str = "A") -> Json:
    """A plan of one row: these seats, 20 apart."""
    seats = [seat(20 * k, str(k + 1), category, seat_guid=guid) for k, guid in enumerate(guids)]
    return plan(row([], seats=seats), categories=(category,)) | {"name": "Old Hall"}


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    async def test_a_changed_plan_is_for_the_events_to_come(self, database: asyncpg.Pool, folder: Path) -> None:
        first = event_of(await imported(database, folder, old_hall("a", "b", "c"), "--price", "A=10"))
        code, said = await imported(database, folder, old_hall("x", "a", "b", "c"), "--venue", "Old Hall")
        assert (code, "/events/" in said) == (0, False)
        assert "those that have their seats keep them" in said
        assert_row(said, "kept", "3")
        assert_row(said, "added", "1", "Stalls 1 1")
        again = await imported(
            database, folder, old_hall("x", "a", "b", "c"), "--venue", "Old Hall", "--name", "New"
        )
        second = event_of(again)
        assert await database.fetchval("SELECT count(*) FROM venue") == 1
        assert await database.fetchval("SELECT name FROM event WHERE id = $1", second) == "New"
        assert await numbers(database, first) == ["1", "2", "3"]
        assert await numbers(database, second) == ["2", "3", "4", "1"]
        cost = await database.fetch("SELECT DISTINCT price_cents FROM place WHERE event_id = $1", second)
        assert [one["price_cents"] for one in cost] == [10_00]

    @pytest.mark.parametrize("state", [SeatState.HELD, SeatState.SOLD, SeatState.BLOCKED])
    async def test_a_seat_in_use_may_not_vanish(
        self, database: asyncpg.Pool, folder: Path, state: SeatState
    ) -> None:
        event_id = event_of(await imported(database, folder, old_hall("a", "b", "c"), "--price", "A=10"))
        holder = None if state is SeatState.BLOCKED else await add_customer(database)
        await database.execute(
            "UPDATE seat SET state = $2, holder = $3 WHERE event_id = $1 AND seat_index = 1",
            event_id, int(state), holder,
        )  # fmt: skip
        before = await everything(database)
        smaller = old_hall("a", "c")
        for more in ((), ("--dry-run",)):
            code, said = await imported(database, folder, smaller, "--venue", "Old Hall", *more)
            assert code == 1
            assert (
                f"1 seats that the plan no longer has are in use: Stalls 1 2 ({state.name.lower()}, Old Hall)"
                in said
            )
        assert await everything(database) == before
        # The seat beside it may go, and nothing stands in the way of an event that is called off.
        assert (await imported(database, folder, old_hall("a", "b"), "--venue", "Old Hall"))[0] == 0
        await database.execute("UPDATE event SET stage = 'cancelled'")
        assert (await imported(database, folder, smaller, "--venue", "Old Hall"))[0] == 0

    async def test_without_the_check_a_sold_seat_would_vanish(
        self, database: asyncpg.Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def careless(*_: object) -> None: ...

        event_id = event_of(await imported(database, folder, old_hall("a", "b"), "--price", "A=10"))
        holder = await add_customer(database)
        await database.execute(
            "UPDATE seat SET state = 2, holder = $2 WHERE event_id = $1 AND seat_index = 1", event_id, holder
        )
        assert (await imported(database, folder, old_hall("a"), "--venue", "Old Hall"))[0] == 1
        monkeypatch.setattr(command, "check_plan", careless)
        assert (await imported(database, folder, old_hall("a"), "--venue", "Old Hall"))[0] == 0

    async def test_a_dry_run_shows_the_difference_and_writes_nothing(
        self, database: asyncpg.Pool, folder: Path
    ) -> None:
        await imported(database, folder, old_hall("a", "b", "c"), "--price", "A=10")
        before = await everything(database)
        report = folder / "report.json"
        code, said = await imported(
            database, folder, old_hall("a", "c", "d", category="B"), "--price", "B=20", "--venue", "Old Hall",
            "--dry-run", "--report", report,
        )  # fmt: skip
        assert code == 0
        assert_row(said, "gone", "1", "Stalls 1 2")
        assert "Nothing was written (dry run)" in said
        assert await everything(database) == before
        told = json.loads(report.read_text())
        assert (told["format"], told["seats"], told["is_written"]) == ("pretix seating plan", 3, False)
        counts = {name: told["changes"][name]["count"] for name in told["changes"] if name != "kept"}
        assert told["changes"]["kept"] == 2
        assert counts == {
            "added": 1, "gone": 1, "moved": 1, "relabelled": 1, "recategorised": 2, "repriced": 2,
        }  # fmt: skip

    async def test_the_report_of_a_new_venue_tells_what_is_odd(self, database: asyncpg.Pool, folder: Path) -> None:
        report = folder / "report.json"
        await imported(database, folder, old_hall("a", "a"), "--price", "A=10", "--report", report)
        told = json.loads(report.read_text())
        assert (told["changes"], told["is_written"]) == (None, True)
        assert [(one["code"], one["count"]) for one in told["oddities"]] == [("repeated_guid", 1)]
        assert told["categories"] == [{"name": "A", "price": 10, "seats": 2}]
        await imported(database, folder, old_hall("a"), "--report", report)
        assert json.loads(report.read_text()) == {"refused": "no price for “A” (1 seats)", "is_written": False}
        code, said = await imported(database, folder, old_hall("a"), "--price", "A=1", "--report", folder)
        assert (code, "Is a directory" in said) == (1, True)
        assert await database.fetchval("SELECT count(*) FROM venue") == 1

    async def test_of_two_venues_with_one_name_one_is_named_by_its_id(
        self, database: asyncpg.Pool, folder: Path
    ) -> None:
        for _ in range(2):
            await imported(database, folder, old_hall("a"), "--price", "A=10")
        code, said = await imported(database, folder, old_hall("a", "b"), "--venue", "Old Hall")
        ids = [str(one["id"]) for one in await database.fetch("SELECT id FROM venue ORDER BY created_at, id")]
        assert code == 1
        assert all(one in said for one in ids)
        assert (await imported(database, folder, old_hall("a", "b"), "--venue", ids[1]))[0] == 0
        assert await database.fetchval("SELECT count(DISTINCT map_sha256) FROM venue") == 2

    async def test_an_exported_plan_changes_nothing(self, database: asyncpg.Pool, folder: Path) -> None:
        await imported(database, folder, old_hall("a", "b", "c"), "--price", "A=10")
        await imported(database, folder, old_hall("x", "a", "b", "c"), "--venue", "Old Hall")
        before = await database.fetchrow("SELECT map_sha256, names_sha256 FROM venue")
        assert await exported(database, "Old Hall", folder / "out.json") == 0
        tree = json.loads((folder / "out.json").read_text())
        code, said = await imported(database, folder, tree, "--venue", "Old Hall", "--strict")
        assert code == 0, said
        assert_row(said, "kept", "4")
        assert await database.fetchrow("SELECT map_sha256, names_sha256 FROM venue") == before

    async def test_what_cannot_be_exported_is_said(self, database: asyncpg.Pool, folder: Path) -> None:
        assert await exported(database, "Nowhere", folder / "out.json") == 1
        await imported(database, folder, old_hall("a"), "--price", "A=10")
        assert await exported(database, "Old Hall", folder / "no" / "out.json") == 1
        assert not (folder / "out.json").exists()

    async def test_a_plan_that_somebody_else_changed_meanwhile_stays(
        self, database: asyncpg.Pool, folder: Path
    ) -> None:
        await imported(database, folder, old_hall("a"), "--price", "A=10")
        async with database.acquire() as connection:
            venue_id = await connection.fetchval("SELECT id FROM venue")
            stored = await of_venue.stored_plan(connection, venue_id)
            assert stored is not None
            taken = of_venue.take_plan(stored, stored.former(), read(old_hall("a", "b")))
            await imported(database, folder, old_hall("a", "c"), "--venue", "Old Hall")
            with pytest.raises(of_venue.PlanChanged):
                await of_venue.check_plan(connection, venue_id, taken, datetime.now(UTC))


@SHARED
class TestRest:
    async def test_a_dry_run_answers_the_report_alone(self, usher: Usher) -> None:
        olga, venue_id = await venue(usher)
        body = {"plan": old_hall("a", "b"), "default_price": 5, "is_dry_run": True}
        told = (await usher.rest("PUT", f"/venues/{venue_id}/plan", body, olga)).data
        assert (told["seats"], told["is_written"], told["changes"]) == (2, False, None)
        assert (await usher.rest("GET", f"/venues/{venue_id}/sections")).data == []
        told = (await usher.rest("PUT", f"/venues/{venue_id}/plan", body | {"is_dry_run": False}, olga)).data
        assert told["is_written"] is True
        told = (
            await usher.rest("PUT", f"/venues/{venue_id}/plan", {"plan": old_hall("a"), "is_dry_run": True}, olga)
        ).data
        assert told["changes"]["gone"] == {"count": 1, "seats": ["Stalls 1 2"]}

    @pytest.mark.parametrize("file", [SVG, "row,seat,x,y\nA,1,0,0\nA,2,20,0\n", json.dumps(old_hall("a", "b"))])
    async def test_other_files_are_sent_as_a_string(self, usher: Usher, file: str) -> None:
        olga, venue_id = await venue(usher)
        told = (await usher.rest("PUT", f"/venues/{venue_id}/plan", {"plan": file, "default_price": 5}, olga)).data
        assert told["seats"] == 2
        async with usher.http.get(f"{usher.url}/api/v1/venues/{venue_id}/plan", headers=olga.headers) as answer:
            raw = await answer.text()
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert (answer.content_type, "<" in raw) == ("application/json", False)
        again = await usher.rest(
            "PUT", f"/venues/{venue_id}/plan", {"plan": json.loads(raw), "is_strict": True}, olga
        )
        assert again.data["changes"]["kept"] == 2

    @pytest.mark.parametrize(
        "file",
        ["", "hello", "<svg>", '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "row,seat,x,y\n\ud800", "\u0001"],
    )
    async def test_what_is_no_plan_is_refused(self, usher: Usher, file: str) -> None:
        olga, venue_id = await venue(usher)
        reply = await usher.rest("PUT", f"/venues/{venue_id}/plan", {"plan": file, "default_price": 5}, olga)
        assert reply.refusal[0] == 400

    async def test_a_seat_that_a_customer_holds_may_not_vanish(self, usher: Usher) -> None:
        olga, venue_id = await venue(usher)
        path = f"/venues/{venue_id}/plan"
        await usher.rest("PUT", path, {"plan": old_hall("a", "b", "c"), "default_price": 5}, olga)
        event = (await usher.rest("POST", "/events", show_at(venue_id), olga)).data
        ada = await usher.customer()
        assert (await usher.reserve(event["id"], [1], ada)).status == 200
        reply = await usher.rest("PUT", path, {"plan": old_hall("a", "c", "d")}, olga)
        assert reply.refusal[::2] == (409, "seats_in_use")
        assert "Stalls 1 2 (held, The Show)" in reply.body["error"]
        # New seats do no harm: the running event goes on with its own, the next has all.
        assert (await usher.rest("PUT", path, {"plan": old_hall("z", "a", "b", "c")}, olga)).status == 200
        assert (await usher.reserve(event["id"], [2], ada)).status == 200
        later = (await usher.rest("POST", "/events", show_at(venue_id), olga)).data
        assert (event["total_capacity"], later["total_capacity"]) == (3, 4)
        assert await numbers(usher.database, UUID(later["id"])) == ["2", "3", "4", "1"]

    async def test_sections_in_numbers_are_exported_too_and_nothing_is_not(self, usher: Usher) -> None:
        olga, venue_id = await venue(usher)
        path = f"{usher.url}/api/v1/venues/{venue_id}/plan"
        async with usher.http.get(path, headers=olga.headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "no_plan")
        stand = {"name": "Stand", "row_count": 2, "seats_per_row": 5, "base_price": 40}
        assert (await usher.rest("PUT", f"/venues/{venue_id}", {"sections": [stand]}, olga)).status == 200
        async with usher.http.get(path, headers=olga.headers) as answer:
            tree = await answer.json()
        told = (await usher.rest("PUT", f"/venues/{venue_id}/plan", {"plan": tree, "is_strict": True}, olga)).data
        changes = told.pop("changes")
        assert (changes.pop("kept"), [one["count"] for one in changes.values()]) == (10, [0] * 6)


async def venue(usher: Usher) -> tuple[Customer, str]:
    """An organiser, and a venue without seats."""
    olga = await usher.sign_in(await add_customer(usher.database, name="Olga", role="admin"))
    body = {"name": "Hall", "address": "1 Hall Street", "city": "Springfield", "country": "UK"}
    return olga, (await usher.rest("POST", "/venues", body, olga)).data["id"]


def show_at(venue_id: str) -> Json:
    now = datetime.now(UTC)
    return {
        "name": "The Show",
        "venue_id": venue_id,
        "category": "theater",
        "event_date": (now + timedelta(days=30)).isoformat(),
        "on_sale_date": (now - timedelta(days=1)).isoformat(),
    }


async def imported(database: asyncpg.Pool, folder: Path, tree: Json, *arguments: Any) -> tuple[int, str]:
    file = folder / "plan.json"
    file.write_text(json.dumps(tree))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args([str(file), *map(str, arguments)])
    written = io.StringIO()
    async with database.acquire() as connection:
        code = await import_plan(connection, options.file, options, Console(file=written, width=200))
    return code, written.getvalue()


async def exported(database: asyncpg.Pool, name: str, file: Path) -> int:
    parser = argparse.ArgumentParser()
    export_command.add_arguments(parser)
    options = parser.parse_args([name, str(file)])
    async with database.acquire() as connection:
        return await export_command.export_plan(connection, options, Console(file=io.StringIO()))


def event_of(result: tuple[int, str]) -> UUID:
    assert result[0] == 0, result[1]
    return UUID(result[1].split()[-1].removeprefix("/events/"))


def assert_row(said: str, *cells: str) -> None:
    """A line of a table begins with these."""
    rows = [[cell.strip() for cell in line.split("│")[1:]] for line in said.splitlines()]
    assert list(cells) in [found[: len(cells)] for found in rows], said


async def numbers(database: asyncpg.Pool, event_id: UUID) -> list[str]:
    """The seats' numbers in index order, of which the event's map says the same."""
    rows = await database.fetch("SELECT seat_number FROM place WHERE event_id = $1 ORDER BY seat_index", event_id)
    body = await database.fetchval(
        "SELECT body FROM seat_map JOIN event ON map_sha256 = sha256 WHERE event.id = $1", event_id
    )
    assert sum(made.seats for section in decode_map(body).sections for made in section.rows) == len(rows)
    return [one["seat_number"] for one in rows]


async def everything(database: asyncpg.Pool) -> dict[str, Sequence[Any]]:
    """All rows of the tables that a plan is written to."""
    tables = ("venue", "section", "event", "seat_map", "seat_names", "place", "seat", "event_head")
    return {table: await database.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}
