"""Every page by the rules of axe, light and dark, at a desk and on a phone: none may be broken."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types

from tests.browser.conftest import Arrive
from tests.browser.visitor import Visitor
from tests.browser.walk import walk

PAGES = 17


def broken_rules(visitor: Visitor) -> list[str]:
    """What axe finds in the page that is shown: the rule, and the elements that break it."""
    found = Axe().run(visitor.page).response["violations"]
    return [f"{one['id']}: {json.dumps([node['html'][:120] for node in one['nodes'][:3]])}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_no_page_breaks_a_rule(arrive: Arrive, width: int, height: int, scheme: str) -> None:
    visitor = arrive(width=width, height=height, color_scheme=scheme)
    visitor.expect_error("404")
    broken: dict[str, list[str]] = {}
    seen: list[str] = []

    def look(name: str) -> None:
        seen.append(name)
        if rules := broken_rules(visitor):
            broken[name] = rules

    row = {(1280, "light"): "D", (1280, "dark"): "E", (390, "light"): "F", (390, "dark"): "G"}[width, scheme]
    walk(visitor, row, look)
    assert broken == {}
    assert len(seen) == PAGES, seen


def test_a_broken_rule_would_be_found(visitor: Visitor) -> None:
    visitor.page.goto("/login")
    visitor.page.get_by_label("Email").wait_for()
    assert broken_rules(visitor) == []
    visitor.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [rule.split(":")[0] for rule in broken_rules(visitor)] == ["button-name"]
