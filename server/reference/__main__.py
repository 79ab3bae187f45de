"""Writes the reference into `docs/`."""

import json
from pathlib import Path

from server.reference.asyncapi import asyncapi
from server.reference.page import page
from server.reference.schema import schema

DOCS = Path(__file__).resolve().parents[2] / "docs"


def files() -> dict[str, str]:
    """The text of each file, by its path in `docs/`."""
    return {
        "protocol.md": page(),
        "protocol/schema.json": _written(schema()),
        "protocol/asyncapi.json": _written(asyncapi()),
    }


def _written(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in files().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
