"""The locales say the same things, and no view says anything by itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).resolve().parents[1] / "static"
LOCALES = {path.stem: json.loads(path.read_text()) for path in sorted((STATIC / "locales").glob("*.json"))}
FORMS = {"zero", "one", "two", "few", "many", "other"}
USED = re.compile(r"\bT\.([a-zA-Z_]+(?:\.[a-zA-Z_]+)*)")
OWN_WORDS = ("list_of", "short")
"""Made in texts.js, of no words."""
LITERAL = re.compile(r"'([^'\n]*)'|`([^`]*)`|\"([^\"\n]*)\"")
SAID = re.compile(r"[A-Z][a-z]+ [a-z]+|[a-z]{2,} [a-z]{2,} [a-z]{2,}")
TEXT_CHILD = re.compile(r"h\('[^']*', (?:null|\{[^}]*\}), '[^']*[A-Za-z]{2}")


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each text with its path; the plural forms of one are one text."""
    if isinstance(tree, dict) and not ("other" in tree and tree.keys() <= FORMS):
        for key, value in tree.items():
            yield from leaves(value, f"{path}.{key}".removeprefix("."))
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            yield from leaves(value, f"{path}.{place}")
    else:
        yield path, tree


def places(text: Any) -> list[set[str]]:
    return [set(re.findall(r"\{\d\}", form)) for form in (text.values() if isinstance(text, dict) else [text])]


def scripts() -> list[Path]:
    return [path for path in STATIC.rglob("*.js") if "state" not in path.parts]


def spoken(source: str) -> list[str]:
    """What in this source looks like words for people."""
    code = re.sub(r"/\*.*?\*/|^\s*//[^\n]*| // [^\n]*", "", source, flags=re.DOTALL | re.MULTILINE)
    code = re.sub(r"preserveAspectRatio: '[^']*'|new Error\([^\n]*\)|console\.\w+\([^\n]*\)", "", code)
    texts = ["".join(found) for found in LITERAL.findall(code)]
    attributes = re.findall(r"(?:title|placeholder|'aria-label'): '([^']+)'", code)
    return (
        [text for text in texts if SAID.search(re.sub(r"\$\{[^}]*\}", "", text))]
        + TEXT_CHILD.findall(code)
        + attributes
    )


@pytest.mark.parametrize("name", [name for name in LOCALES if name != "en"])
def test_a_translation_has_every_text_and_every_place(name: str) -> None:
    english, other = dict(leaves(LOCALES["en"])), dict(leaves(LOCALES[name]))
    assert list(other) == list(english)
    for path, text in english.items():
        assert type(other[path]) is type(text), path
        assert set().union(*places(other[path])) == set().union(*places(text)), path
        if path.endswith(".value"):
            assert other[path] == text, path


def test_plural_forms_have_the_same_places() -> None:
    for locale in LOCALES.values():
        for path, text in leaves(locale):
            assert all(form == places(text)[0] for form in places(text)), path


def test_every_text_that_a_view_names_is_there() -> None:
    for path in scripts():
        for name in USED.findall(path.read_text()):
            here: Any = LOCALES["en"]
            for part in name.split("."):
                if part in OWN_WORDS or not isinstance(here, dict):
                    break
                assert part in here, f"{path.name} names T.{name}"
                here = here[part]


def test_no_view_says_anything_by_itself() -> None:
    assert spoken("h('p', null, 'Pick your seats')")
    assert spoken("h('p', { title: 'Seats' })")
    for path in scripts():
        assert spoken(path.read_text()) == [], path
