"""Whose word about a client's address counts, and what follows from it for cookies, origins and limits."""

import logging
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from server.door import forwarded
from server.door import who_asks as door
from server.door.client_addresses import is_loopback, is_within, neighbourhood, normal_address
from server.door.door_settings import DoorSettings
from server.door.forwarded import AskedBy, asked_by
from server.door.origin import is_foreign, is_under_tls, own_origin
from server.engines import PostgresAddress, RedisAddress
from server.services import SERVICES
from server.settings import Settings
from tests.server.conftest import some_parts
from tests.server.parts import running

TRUSTED = ("10.0.0.0/8", "fd00::/8", "127.0.0.1")
Ask = Callable[..., web.Request]


@pytest.fixture
def ask() -> Ask:
    """Makes a request as it arrives: from `peer`, with these headers."""

    def asked(
        *headers: tuple[str, str], peer: str = "10.0.0.1", proxies: tuple[str, ...] = TRUSTED, **settings: Any
    ) -> web.Request:
        app = web.Application()
        settings["door"] = DoorSettings(trusted_proxies=tuple(map(ip_network, proxies)))
        app[SERVICES] = some_parts(settings=Settings(**settings))
        request = make_mocked_request("POST", "/", headers=CIMultiDict((("Host", "inner:3001"), *headers)), app=app)
        return request.clone(remote=peer)

    return asked


def test_addresses_have_one_form() -> None:
    for text, normal in (
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.256", "unknown"),
        ("", "unknown"),
        ("_hidden", "unknown"),
    ):
        assert normal_address(text) == normal


def test_an_ipv6_address_counts_as_its_network() -> None:
    assert neighbourhood("2001:db8:1:2:3::4") == neighbourhood("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert neighbourhood("2001:db8:1:3::") != neighbourhood("2001:db8:1:2::")
    assert neighbourhood("192.0.2.1") == "192.0.2.1"
    assert neighbourhood("unknown") == "unknown"


def test_networks_and_this_machine() -> None:
    assert is_within("10.1.2.3", [ip_network("10.0.0.0/8")])
    assert not is_within("11.1.2.3", [ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
    assert not is_within("unknown", [ip_network("0.0.0.0/0"), ip_network("::/0")])
    assert [is_loopback(text) for text in ("127.0.0.5", "::1", "10.0.0.1", "unknown")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ((), "10.0.0.1"),
        ((("X-Forwarded-For", "192.0.2.1"),), "192.0.2.1"),
        ((("X-Forwarded-For", "192.0.2.1:5555"),), "192.0.2.1"),
        ((("X-Forwarded-For", "::ffff:192.0.2.1"),), "192.0.2.1"),
        ((("X-Forwarded-For", "2001:DB8::7"),), "2001:db8::7"),
        ((("X-Forwarded-For", "[2001:db8::7]:443"),), "2001:db8::7"),
        ((("X-Forwarded-For", "1.1.1.1, 192.0.2.1"),), "192.0.2.1"),
        ((("X-Forwarded-For", "1.1.1.1, 192.0.2.1, 10.0.0.2, fd00::1"),), "192.0.2.1"),
        ((("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "192.0.2.1")), "192.0.2.1"),
        ((("X-Forwarded-For", "10.0.0.3, 10.0.0.2"),), "10.0.0.3"),
        ((("X-Forwarded-For", "1.1.1.1, garbage"),), "10.0.0.1"),
        ((("X-Forwarded-For", ""),), "10.0.0.1"),
        ((("X-Forwarded-For", ", ,"),), "10.0.0.1"),
        ((("X-Forwarded-For", "1.1.1.1," * 500 + "192.0.2.1"),), "192.0.2.1"),
        ((("Forwarded", "for=192.0.2.1"),), "192.0.2.1"),
        ((("Forwarded", 'For="192.0.2.1:47011";proto=https'),), "192.0.2.1"),
        ((("Forwarded", 'for="[2001:db8::7]:4711"'),), "2001:db8::7"),
        ((("Forwarded", "for=1.1.1.1, for=192.0.2.1;by=x, for=10.0.0.9"),), "192.0.2.1"),
        ((("Forwarded", "for=unknown"),), "10.0.0.1"),
        ((("Forwarded", "for=_secret"),), "10.0.0.1"),
        ((("Forwarded", 'for="192.0.2.1'),), "10.0.0.1"),
        ((("Forwarded", "for 192.0.2.1"),), "10.0.0.1"),
        ((("Forwarded", "for=192.0.2.1"), ("X-Forwarded-For", "192.0.2.1")), "192.0.2.1"),
        ((("Forwarded", "for=9.9.9.9"), ("X-Forwarded-For", "192.0.2.1")), "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(
    ask: Ask, headers: tuple[tuple[str, str], ...], said: str
) -> None:
    assert asked_by(ask(*headers)).address == said


def test_nobody_else_may_say_who_he_is(ask: Ask) -> None:
    forged = (
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=192.0.2.1;proto=https;host=evil.example"),
    )
    direct = AskedBy("198.51.100.7", "http", "inner:3001")
    assert asked_by(ask(*forged, peer="198.51.100.7")) == direct
    assert asked_by(ask(*forged, peer="10.0.0.1", proxies=())).address == "10.0.0.1"
    assert not is_under_tls(ask(*forged, peer="198.51.100.7"))


def test_scheme_and_host_are_those_that_the_client_wrote(ask: Ask) -> None:
    for headers, scheme, host in (
        ((("X-Forwarded-Proto", "https"),), "https", "inner:3001"),
        ((("X-Forwarded-Proto", "HTTPS"), ("X-Forwarded-Host", "shop.example")), "https", "shop.example"),
        (
            (
                ("X-Forwarded-For", "192.0.2.1, 10.0.0.2"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "shop.example"),
            ),
            "https",
            "shop.example",
        ),
        (
            (("X-Forwarded-For", "1.1.1.1, 192.0.2.1, 10.0.0.2"), ("X-Forwarded-Proto", "http, https, http")),
            "https",
            "inner:3001",
        ),
        ((("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https, http")), "http", "inner:3001"),
        ((("X-Forwarded-Proto", "gopher"),), "http", "inner:3001"),
        ((("Forwarded", 'for=192.0.2.1;proto=https;host="shop.example:8443"'),), "https", "shop.example:8443"),
    ):
        by = asked_by(ask(*headers))
        assert (by.scheme, by.host) == (scheme, host), headers


def test_behind_a_proxy_that_speaks_tls_cookies_and_origin_are_for_tls(ask: Ask) -> None:
    behind = (("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"))
    assert own_origin(ask(*behind)) == "https://shop.example"
    assert is_under_tls(ask(*behind))
    assert not is_foreign(ask(*behind, ("Origin", "https://shop.example")))
    for foreign in ("http://shop.example", "https://inner:3001", "https://evil.example"):
        assert is_foreign(ask(*behind, ("Origin", foreign))), foreign
    response = web.Response()
    door.clear_cookie(ask(*behind), response)
    assert response.cookies["__Host-session"]["secure"]
    fixed = ask(*behind, ("Origin", "https://tickets.example"), public_origin="https://tickets.example")
    assert own_origin(fixed) == "https://tickets.example", "what is set wins"


def test_a_proxy_that_was_not_named_is_warned_of_once(
    ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarded, "_warned", set())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            asked_by(ask(("X-Forwarded-For", "192.0.2.1"), peer="127.0.0.1", proxies=()))
            asked_by(ask(("X-Forwarded-For", "192.0.2.1"), peer="198.51.100.7", proxies=()))
    assert [record.getMessage() for record in caplog.records] == [
        "the proxy at 127.0.0.1 is not in USHER_TRUSTED_PROXIES: whoever comes by it has its address"
    ]


async def test_limits_count_the_clients_of_a_trusted_proxy_one_by_one(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    proxies = (ip_network("127.0.0.1"),)
    limited = DoorSettings(address_per_minute=3, trusted_proxies=proxies)
    async with running(database_address, redis_address, is_rate_limited=True, door=limited) as usher:
        for address, statuses in (
            ("192.0.2.1", [200, 200, 200, 429]),
            ("192.0.2.2", [200, 200, 200, 429]),
            ("2001:db8::1", [200, 200]),
            ("2001:db8::2", [200, 429]),
        ):
            found = [
                (await usher.rest("GET", "/venues", headers={"X-Forwarded-For": address})).status for _ in statuses
            ]
            assert found == statuses, address
    forged = DoorSettings(address_per_minute=3)
    async with running(database_address, redis_address, is_rate_limited=True, door=forged) as usher:
        found = [
            (await usher.rest("GET", "/venues", headers={"X-Forwarded-For": f"192.0.2.{last}"})).status
            for last in range(4)
        ]
        assert found == [200, 200, 200, 429], "a stranger cannot take other addresses"
