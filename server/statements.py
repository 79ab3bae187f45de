"""The SQL of `sql/queries/*.sql`: every statement has a name and a description, and is loaded once.

A statement starts at `-- name: the_name`; the comment lines below it say what it does.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SQL_FOLDER = Path(__file__).resolve().parent.parent / "sql"

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def statements() -> Mapping[str, str]:
    """Every statement by its name.

    Raises:
        ValueError: two statements have one name, or one has no description.
    """
    found: dict[str, str] = {}
    for path in sorted((SQL_FOLDER / "queries").glob("*.sql")):
        parts = _NAME.split(path.read_text())[1:]
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"{path.name}: {name} is there twice")
            if not text.lstrip().startswith("--"):
                raise ValueError(f"{path.name}: {name} has no description")
            found[name] = text.strip()
    return found


def sql(name: str) -> str:
    """The text of one statement.

    Raises:
        KeyError: no statement has this name.
    """
    return statements()[name]
