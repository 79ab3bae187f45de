"""The pages in the visitor's language: the browser's at first, then the one that was chosen."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import COLDPLAY, Visitor


def test_the_browsers_language_is_spoken(arrive: Arrive) -> None:
    page = arrive(locale="de-AT").page
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Finden Sie Ihren Platz")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    expect(page.locator(".card").first).to_contain_text("Plätze frei")


def test_a_language_that_we_do_not_have_is_english(arrive: Arrive) -> None:
    page = arrive(locale="fr-FR").page
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Find your seat")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_chosen_language_is_remembered(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/login")
    page.get_by_role("combobox", name="Language").select_option("de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Willkommen zurück")
    page.reload()
    expect(page.get_by_role("combobox", name="Sprache")).to_have_value("de")
    visitor.expect_error("401")
    page.get_by_label("E-Mail-Adresse").fill("nobody@example.org")
    page.get_by_label("Passwort", exact=True).fill("violet kettle harbour")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_have_text("E-Mail-Adresse oder Passwort stimmt nicht.")


def test_money_and_seats_are_written_as_the_language_does(arrive: Arrive) -> None:
    visitor = arrive(locale="de-DE")
    visitor.page.goto(f"/events/{COLDPLAY}")
    expect(visitor.page.locator(".legend")).to_contain_text(re.compile(r"400\s\$"))
    expect(visitor.page.locator(".list")).to_contain_text("Platzliste")
