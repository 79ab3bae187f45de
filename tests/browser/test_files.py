"""The page names every module, so that the browser fetches them side by side and not one after the other."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
INLINE = re.compile(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", re.IGNORECASE)


def test_every_module_is_preloaded() -> None:
    page = (STATIC / "index.html").read_text()
    named = set(re.findall(r'(?:modulepreload" href|module" src)="/static/([^"]+)"', page))
    assert named == {str(path.relative_to(STATIC)) for path in STATIC.rglob("*.js")}


def test_nothing_is_inline() -> None:
    assert not INLINE.search((STATIC / "index.html").read_text())
    for path in STATIC.rglob("*.js"):
        text = path.read_text()
        assert text.startswith("// @ts-check\n"), path
        assert not re.search(r"innerHTML|insertAdjacentHTML|\beval\(|new Function", text), path


def test_pure_modules_know_no_page() -> None:
    for path in (STATIC / "state").glob("*.js"):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        assert not re.search(r"\b(document|window|WebSocket|fetch|setTimeout|requestAnimationFrame)\b", text), path
        for imported in re.findall(r"from '([^']+)'", text):
            assert imported.startswith("./"), f"{path} imports {imported}"
