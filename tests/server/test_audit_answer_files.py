"""Files of what bots were told: what is written is what is read, and what is wrong with one is said clearly."""

from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from rich.progress import Progress

from bots.answer_file import (
    AcceptedLine,
    AnswerFile,
    CancelledLine,
    CancelUnansweredLine,
    Line,
    RefusedLine,
    UnansweredLine,
)
from protocol.codes import Code
from server.audit import EXAMPLES_MAX, audit
from server.audit_answers import BATCH_LINES, AnswerReader, BadAnswers, load_answers

EVENT, CUSTOMER = "550e8400-e29b-41d4-a716-446655440202", "00000000-0000-4000-8000-000000000001"
FRAME = b'{"type":"accepted","id":"1","revision":7,"hold":{"seats":[],"expires_at_ms":null,"total_cents":0}}'


def _written(path: Path, lines: int = 1) -> bytes:
    with AnswerFile.open(path) as answers:
        for number in range(lines):
            answers.accepted(EVENT, CUSTOMER, f"c-{number}", FRAME)
    return path.read_bytes()


async def _loaded(database: asyncpg.Pool, *files: Path) -> tuple[int, list[str]]:
    """How many lines are there, and what was left out."""
    async with database.acquire() as connection:
        left_out = await load_answers(connection, files, Progress(disable=True))
        return await connection.fetchval("SELECT count(*) FROM told"), left_out


WRONG_LINES = {
    "no JSON": (b"hello\n", "invalid character"),
    "empty": (b"\n", "truncated"),
    "an array": (b"[]\n", "Expected `object`"),
    "another format": (b'{"customer":"bot-7","answer":{}}\n', "missing required field `kind`"),
    "another kind": (b'{"kind":"heard"}\n', "Invalid value 'heard'"),
    "a customer without an id": (
        b'{"kind":"unanswered","event_id":"%b","customer":"bot-7","command_id":"1"}\n' % EVENT.encode(),
        "Invalid UUID - at `$.customer`",
    ),
    "a code that is none": (
        b'{"kind":"refused","event_id":"%b","customer":"%b","command_id":"1","code":"no"}\n'
        % (EVENT.encode(), CUSTOMER.encode()),
        "Invalid enum value 'no'",
    ),
    "a refusal as an answer": (FRAME.replace(b"accepted", b"rejected"), "Invalid value 'rejected'"),
    "an answer without a revision": (b'{"type":"accepted"}', "missing required field `revision`"),
    "a revision beyond all": (FRAME.replace(b":7", b":9223372036854775808"), "Expected `int` <="),
    "a seat beyond all": (FRAME.replace(b"[]", b"[2147483648]"), "at `$.hold.seats[0]`"),
    "not UTF-8": (FRAME.replace(b"hold", b"h\xfeld"), "utf-8"),
    "cut in the middle": (b'{"kind":"accepted"\n', "truncated"),
    "without an end": (b'{"kind":"' + b"a" * 2_000_000, "truncated"),
}


@pytest.mark.parametrize(("line", "why"), WRONG_LINES.values(), ids=WRONG_LINES)
async def test_a_wrong_line_is_named(database: asyncpg.Pool, tmp_path: Path, line: bytes, why: str) -> None:
    path = tmp_path / "wrong.jsonl"
    right = _written(path, 2)
    if line.startswith(b'{"type"'):
        line = right.splitlines(keepends=True)[0].replace(FRAME, line)
    path.write_bytes(right + line + right)
    with pytest.raises(BadAnswers, match=r"wrong\.jsonl:3: this is no line of an answer file") as refused:
        await _loaded(database, path)
    assert why in str(refused.value)


async def test_what_postgresql_cannot_store_is_named(database: asyncpg.Pool, tmp_path: Path) -> None:
    path = tmp_path / "zero.jsonl"
    path.write_bytes(_written(path, 3).replace(b'"id":"1"', b'"id":"\\u0000"', 1))
    with pytest.raises(BadAnswers, match=r"zero\.jsonl, lines 1 to 3: one of them cannot be stored"):
        await _loaded(database, path)


async def test_a_folder_is_no_file(database: asyncpg.Pool, tmp_path: Path) -> None:
    with pytest.raises(BadAnswers, match="cannot be read: Is a directory"):
        await _loaded(database, tmp_path)


def test_a_line_may_be_cut_off_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    whole = _written(path, 2)
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole) + 1):
        path.write_bytes(whole[:end])
        reader = AnswerReader(path, count(1))
        (batch,) = reader.batches()
        is_whole = end >= len(whole) - 1  # its end may be missing
        assert len(batch) == (2 if is_whole else 1)
        assert reader.is_cut_off == (first < end and not is_whole)


async def test_memory_is_bounded_by_batches(
    database: asyncpg.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300,000 answers that are all lost: what is read, and what is told of them, comes in small pieces."""
    path, lines, batches = tmp_path / "long.jsonl", 300_000, []
    copy = asyncpg.Connection.copy_records_to_table

    async def counted(self: asyncpg.Connection, table: str, *, records: list[Any], **how: Any) -> str:
        batches.append(len(records))
        return await copy(self, table, records=records, **how)

    monkeypatch.setattr(asyncpg.Connection, "copy_records_to_table", counted)
    _written(path, lines)
    async with database.acquire() as connection:
        await connection.execute("SET transaction_timeout = 0")  # as that of `usher audit`, which has no limit
        report = await audit(connection, [path])
    assert sum(batches) == lines
    assert max(batches) <= BATCH_LINES
    (lost,) = report.findings
    assert (lost.check, lost.found) == ("told_accepted", lines)
    assert len(lost.examples) <= EXAMPLES_MAX


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path, quoted = tmp_path / "all.jsonl", 'a "quoted" \n id'
    with AnswerFile.open(path) as answers:
        answers.accepted(EVENT, CUSTOMER, quoted, FRAME)
        answers.refused(EVENT, CUSTOMER, quoted, Code.SEAT_TAKEN)
        answers.unanswered(EVENT, CUSTOMER, quoted)
        answers.cancelled(EVENT, CUSTOMER, quoted)
        answers.cancel_unanswered(EVENT, CUSTOMER, quoted)
    event, customer = UUID(EVENT), UUID(CUSTOMER)
    lines = [msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines()]
    assert isinstance(lines[0], AcceptedLine)
    assert (lines[0].event_id, lines[0].customer, lines[0].command_id) == (event, customer, quoted)
    assert bytes(lines[0].answer) == FRAME
    assert lines[1:] == [
        RefusedLine(event, customer, quoted, Code.SEAT_TAKEN),
        UnansweredLine(event, customer, quoted),
        CancelledLine(event, customer, quoted),
        CancelUnansweredLine(event, customer, quoted),
    ]
