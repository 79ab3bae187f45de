"""The README's `curl` commands work as they stand, with bash, on a server process with the demo."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.processes import UsherProcess

README = Path(__file__).parents[2] / "README.md"
SECTION = re.compile(r"^### Over REST$(.*?)^##", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"^\w+=")
TOLD = "http://127.0.0.1:3001"
DEADLINE_S = 60.0
"""Far more than it takes: two passwords are hashed."""


@pytest.fixture
async def server() -> AsyncIterator[UsherProcess]:
    """A server as `make run` starts it, but elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="usher-"))
    process = UsherProcess(folder / "data")
    try:
        await process.start()
        yield process
    finally:
        await process.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


def commands() -> str:
    """All `curl` commands of the README, as one script."""
    section = SECTION.search(README.read_text(encoding="utf-8"))
    assert section is not None
    return "".join(BLOCK.findall(section[1]))


async def test_the_commands_buy_and_give_back(server: UsherProcess, tmp_path: Path) -> None:
    for program in ("bash", "curl", "python3"):
        assert shutil.which(program), f"this test needs {program} (Debian: apt-get install {program})"
    script = commands()
    assert TOLD in script
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script.replace(TOLD, server.url)),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, ""), server.said()
    answers = _answers(out.decode())
    assert all(answer["success"] for answer in answers), answers
    shown = [line for line in script.splitlines() if not ASSIGNMENT.match(line)]
    assert len(answers) == len(shown)
    order = answers[-2]["data"]
    assert order["order"]["status"] == "completed"
    assert [item["seat_id"] for item in order["items"]] == ["17", "18"]
    assert answers[-1]["data"] == {"message": "Order cancelled"}


def _answers(text: str) -> list[dict[str, Any]]:
    """JSON objects one after another."""
    found, decoder = [], json.JSONDecoder()
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].lstrip()
    return found
