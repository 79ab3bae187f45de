"""The hourly sweep."""

from datetime import timedelta
from typing import Any

import pytest

from server import sweep as sweep_module
from server.sweep import sweep
from tests.server.parts import Usher


async def test_one_step_that_fails_keeps_no_other_from_its_work(
    own: Usher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    async def fails() -> None:
        raise RuntimeError("whatever it is")

    async def keys(*_: Any) -> None:
        done.append("keys")

    monkeypatch.setattr(own.parts.sessions, "sweep", fails)
    monkeypatch.setattr(own.parts.accounts, "sweep", fails)
    monkeypatch.setattr(sweep_module, "drop_old_keys", keys)
    weeks = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal'::regclass"
    (newest,) = await own.database.fetch("SELECT max(inhrelid::regclass::text) AS name FROM pg_inherits"
                                         " WHERE inhparent = 'journal'::regclass")  # fmt: skip
    before = await own.database.fetchval(weeks)
    await own.database.execute(f"DROP TABLE {newest['name']}")
    await sweep(own.parts)
    assert await own.database.fetchval(weeks) == before
    assert "keys" in done
    assert {"the hourly sweep of sessions failed", "the hourly sweep of accounts failed"} <= set(caplog.messages)


async def test_all_that_has_run_out_goes_in_parts(own: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.database.DROP_MAX", 2)
    customers = [await own.customer() for _ in range(5)]
    for ada in customers:
        await own.rest("POST", "/auth/ws-ticket", by=ada)
    await own.database.execute("UPDATE session SET expires_at = $1", own.parts.now() - timedelta(days=2))
    await sweep(own.parts)
    for table in ("session", "socket_ticket"):
        assert await own.database.fetchval(f"SELECT count(*) FROM {table}") == 0
