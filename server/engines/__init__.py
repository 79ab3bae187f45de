"""PostgreSQL and Valkey as parts of the server: found in their wheels, run under a supervisor of ours."""

from server.engines.addresses import PostgresAddress, RedisAddress
from server.engines.data_dir import postgres_at
from server.engines.embedded import Engines
from server.engines.errors import DataDirInUse, EngineError

__all__ = ["DataDirInUse", "EngineError", "Engines", "PostgresAddress", "RedisAddress", "postgres_at"]
