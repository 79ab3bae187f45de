"""Where PostgreSQL and Redis are, embedded or not. Passwords never show in a repr."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PostgresAddress:
    """How to reach a PostgreSQL; `host` is a name, an IP address or the folder of a unix socket."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True)
class RedisAddress:
    """How to reach a Redis or Valkey: by `host` and `port`, or by the path of a unix socket."""

    host: str | None
    port: int | None
    unix_socket: str | None = None
    password: str | None = field(default=None, repr=False)
