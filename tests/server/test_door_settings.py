"""The settings of the door: their defaults, their variables, and what cannot be meant."""

from ipaddress import ip_network

import pytest

from server.door.door_settings import DoorSettings
from server.settings import Settings, SettingsError


def test_by_default_the_limits_are_those_of_the_contract_and_nobody_is_believed() -> None:
    door = Settings.from_env({}).door
    assert (door.reserve_per_minute, door.checkout_per_minute, door.join_per_minute) == (20, 5, 5)
    assert door.other_per_minute == 100
    assert door.address_per_minute > 10 * door.other_per_minute
    assert door.connections_max is None
    assert door.connections_per_address == 2_000
    assert door.trusted_proxies == ()


def test_every_variable_is_read() -> None:
    found = DoorSettings.from_env(
        {
            "USHER_RATE_RESERVE": "40",
            "USHER_RATE_CHECKOUT": "off",
            "USHER_RATE_JOIN": "0",
            "USHER_RATE_OTHER": " 300 ",
            "USHER_RATE_ADDRESS": "OFF",
            "USHER_CONNECTIONS_MAX": "9000",
            "USHER_CONNECTIONS_PER_ADDRESS": "off",
            "USHER_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7 ,fd00::/8",
        }
    )
    proxies = tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.7/32", "fd00::/8")))
    assert found == DoorSettings(
        reserve_per_minute=40,
        checkout_per_minute=0,
        join_per_minute=0,
        other_per_minute=300,
        address_per_minute=0,
        connections_max=9000,
        connections_per_address=0,
        trusted_proxies=proxies,
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            (name, text)
            for name in ("USHER_RATE_RESERVE", "USHER_CONNECTIONS_MAX")
            for text in ("-1", "x", "1.5", "9" * 7)
        ),
        ("USHER_RATE_OTHER", "on"),
        ("USHER_TRUSTED_PROXIES", "nginx"),
        ("USHER_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("USHER_TRUSTED_PROXIES", "10.0.0.1; 10.0.0.2"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: text})
