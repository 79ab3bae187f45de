"""The README's program works as it stands, on a server at another address."""

import asyncio
import re
import sys
from pathlib import Path

from tests.server.parts import DEADLINE_S, SHARED, Usher

pytestmark = SHARED

README = Path(__file__).parents[2] / "README.md"
HELD = 1


async def test_the_program_holds_two_seats(usher: Usher) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    event_id = await usher.event()
    for told, real in (("http://127.0.0.1:3001", usher.url), ("550e8400-e29b-41d4-a716-446655440202", event_id)):
        assert told in program
        program = program.replace(told, real)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", program),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    assert "'type': 'welcome'" in out.decode()
    assert "'type': 'accepted', 'id': 'my-1'" in out.decode()
    assert (await usher.seat_states(event_id)).count(HELD) == 2
