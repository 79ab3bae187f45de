"""What bots were told, laid beside the journal: files of `bots/answer_file.py`, of any length, for the auditor.

The lines go into a table of the auditor's own connection, some thousands at a time. All comparing is PostgreSQL's.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Annotated, BinaryIO, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from msgspec import UNSET, Meta, Struct, UnsetType
from rich.progress import Progress

from bots.answer_file import AcceptedLine, Line, RefusedLine, UnansweredLine
from bots.steady_socket import ASK_AGAIN
from protocol.inbound import Seats
from server.statements import sql

BATCH_LINES = 5_000
LINE_BYTES_MAX = 1 << 20
_COLUMNS = ("line", "kind", "event_id", "customer_id", "command_id", "order_id", "code", "answer")

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
Row: TypeAlias = tuple[int, str, UUID, UUID, str | None, str | None, str | None, str | None]
_BigInt = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class BadAnswers(Exception):
    """A file is not one that bots have written; the text names the file and the line."""


class _Hold(Struct):
    seats: Seats
    expires_at_ms: _BigInt | None


class _Order(Struct):
    order_id: str
    status: str
    seats: Seats


class _Accepted(Struct, tag_field="type", tag="accepted"):
    """What the checks read of an accepted frame."""

    revision: _BigInt
    hold: _Hold | UnsetType = UNSET
    order: _Order | UnsetType = UNSET


_line = msgspec.json.Decoder(Line)
_accepted = msgspec.json.Decoder(_Accepted)


async def load_answers(connection: Connection, files: Sequence[Path], progress: Progress) -> list[str]:
    """Copy what these files say into the table `told` of this connection; answers what was left out, and why.

    Raises:
        BadAnswers: a file cannot be read, or is not one that bots have written.
    """
    await connection.execute(sql("told_tables"))
    left_out, numbers = [], count(1)
    for path in files:
        reader = AnswerReader(path, numbers)
        shown = progress.add_task(path.name, total=None)
        for batch in reader.batches():
            try:
                await connection.copy_records_to_table("told", records=batch, columns=_COLUMNS)
            except asyncpg.DataError as problem:
                at = f"lines {reader.line - len(batch) + 1} to {reader.line}"
                raise BadAnswers(f"{path}, {at}: one of them cannot be stored: {problem}") from problem
            progress.update(shown, completed=reader.bytes_read, total=max(reader.size, reader.bytes_read))
        if reader.is_cut_off:
            left_out.append(f"{path}:{reader.line + 1}: the last line is cut off, and left out")
    await connection.execute("ANALYZE told")
    return left_out


class AnswerReader:
    """Reads one file, a batch of lines at a time."""

    def __init__(self, path: Path, numbers: Iterator[int]) -> None:
        self.line = 0
        """The number of the last line that was read."""
        self.bytes_read = self.size = 0
        self.is_cut_off = False
        self._path = path
        self._numbers = numbers

    def batches(self) -> Iterator[list[Row]]:
        """The rows of `told`, at most BATCH_LINES at a time. Raises BadAnswers."""
        try:
            with self._path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                while not self.is_cut_off and (batch := self._batch(file)):
                    yield batch
        except OSError as problem:
            raise BadAnswers(f"{self._path} cannot be read: {problem.strerror}") from problem

    def _batch(self, file: BinaryIO) -> list[Row]:
        batch: list[Row] = []
        while len(batch) < BATCH_LINES and (text := file.readline(LINE_BYTES_MAX)):
            try:
                batch.append(_row(next(self._numbers), text))
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                self.is_cut_off = _is_cut_off(text, problem)
                if self.is_cut_off:
                    break
                raise BadAnswers(
                    f"{self._path}:{self.line + 1}: this is no line of an answer file: {problem}"
                ) from problem
            self.line += 1
            self.bytes_read += len(text)
        return batch


def _row(number: int, text: bytes) -> Row:
    line = _line.decode(text)
    kind, about = line.__struct_config__.tag, (line.event_id, line.customer)
    if isinstance(line, AcceptedLine):
        _accepted.decode(line.answer)
        return number, str(kind), *about, line.command_id, None, None, str(line.answer, "utf-8")
    if isinstance(line, RefusedLine):
        said = "unanswered" if line.code in ASK_AGAIN else "refused"
        return number, said, *about, line.command_id, None, str(line.code), None
    if isinstance(line, UnansweredLine):
        return number, str(kind), *about, line.command_id, None, None, None
    return number, str(kind), *about, None, line.order_id, None, None


def _is_cut_off(text: bytes, problem: Exception) -> bool:
    """Is it the beginning of a line, whose writer was killed?"""
    is_short = not text.endswith(b"\n") and len(text) < LINE_BYTES_MAX
    return is_short and text.startswith(b"{") and type(problem) is msgspec.DecodeError
