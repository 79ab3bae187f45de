"""Compares what bots were told with what is stored: nothing acknowledged is lost, and nothing is there besides."""

import tempfile
from pathlib import Path

from bots.answer_file import AnswerFile
from bots.answer_log import Answered, AnswerLog
from bots.promises import broken_promises
from protocol.outbound import Accepted, encode
from server.audit import audit
from server.database import connected
from server.engines import PostgresAddress


async def differences(at: PostgresAddress, event_id: str, log: AnswerLog, limit: int) -> list[str]:
    """All that is wrong, each in a sentence; every command of the log has been answered."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.jsonl"
        _write(file, event_id, log)
        async with connected(at) as connection:
            report = await audit(connection, [file])
    found = [f"{one.promise}: not so, {one.found} times: {one.examples}" for one in report.findings]
    return [*broken_promises(log, limit), *found]


def _write(file: Path, event_id: str, log: AnswerLog) -> None:
    with AnswerFile.open(file) as answers:
        for entry in log.entries:
            if not isinstance(entry, Answered):
                answers.cancelled(event_id, entry.customer, entry.order_id)
            elif isinstance(entry.answer, Accepted):
                answers.accepted(event_id, entry.customer, entry.command.id, encode(entry.answer))
            else:
                answers.refused(event_id, entry.customer, entry.command.id, entry.answer.code)
