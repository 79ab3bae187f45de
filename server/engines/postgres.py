"""The embedded PostgreSQL."""

import asyncio
import os
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg

from server.engines.addresses import PostgresAddress
from server.engines.data_dir import POSTGRES_NAME, POSTGRES_PORT, postgres_at, sync_folder, write_private
from server.engines.engine import Engine, State
from server.engines.errors import EngineError
from server.engines.process import EngineProcess, is_alive, works_in
from server.engines.wheels import postgres_program

PING_TIMEOUT_S = 2.0
INITDB_PATIENCE_S = 60.0
"""For the rest of an initdb whose server was killed."""
INITDB_OPTIONS = (
    *("--username", POSTGRES_NAME, "--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums"),
    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
    *("--no-sync", "--no-instructions"),
)
ACCESS = "local all all scram-sha-256\n"
"""pg_hba.conf: our socket only, and never without the password."""

CONFIG = """\
# Written by the server at each start of {program}.
listen_addresses = ''
port = {port}
unix_socket_directories = {run}
unix_socket_permissions = 0700
max_connections = 100

# What was answered `accepted` survives a crash.
fsync = on
synchronous_commit = on
full_page_writes = on
# Not `minimal`: a base backup or a standby must be possible at any time, and small updates cost the same.
wal_level = replica

# Many small commits on few hot tables, on a small machine that also runs the server.
shared_buffers = 256MB
effective_cache_size = 2GB
random_page_cost = 1.1
max_wal_size = 2GB
checkpoint_timeout = 15min
autovacuum_naptime = 10s
jit = off
max_parallel_workers_per_gather = 0

timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
"""


class Postgres(Engine):
    """A PostgreSQL that only we can reach."""

    title = "PostgreSQL"
    program = "postgres"
    # Fast shutdown; immediate shutdown, with recovery at the next start; the end.
    stops = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 0.5))

    @property
    def folder(self) -> Path:
        return self.data_dir.postgres

    @property
    def config_file(self) -> Path:
        return self.folder / "postgresql.conf"

    @property
    def address(self) -> PostgresAddress:
        return postgres_at(self.data_dir.path)

    def config(self) -> str:
        run = "'" + str(self.data_dir.run).replace("'", "''") + "'"
        return CONFIG.format(program=postgres_program("postgres"), port=POSTGRES_PORT, run=run)

    def command(self) -> list[str]:
        return [str(postgres_program("postgres")), "-D", str(self.folder)]

    async def prepare(self) -> None:
        """Make the cluster at the first start: beside its place, and moved there when it is whole."""
        if self.folder.exists():
            self.launcher.hand_over(self.folder)
            return
        self.progress("Making a new PostgreSQL cluster …")
        password = self.data_dir.secrets().postgres
        lock = await self.take_lock(orphans_patience_s=INITDB_PATIENCE_S)
        draft = self.data_dir.path / f"postgres.draft-{secrets.token_hex(4)}"
        try:
            for old in self.data_dir.path.glob("postgres.draft-*"):
                shutil.rmtree(old, ignore_errors=True)
            draft.mkdir(mode=0o700)
            write_private(draft / "password", password)
            write_private(draft / "database", f"CREATE DATABASE {POSTGRES_NAME}\n")
            self.launcher.hand_over(draft)
            await self._make_cluster(draft, lock)
            write_private(draft / "cluster" / "pg_hba.conf", ACCESS)
            self.launcher.hand_over(draft / "cluster" / "pg_hba.conf")
            draft.joinpath("cluster").rename(self.folder)
            sync_folder(self.data_dir.path)
        finally:
            os.close(lock)
            shutil.rmtree(draft, ignore_errors=True)

    async def _make_cluster(self, draft: Path, lock: int) -> None:
        cluster = str(draft / "cluster")
        initdb = str(postgres_program("initdb"))
        single = [str(postgres_program("postgres")), "--single", "-D", cluster, "postgres"]
        await self._run([initdb, "-D", cluster, "--pwfile", str(draft / "password"), *INITDB_OPTIONS], lock)
        await self._run(single, lock, stdin=draft / "database")
        await self._run([initdb, "-D", cluster, "--sync-only"], lock)

    async def _run(self, command: list[str], lock: int, stdin: Path | None = None) -> None:
        file = self.data_dir.log_file(self.program)
        process = EngineProcess.of_child(self.launcher.start(command, file, lock, stdin))
        try:
            await process.ended()
        finally:
            process.send(signal.SIGTERM)  # when we are cancelled
            await asyncio.shield(process.ended())
        if process.exit_code != 0:
            raise EngineError(f"{Path(command[0]).name} failed. See the end of {file}")

    def written_pid(self) -> int | None:
        lines = self._pid_file_lines()
        return int(lines[0]) if lines and lines[0].isdigit() else None

    async def state(self) -> State:
        """Ready when it says so in its pid file and lets us in.

        `Source:` PostgreSQL, src/include/utils/pidfile.h: line 8 of postmaster.pid is the state.
        """
        lines = self._pid_file_lines()
        status = lines[7].strip() if len(lines) > 7 else "starting"
        if not lines or status != "ready":
            return State.STARTING if lines and status == "starting" else State.SILENT
        at = self.address
        try:
            connection = await asyncpg.connect(
                host=at.host,
                port=at.port,
                user=at.user,
                password=at.password,
                database=at.database,
                ssl=False,
                timeout=PING_TIMEOUT_S,
            )
            await connection.close(timeout=PING_TIMEOUT_S)
        except asyncpg.CannotConnectNowError:
            return State.STARTING
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
            raise EngineError(f"The PostgreSQL in {self.folder} does not let its own server in: {error}") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            return State.SILENT
        return State.READY

    def clear_stale_files(self) -> None:
        """PostgreSQL clears up after itself, unless the pid in its file has come to be somebody else's."""
        pid = self.written_pid()
        if pid is not None and is_alive(pid) and not works_in(pid, self.folder, self.program):
            self.folder.joinpath("postmaster.pid").unlink(missing_ok=True)
        for stale in self.data_dir.run.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)

    def _pid_file_lines(self) -> list[str]:
        with suppress(OSError):
            return self.folder.joinpath("postmaster.pid").read_text().splitlines()
        return []
