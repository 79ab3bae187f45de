"""What bots were told, against what is stored: a sound sale gives no finding, each kind of damage is found.

A server sells, everybody writes down what they are told, and all of it is loaded once. What is planted, in the
database or in what was told, is planted in a transaction that is rolled back.
"""

import argparse
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from rich.console import Console
from rich.progress import Progress

from bots.answer_file import AnswerFile
from protocol.codes import Code
from server.audit import Report, audit, checks, findings, run_audit
from server.audit_answers import load_answers
from server.database import connect
from server.engines import PostgresAddress, RedisAddress
from server.settings import Settings
from tests.server.parts import SHARED, Customer, Json, Usher, running

pytestmark = SHARED


def _seat(command_id: str, seat: int) -> str:
    """That seat, in the event of this command."""
    return f"event_id = (SELECT event_id FROM told WHERE command_id = '{command_id}') AND seat_index = {seat}"


ADA = "(SELECT customer_id FROM told WHERE command_id = 'a-1')"
CAROL = "(SELECT customer_id FROM told WHERE command_id = 'c-1')"
HELD, SOLD = _seat("b-1", 20), _seat("a-1", 1)
COLUMNS = "event_id, customer_id, command_id, order_id, code, answer"


def _entry(command_id: str) -> str:
    """A further entry of the journal, for this command of Ada's."""
    return (
        f"INSERT INTO journal SELECT event_id, revision, position + 1, at, kind, {ADA}, '{command_id}',"
        " content_hash, seats, answer FROM journal WHERE command_id = 'a-1'"
    )


def _hold_ended(after_its_end: str, seat: int = 3) -> str:
    """The clock has ended what Ada holds, as far as the journal tells: this seat. She was told 3."""
    return (
        "INSERT INTO journal SELECT h.event_id, 1000, 1, h.expires_at + interval"
        f" '{after_its_end}', 'expired', h.customer_id, null, null, '{{{seat}}}'"
        "  FROM hold h JOIN told t USING (event_id, customer_id) WHERE t.command_id = 'a-3';"
        f" UPDATE seat SET state = 0, holder = NULL WHERE {_seat('a-3', 3)}"
    )


DAMAGE = {
    "lost": ("told_accepted", "DELETE FROM journal WHERE command_id = 'a-2'"),
    "lost in another event": ("told_accepted", "DELETE FROM journal WHERE command_id = 'a-4'"),
    "never stored": ("told_accepted", "UPDATE told SET command_id = 'another' WHERE command_id = 'b-2'"),
    "double": ("told_accepted", _entry("a-1")),
    "stored otherwise": (
        "told_answer",
        "UPDATE journal SET answer = replace(answer, '[20', '[19') WHERE command_id = 'b-1'",
    ),
    "stored without an answer": ("told_answer", "UPDATE journal SET answer = NULL WHERE command_id = 'b-1'"),
    "stored with nonsense": ("told_answer", "UPDATE journal SET answer = '{' WHERE command_id = 'b-1'"),
    "told otherwise": (
        "told_answer",
        "UPDATE told SET answer = jsonb_set(answer, '{hold,total_cents}', '1') WHERE command_id = 'b-1'",
    ),
    "told in two ways": (
        "told_answer",
        "INSERT INTO told SELECT 1000, kind, event_id, customer_id, command_id, order_id, code, answer ||"
        " '{\"revision\": 99}' FROM told WHERE command_id = 'b-1'",
    ),
    "refused and stored": (
        "told_refused",
        f"{_entry('e-2')}; UPDATE told SET customer_id = {ADA} WHERE command_id = 'e-2'",
    ),
    "accepted, then refused": (
        "told_refused",
        "INSERT INTO told SELECT 1000, 'refused', event_id, customer_id, command_id, null, 'seat_taken'"
        " FROM told WHERE command_id = 'a-1'",
    ),
    "stored and never told": ("told_besides", "DELETE FROM told WHERE command_id = 'b-2'"),
    "there besides": ("told_besides", _entry("another")),
    "cancelled and never told": ("told_besides", "DELETE FROM told WHERE kind = 'cancelled'"),
    "a held seat that is free": ("told_seat", f"UPDATE seat SET state = 0, holder = NULL WHERE {HELD}"),
    "a held seat that is another's": ("told_seat", f"UPDATE seat SET holder = {ADA} WHERE {HELD}"),
    "a held seat that is sold": ("told_seat", f"UPDATE seat SET state = 2 WHERE {HELD}"),
    "a sold seat that is held": ("told_seat", f"UPDATE seat SET state = 1 WHERE {SOLD}"),
    "a seat besides": ("told_seat", f"UPDATE seat SET state = 1, holder = {ADA} WHERE {_seat('a-1', 150)}"),
    "a seat that was left": ("told_seat", f"UPDATE seat SET state = 1, holder = {CAROL} WHERE {_seat('c-1', 30)}"),
    "a seat of a command without an answer": (
        "told_seat",
        f"UPDATE seat SET state = 0, holder = NULL WHERE {_seat('f-3', 60)}",
    ),
    "a hold that ended early": ("told_seat", _hold_ended("-1 ms")),
    "a seat that was lost before its hold ended": ("told_seat", _hold_ended("0 ms", 4)),
    "a ticket that is void": ("told_ticket", f"UPDATE ticket SET status = 'void' WHERE customer_id = {ADA}"),
    "a ticket of another order": ("told_ticket", f"UPDATE ticket SET order_id = id WHERE customer_id = {ADA}"),
    "a ticket of another seat": (
        "told_ticket",
        f"UPDATE ticket SET seat_index = seat_index + 100 WHERE customer_id = {ADA}",
    ),
    "a ticket of a cancelled order": ("told_ticket", "UPDATE ticket SET status = 'valid'"),
    "a cancel that was never told": ("told_ticket", "DELETE FROM told WHERE kind = 'cancelled'"),
}

NO_DAMAGE = {
    "a hold that has run out": _hold_ended("0 ms"),
    "an answer given again": f"INSERT INTO told SELECT line + 1000, kind, {COLUMNS} FROM told"
    " WHERE kind = 'accepted'",
    "a command without an answer that never arrived": "INSERT INTO told SELECT 1000, 'unanswered', event_id,"
    " customer_id, 'another' FROM told WHERE command_id = 'a-1'",
    "a cancel without an answer that never arrived": "INSERT INTO told SELECT 1000, 'cancel_unanswered', event_id,"
    " customer_id, null, answer #>> '{order,order_id}' FROM told WHERE command_id = 'a-2'",
}


class Bot:
    """A customer who writes down what is answered."""

    def __init__(self, usher: Usher, event_id: str, customer: Customer, answers: AnswerFile) -> None:
        self._usher = usher
        self._event_id = event_id
        self._customer = customer
        self._answers = answers

    async def ask(self, kind: str, command_id: str, hears: str = "the answer", **fields: Any) -> Json:
        """Ask on a socket; note the answer, that there was `nothing`, or that it was `try_again`."""
        async with self._usher.socket(self._event_id, self._customer) as socket:
            answer = await socket.ask(kind, command_id, **fields)
        about = (self._event_id, self._customer.id, command_id)
        if hears == "nothing":
            self._answers.unanswered(*about)
        elif hears == "try_again":
            self._answers.refused(*about, Code.TRY_AGAIN)
        elif answer["type"] == "accepted":
            spread_out = msgspec.json.format(msgspec.json.encode(answer))
            self._answers.accepted(*about, spread_out)
        else:
            self._answers.refused(*about, Code(answer["code"]))
        return answer

    async def cancel(self, order: Json, hears: str = "the answer") -> None:
        """Give an order back."""
        order_id = order["order"]["order_id"]
        reply = await self._usher.rest("POST", f"/checkout/orders/{order_id}/cancel", by=self._customer)
        assert reply.status == 200
        note = self._answers.cancel_unanswered if hears == "nothing" else self._answers.cancelled
        note(self._event_id, self._customer.id, order_id)


async def sell(usher: Usher, files: Sequence[Path]) -> None:
    """Two events, a file for each, and everything that a customer may be told."""
    event_id, another_id, ada_s = await usher.event(), await usher.event(), await usher.customer()
    with AnswerFile.open(files[0]) as answers, AnswerFile.open(files[1]) as further:
        ada = Bot(usher, event_id, ada_s, answers)
        bob, carol, dan, eve, fred, gina = [Bot(usher, event_id, await usher.customer(), answers) for _ in range(6)]
        await ada.ask("hold_seats", "a-1", seats=[1, 2])
        await ada.ask("checkout", "a-2", payment_method="card")
        await ada.ask("hold_seats", "a-3", seats=[3])
        await Bot(usher, another_id, ada_s, further).ask("hold_seats", "a-4", seats=[4])
        await bob.ask("hold_seats", "b-1", seats=[20, 21])
        await bob.ask("release_seats", "b-2", seats=[21])
        await bob.ask("extend_hold", "b-3")
        await carol.ask("hold_seats", "c-1", seats=[30, 31])
        await carol.ask("leave_queue", "c-2")
        await dan.ask("hold_seats", "d-1", seats=[40])
        await dan.cancel(await dan.ask("checkout", "d-2", payment_method="card"))
        await gina.ask("hold_seats", "g-1", seats=[41])
        await gina.cancel(await gina.ask("checkout", "g-2", payment_method="card"), hears="nothing")
        await fred.ask("hold_seats", "f-1", seats=[50])
        assert (await eve.ask("hold_seats", "e-1", seats=[50]))["code"] == "seat_taken"
        await fred.ask("release_seats", "f-2", seats=[50])
        assert (await eve.ask("hold_seats", "e-1", seats=[50]))["type"] == "accepted"
        assert (await eve.ask("hold_seats", "e-2", seats=[1]))["code"] == "seat_taken"
        await fred.ask("hold_seats", "f-3", hears="nothing", seats=[60])
        await fred.ask("hold_seats", "f-4", hears="try_again", seats=[61])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What everybody was told."""
    folder = tmp_path_factory.mktemp("told")
    return [folder / "one.jsonl", folder / "two.jsonl"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(
    shared_database: PostgresAddress, redis_server: RedisAddress, files: list[Path]
) -> AsyncIterator[asyncpg.Connection]:
    """A database in which a server has sold, with what everybody was told beside it."""
    async with running(shared_database, redis_server) as usher:
        await sell(usher, files)
    connection = await connect(shared_database)
    await load_answers(connection, files, Progress(disable=True))
    yield connection
    await connection.close()


async def found_after(connection: asyncpg.Connection, plant: str) -> dict[str, list[str]]:
    """What is found once this is planted: examples by check."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(plant)
        found = await findings(connection, checks(with_answers=True))
    finally:
        await transaction.rollback()
    return {finding.check: finding.examples for finding in found}


async def test_what_was_told_is_what_is_stored(told: asyncpg.Connection, files: list[Path]) -> None:
    report = await audit(told, files)
    assert report.findings == []
    assert report.checks == len(checks(with_answers=True)) > len(checks())
    assert report.left_out == []
    counted = {"accepted_answers": 16, "refusals": 2, "unanswered_commands": 2, "cancelled_orders": 1}
    assert report.looked_at.items() >= counted.items()


@pytest.mark.parametrize(("check", "plant"), DAMAGE.values(), ids=DAMAGE)
async def test_each_kind_of_damage_is_found(told: asyncpg.Connection, check: str, plant: str) -> None:
    found = await found_after(told, plant)
    assert check in found, f"found by {sorted(found)} only"


@pytest.mark.parametrize("plant", NO_DAMAGE.values(), ids=NO_DAMAGE)
async def test_what_is_no_damage_is_not_found(told: asyncpg.Connection, plant: str) -> None:
    found = await found_after(told, plant)
    assert not [check for check in found if check.startswith("told_")], found


async def test_every_check_of_answers_has_found_something() -> None:
    assert {check for check, _ in DAMAGE.values()} == checks(with_answers=True).keys() - checks().keys()


async def test_the_damage_is_named(told: asyncpg.Connection) -> None:
    found = await found_after(told, "DELETE FROM journal WHERE command_id = 'a-2'; DELETE FROM ticket")
    (lost,) = found["told_accepted"]
    ada = await told.fetchval("SELECT customer_id FROM told WHERE command_id = 'a-2'")
    assert f"command a-2 of {ada} was accepted, it is stored 0 times" in lost
    assert any(f"of {ada}, seat 2: told, and there is no valid ticket" in one for one in found["told_ticket"])


async def test_what_one_file_lacks_is_found(told: asyncpg.Connection, files: list[Path]) -> None:
    try:
        report = await audit(told, files[:1])
        assert {finding.check for finding in report.findings} == {"told_besides", "told_seat"}
    finally:
        await load_answers(told, files, Progress(disable=True))


async def test_the_command_compares_answers(
    shared_database: PostgresAddress, told: asyncpg.Connection, files: list[Path], tmp_path: Path
) -> None:
    settings, said = Settings(database=shared_database), io.StringIO()
    console, report = Console(file=said, width=200), tmp_path / "report.json"

    async def audited(*answers: Path) -> int:
        return await run_audit(settings, argparse.Namespace(json=report, answers=answers), console)

    assert await audited(*files) == 0
    assert "16 accepted answers" in said.getvalue()
    assert msgspec.json.decode(report.read_bytes(), type=Report).looked_at["accepted_answers"] == 16

    doctored = tmp_path / "doctored.jsonl"
    doctored.write_bytes(files[0].read_bytes().replace(b"b-2", b"b-9") + b'{"kind":"acc')
    lines = doctored.read_bytes().count(b"\n")
    assert await audited(doctored, files[1]) == 1
    assert "Each command that was accepted is in the journal exactly once" in said.getvalue()
    assert f"{doctored}:{lines + 1}: the last line is cut off" in said.getvalue()
    found = msgspec.json.decode(report.read_bytes(), type=Report)
    assert {finding.check for finding in found.findings} == {"told_accepted", "told_besides"}
    assert len(found.left_out) == 1

    assert await audited(tmp_path / "nothing.jsonl") == 2
    assert "nothing.jsonl cannot be read: No such file or directory" in said.getvalue()
