"""Both embedded engines of one data directory."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Self

from server.engines.addresses import PostgresAddress, RedisAddress
from server.engines.data_dir import DataDir
from server.engines.engine import Engine
from server.engines.launcher import choose_launcher
from server.engines.postgres import Postgres
from server.engines.valkey import Valkey
from server.engines.wheels import postgres_program, valkey_program


def _say_nothing(_sentence: str) -> None: ...


class Engines:
    """The engines that were asked for, alive and started again when they die, until `stop`.

    They have their own session and go on when this process is killed; the next start finds them again.
    """

    def __init__(self, data_dir: DataDir, postgres: Postgres | None, valkey: Valkey | None) -> None:
        self._data_dir = data_dir
        self._postgres = postgres
        self._valkey = valkey

    @classmethod
    async def start(
        cls,
        data_dir: Path,
        *,
        postgres: bool = True,
        redis: bool = True,
        progress: Callable[[str], None] = _say_nothing,
    ) -> Self:
        """Take the data directory and have the engines answer; `progress` is told what takes its time.

        An engine that is not asked for, but was left behind by an earlier server, is ended.
        Raises DataDirInUse, EngineError.
        """
        taken = DataDir.open(data_dir, progress)
        engines = cls(taken, None, None)
        try:
            program = postgres_program("postgres") if postgres else valkey_program()
            launcher = choose_launcher(taken, program, may_be_root=not postgres)
            taken.make_run_folder(launcher.uid)
            launcher.hand_over(taken.run)
            both = Postgres(taken, launcher, progress), Valkey(taken, launcher, progress)
            engines._postgres = both[0] if postgres else None
            engines._valkey = both[1] if redis else None
            unwanted = [engine for engine in both if engine not in engines._wanted() and engine.folder.exists()]
            taken.secrets()
            await _all(
                *(engine.start() for engine in engines._wanted()),
                *(engine.end_left_over() for engine in unwanted),
            )
        except BaseException:
            await engines.stop()
            raise
        return engines

    @property
    def postgres(self) -> PostgresAddress | None:
        return None if self._postgres is None else self._postgres.address

    @property
    def redis(self) -> RedisAddress | None:
        return None if self._valkey is None else self._valkey.address

    @property
    def postgres_pid(self) -> int | None:
        return None if self._postgres is None else self._postgres.pid

    @property
    def redis_pid(self) -> int | None:
        return None if self._valkey is None else self._valkey.pid

    async def stop(self) -> None:
        """Stop the engines and give the data directory back, within 6 s."""
        try:
            await _all(*(engine.stop() for engine in self._wanted()))
        finally:
            self._data_dir.close()

    def _wanted(self) -> list[Engine]:
        return [engine for engine in (self._postgres, self._valkey) if engine is not None]


async def _all(*work: Coroutine[None, None, None]) -> None:
    """Do all at once and wait for all of it, then raise the first failure, if any."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
