"""Schemathesis on a server process, and what it finds in servers that have a fault.

For long: `python -m tests.fuzz.rest_fuzz --seconds 600`.
"""

import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.rest import venues
from server.rest.shapes import Venue
from server.rest.venues import Row
from tests.chaos.processes import UsherProcess
from tests.fuzz.rest_fuzz import Attack, Failed, attack, run
from tests.server.parts import SHARED, Usher

pytestmark = SHARED


async def test_a_server_process_withstands() -> None:
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        server = UsherProcess(Path(folder) / "data")
        await server.start()
        try:
            said = await attack(server, Attack(seed=1, examples=5))
        finally:
            await server.clean_up()
    assert said.count("Schemathesis") == 3


async def test_it_finds_an_answer_of_another_shape(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    await usher.event()

    def shape(row: Row) -> Venue:
        return replace(right(row), capacity="many")

    right = venues.venue_shape
    monkeypatch.setattr(venues, "venue_shape", shape)
    with pytest.raises(Failed, match="Response violates schema"):
        await run(usher.url, Attack(seed=1, examples=1))


async def test_it_finds_an_id_that_breaks_a_handler(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venues, "uuid_or_none", UUID)
    with pytest.raises(Failed, match="Server error"):
        await run(usher.url, Attack(seed=1, examples=5))
