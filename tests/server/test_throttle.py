"""The throttle of failures: who is sent away, for how long, and that it does not grow."""

import pytest

from server import throttle
from server.throttle import FailureThrottle
from tests.server.conftest import Clock


def test_a_name_that_fails_too_often_waits_until_the_window_ends(clock: Clock) -> None:
    failures = FailureThrottle(clock, failures_max=3, window_s=60)
    for _ in range(2):
        failures.failed("ada")
    clock.pass_s(30)
    assert failures.wait_s("ada") == 0
    failures.failed("ada")
    assert failures.wait_s("ada") == 31
    assert failures.wait_s("bob") == 0
    clock.pass_s(30)
    assert failures.wait_s("ada") == 0
    failures.failed("ada")
    assert failures.wait_s("ada") == 0


def test_a_success_forgives(clock: Clock) -> None:
    failures = FailureThrottle(clock, failures_max=1)
    failures.failed("ada")
    failures.succeeded("ada")
    failures.succeeded("bob")
    assert failures.wait_s("ada") == 0


def test_it_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "NAMES_MAX", 3)
    failures = FailureThrottle(clock, failures_max=1)
    for name in "abcd":
        failures.failed(name)
    assert [failures.wait_s(name) > 0 for name in "abcd"] == [False, True, True, True]
