"""The import rules of the house, checked on the syntax trees: who may know whom, and what stays pure."""

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The most specific folder counts. A module may import these packages of ours and no others.
MAY_IMPORT = {
    "protocol": ("protocol",),
    "actors/core": ("protocol", "actors.core"),
    "actors": ("protocol", "actors"),
    "bots": ("protocol", "bots"),
    # The rehearsal's own server: started, and filled, by those who know it.
    "bots/own_server.py": ("protocol", "bots", "server"),
    "bots/own_data.py": ("protocol", "bots", "server"),
    "server": ("protocol", "actors", "server", "bots"),
}
OURS = {"protocol", "actors", "bots", "server", "tests", "sql", "static"}

PURE = ("protocol", "actors/core")
# What pure code may take from outside: nothing that waits, reads a clock, draws lots or reaches the world.
PURE_IMPORTS = {
    "abc", "base64", "bisect", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "heapq",
    "hmac", "itertools", "json", "math", "msgspec", "operator", "re", "string", "struct", "types", "typing", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "fromtimestamp", "uuid1", "uuid4", "getnode"}
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}

NAMES_FOR_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc"}
LINES_MAX = 350


def folder_of(path: PurePosixPath) -> str | None:
    """The row of the table that this module falls under."""
    rows = [folder for folder in MAY_IMPORT if path.is_relative_to(folder)]
    return max(rows, key=len, default=None)


def faults(path: PurePosixPath, source: str) -> list[str]:
    """What a module at this path must not have, one line each."""
    folder = folder_of(path)
    assert folder is not None, f"{path} is in no row of the table"
    tree = ast.parse(source)
    found = [*_import_faults(folder, tree)]
    if folder in PURE:
        found += _impurities(tree)
    if path.stem in NAMES_FOR_NOTHING:
        found.append(f"{path.name} says nothing about what is in it")
    if len(lines := source.splitlines()) > LINES_MAX:
        found.append(f"{len(lines)} lines are more than {LINES_MAX}")
    return found


def imports(tree: ast.AST) -> Iterator[str]:
    """The dotted names of everything imported anywhere in a module, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _import_faults(folder: str, tree: ast.AST) -> Iterator[str]:
    for name in imports(tree):
        if name.startswith("."):
            yield f"imports {name} by a relative path"
        elif name.split(".")[0] in OURS:
            if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in MAY_IMPORT[folder]):
                yield f"imports {name}"
        elif folder in PURE and name.split(".")[0] not in PURE_IMPORTS:
            yield f"imports {name}"


def _impurities(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await):
            yield "is async"
        elif isinstance(node, ast.Attribute) and node.attr in IMPURE_CALLS:
            yield f"uses {node.attr}"
        elif isinstance(node, ast.Name) and node.id in IMPURE_BUILTINS:
            yield f"uses {node.id}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"imports {alias.name}" for alias in node.names if alias.name in IMPURE_CALLS)


def modules() -> list[PurePosixPath]:
    """Every Python module of the product."""
    folders = {folder.split("/")[0] for folder in MAY_IMPORT}
    found = [path for folder in sorted(folders) for path in sorted((ROOT / folder).rglob("*.py"))]
    return [PurePosixPath(path.relative_to(ROOT).as_posix()) for path in found]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_module_keeps_the_rules(path: PurePosixPath) -> None:
    assert faults(path, (ROOT / path).read_text()) == []


def test_all_folders_are_looked_at() -> None:
    looked_at = {path.parts[0] for path in modules()}
    assert {"protocol", "actors", "server"} <= looked_at
    with_python = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert with_python <= OURS, "a top-level package is missing from the table"


def test_browser_modules_are_short() -> None:
    scripts = sorted((ROOT / "static").rglob("*.js"))
    too_long = [path.name for path in scripts if len(path.read_text().splitlines()) > LINES_MAX]
    assert too_long == []


FAULTY = {
    "protocol knows nobody": ("protocol/words.py", "import actors.core.rules"),
    "protocol takes from server": ("protocol/words.py", "from server import settings"),
    "the core knows the ports": ("actors/core/rules.py", "from actors import ports"),
    "the core knows the actors": ("actors/core/rules.py", "import actors"),
    "the core imports inside a function": ("actors/core/rules.py", "def f():\n    import asyncio"),
    "the core reads a clock": ("actors/core/rules.py", "from datetime import datetime\nat = datetime.now()"),
    "the core reads another clock": ("actors/core/rules.py", "from time import monotonic"),
    "the core draws lots": ("actors/core/rules.py", "import random"),
    "the core makes ids": ("actors/core/rules.py", "from uuid import uuid4"),
    "the core keeps secrets": ("actors/core/rules.py", "import secrets"),
    "the core reaches out": ("protocol/words.py", "import socket"),
    "the core opens files": ("actors/core/rules.py", "text = open('x').read()"),
    "the core imports in disguise": ("actors/core/rules.py", "__import__('time')"),
    "the core is async": ("actors/core/rules.py", "async def f(): ..."),
    "an actor knows the server": ("actors/seat_manager.py", "from server.store import PostgresStore"),
    "a relative import": ("actors/core/rules.py", "from . import holding"),
    "a bot knows the actors": ("bots/buyer.py", "from actors.core import rules"),
    "the server knows the tests": ("server/app.py", "from tests import fakes"),
    "a name for nothing": ("server/utils.py", ""),
    "a long module": ("server/app.py", "x = 1\n" * (LINES_MAX + 1)),
}


@pytest.mark.parametrize(("path", "source"), FAULTY.values(), ids=FAULTY)
def test_checker_finds(path: str, source: str) -> None:
    """The negative control: each rule goes red on a module that breaks it."""
    assert faults(PurePosixPath(path), source)


def test_checker_lets_pass() -> None:
    sound = "import heapq\nfrom actors.core import model\nfrom protocol.codes import Code\n"
    assert faults(PurePosixPath("actors/core/rules.py"), sound) == []
