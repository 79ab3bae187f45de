"""The settings: defaults of the contract, variables, overrides and refusals."""

from pathlib import Path

import pytest

from server.engines.addresses import PostgresAddress, RedisAddress
from server.settings import Settings, SettingsError


def test_an_empty_environment_means_the_embedded_engines_on_port_3001() -> None:
    settings = Settings.from_env({})

    assert (settings.host, settings.port) == ("127.0.0.1", 3001)
    assert settings.database is None
    assert settings.redis is None
    assert settings.demo
    assert settings.workers == 1
    assert settings.data_dir == Path(".data")
    assert settings.cors_origin == "http://localhost:5173"
    assert settings.public_origin is None
    assert settings.admin_password is None
    assert settings.metrics_token is None
    assert settings.is_rate_limited
    assert settings.node_name


def test_a_database_host_alone_takes_the_defaults_of_the_contract() -> None:
    settings = Settings.from_env({"DB_HOST": "db", "REDIS_HOST": "cache"})

    assert settings.database == PostgresAddress("db", 5432, "ticketmaster", "ticketmaster_secret", "ticketmaster")
    assert settings.redis == RedisAddress("cache", 6379)
    assert not settings.demo, "demo data are for the embedded database, unless asked for"


def test_every_variable_is_read() -> None:
    settings = Settings.from_env(
        {
            "PORT": "4000",
            "DB_HOST": "::1",
            "DB_PORT": "5433",
            "DB_USER": "u",
            "DB_PASSWORD": "p",
            "DB_NAME": "n",
            "REDIS_HOST": "localhost",
            "REDIS_PORT": "6380",
            "REDIS_PASSWORD": "r",
            "CORS_ORIGIN": "https://Shop.example:443/",
            "USHER_PUBLIC_ORIGIN": "https://Tickets.example:443",
            "USHER_RATE_LIMIT": "off",
            "USHER_LOGINS_PER_ADDRESS": "60",
            "ADMIN_PASSWORD": " with spaces ",
            "USHER_METRICS_TOKEN": "a-token",
        }
    )

    assert settings.port == 4000
    assert settings.database == PostgresAddress("::1", 5433, "u", "p", "n")
    assert settings.redis == RedisAddress("localhost", 6380, None, "r")
    assert settings.cors_origin == "https://shop.example"
    assert settings.public_origin == "https://tickets.example"
    assert not settings.is_rate_limited
    assert settings.door.logins_per_address == 60
    assert settings.admin_password == " with spaces "
    assert settings.metrics_token == "a-token"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.from_env({"DB_HOST": "", "PORT": " ", "ADMIN_PASSWORD": ""}) == Settings.from_env({})


def test_overrides_win_unless_they_are_none() -> None:
    settings = Settings.from_env({"PORT": "4000"}, port=None, demo=False, data_dir=Path("elsewhere"), workers=2)

    assert (settings.port, settings.demo, settings.workers) == (4000, False, 2)
    assert settings.data_dir == Path("elsewhere")
    assert Settings.from_env({"PORT": "4000"}, port=0).port == 0
    assert Settings.from_env({"DB_HOST": "db"}, demo=True).demo


def test_an_override_that_is_no_setting_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="prot"):
        Settings.from_env({}, prot=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "３００１"),
        ("DB_PORT", "5432x"),
        ("REDIS_PORT", "99999999999"),
        ("CORS_ORIGIN", "*"),
        ("CORS_ORIGIN", "null"),
        ("CORS_ORIGIN", "shop.example"),
        ("CORS_ORIGIN", "https://*.example"),
        ("CORS_ORIGIN", "https://shop.example/path"),
        ("CORS_ORIGIN", "https://user@shop.example"),
        ("CORS_ORIGIN", "https://shop.example:port"),
        ("CORS_ORIGIN", "https://a.example, https://b.example"),
        ("CORS_ORIGIN", "https://a;b.example"),
        ("USHER_PUBLIC_ORIGIN", "tickets.example.org"),
        ("USHER_PUBLIC_ORIGIN", "https://tickets.example.org/shop"),
        ("USHER_PUBLIC_ORIGIN", "wss://tickets.example.org"),
        ("USHER_PUBLIC_ORIGIN", "https://a; script-src *"),
        ("USHER_RATE_LIMIT", "no"),
        ("USHER_LOGINS_PER_ADDRESS", "-1"),
        ("USHER_LOGINS_PER_ADDRESS", "many"),
        ("ADMIN_PASSWORD", "x" * 129),
        ("USHER_METRICS_TOKEN", "two words"),
        ("USHER_METRICS_TOKEN", "naïve"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({"DB_HOST": "db", "REDIS_HOST": "cache", name: value})


@pytest.mark.parametrize("overrides", [{"port": 70000}, {"workers": 0}, {"workers": 2, "port": 0}])
def test_a_bad_override_is_refused(overrides: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        Settings.from_env({}, **overrides)


def test_no_secret_shows_in_a_repr() -> None:
    settings = Settings.from_env(
        {
            "DB_HOST": "db",
            "DB_PASSWORD": "hush1",
            "REDIS_HOST": "r",
            "REDIS_PASSWORD": "hush2",
            "ADMIN_PASSWORD": "hush3",
            "USHER_METRICS_TOKEN": "hush4",
        }
    )

    assert "hush" not in repr(settings)
