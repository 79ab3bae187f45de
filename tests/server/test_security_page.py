"""docs/security.md names tests that exist, and SQL is never put together from texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()

_NAMED = re.compile(r"`((?:\w+/)+test_\w+)::(\w+)`")
OF_OUR_OWN = {"server/audit.py"}
"""Puts a named statement of ours into another text, and nothing that anybody sent."""

_ASKS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor", "prepare"}


def missing(page: str) -> list[str]:
    """The tests that a page names and that are not there."""
    return [
        f"{module}::{name}"
        for module, name in _NAMED.findall(page)
        if not re.search(rf"^\s*(async )?def {name}\(", _source(module), re.MULTILINE)
    ]


def _source(module: str) -> str:
    path = ROOT / "tests" / f"{module}.py"
    return path.read_text() if path.exists() else ""


def put_together(source: str) -> Iterator[int]:
    """The lines in which a database is asked by a text that was put together."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _ASKS
            and node.args
            and (isinstance(node.args[0], ast.JoinedStr | ast.BinOp) or _is_formatted(node.args[0]))
        ):
            yield node.lineno


def _is_formatted(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "join", "replace")
    )


def test_every_test_that_the_page_names_is_there() -> None:
    assert missing(PAGE) == []


def test_a_test_that_is_not_there_is_found() -> None:
    assert missing(
        "`server/test_door::test_nothing_of_the_kind` `server/test_door::test_nobody_else_may_read`"
    ) == ["server/test_door::test_nothing_of_the_kind"]
    assert missing("`server/test_nowhere::test_x`") == ["server/test_nowhere::test_x"]


def test_every_promise_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) > 25
    assert [row for row in rows if not _NAMED.search(row)] == []


def test_sql_is_never_put_together() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "server").rglob("*.py")
        if any(put_together(path.read_text()))
    }
    assert found == OF_OUR_OWN


def test_sql_that_is_put_together_is_found() -> None:
    for argument in ('f"SELECT {x}"', '"SELECT " + x', '"SELECT %s" % x', '"SELECT {}".format(x)', '" ".join(x)'):
        assert list(put_together(f"await pool.fetch({argument})")) == [1]
    assert list(put_together('await pool.fetch(sql("name"), x)')) == []
