"""The check that docs/waiting-room.md gives to people who trust no program: it runs, and it finds fraud."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from protocol.draw_document import DrawDocument
from tests.server.draws import BEACON, entries, heads_of, published

PAGE = Path(__file__).parents[2] / "docs" / "waiting-room.md"
JOINED = entries(50)
HONEST = published(JOINED)


def by_hand(tmp_path: Path, document: DrawDocument) -> subprocess.CompletedProcess[str]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script, file = tmp_path / "check.py", tmp_path / "draw.json"
    script.write_text(code)
    file.write_bytes(msgspec.json.encode({"success": True, "data": document}))
    # Isolated: nothing of ours, and no installed library, can be imported.
    return subprocess.run([sys.executable, "-I", "-S", script, file], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("document", [HONEST, published(JOINED, beacon=None)], ids=["beacon", "no beacon"])
def test_an_honest_draw_holds(tmp_path: Path, document: DrawDocument) -> None:
    assert by_hand(tmp_path, document).stdout == "This draw holds: 50 entries\n"


FRAUD = {
    "another seed": published(JOINED, operator_seed=bytes(32)),
    "entries were changed": published([bytes(32), *JOINED[1:]], heads_of(JOINED)),
    "entries are missing": replace(
        published(JOINED), entries=HONEST.entries[:-1], heads=[], last_head=HONEST.last_head
    ),
    "other places": replace(HONEST, places=HONEST.places[::-1]),
    "another beacon": replace(HONEST, beacon=replace(BEACON, value="7" * 64)),
}


@pytest.mark.parametrize("document", FRAUD.values(), ids=FRAUD)
def test_fraud_does_not(tmp_path: Path, document: DrawDocument) -> None:
    found = by_hand(tmp_path, document)
    assert found.returncode == 1
    assert found.stdout == ""
