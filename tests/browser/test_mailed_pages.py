"""What links in mails lead to: a new password, an address confirmed; and that the token goes nowhere else."""

import re
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import PASSWORD, Visitor


def mailed(visitor: Visitor, email: str, subject: str) -> str:
    """The link in the newest mail to this address, as soon as it is there."""
    found: list[dict[str, Any]] = []
    while not found:
        answer = visitor.page.request.get("/dev/mail", headers={"Accept": "application/json"})
        mails = answer.json()["data"]
        found = [mail for mail in mails if mail["to"] == email and mail["subject"] == subject]
    return str(found[0]["link"])


def test_a_forgotten_password_is_chosen_anew(visitor: Visitor) -> None:
    page = visitor.page
    account = {"email": "forgetful@example.org", "password": PASSWORD, "name": "Ada"}
    assert page.request.post("/api/v1/auth/register", data=account).status == 201
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill("forgetful@example.org")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    link = mailed(visitor, "forgetful@example.org", "Choose a new password")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 (Playwright takes no builtin)
    page.goto(link)
    expect(page).to_have_url(re.compile("/reset-password$"))
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("A password has at least 8 characters.")).to_be_visible()
    visitor.expect_error("400")
    page.get_by_label("Password").fill("forgetful@example.org")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("too easy to guess")
    page.get_by_label("Password").fill("seven amber lanterns")
    page.get_by_role("button", name="Change password").click()
    expect(page).to_have_url(re.compile("/login$"))
    assert len(asked) > 3
    assert not any("token" in request.all_headers().get("referer", "") for request in asked)

    page.get_by_label("Email").fill("forgetful@example.org")
    page.get_by_label("Password").fill("seven amber lanterns")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.goto(link)
    page.get_by_label("Password").fill("eight amber lanterns")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("was used already")


def test_an_address_is_confirmed_by_a_click(visitor: Visitor) -> None:
    page = visitor.page
    account = {"email": "new@example.org", "password": PASSWORD, "name": "Ada"}
    assert page.request.post("/api/v1/auth/register", data=account).status == 201
    page.goto(mailed(visitor, "new@example.org", "Confirm your e-mail address"))
    expect(page).to_have_url(re.compile("/verify-email$"))
    page.get_by_role("button", name="This is my address").click()
    expect(visitor.note).to_contain_text("Your email address is confirmed.")
    answer = page.request.post("/api/v1/auth/login", data=account)
    assert answer.json()["data"]["user"]["email_verified"] is True


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email?token="])
def test_a_link_without_its_token_says_so(visitor: Visitor, path: str) -> None:
    visitor.page.goto(path)
    expect(visitor.page.get_by_text("This link is not whole.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_all_of_it(arrive: Arrive, scheme: str) -> None:
    page = arrive(width=320, height=640, color_scheme=scheme).page
    for path in ("/forgot-password", "/reset-password?token=x", "/verify-email?token=x", "/dev/mail"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path
