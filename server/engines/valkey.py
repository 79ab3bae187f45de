"""The embedded Valkey. What is in it can be lost: PostgreSQL is the truth, and the mirror rebuilds itself."""

import asyncio
import logging
import signal
import time
from contextlib import suppress
from pathlib import Path

from server.engines.addresses import RedisAddress
from server.engines.engine import Engine, State
from server.engines.errors import EngineError
from server.engines.wheels import valkey_program

log = logging.getLogger(__name__)

PING_TIMEOUT_S = 2.0
DATA = "appendonlydir"
CONFIG = """\
# Written by the server at each start of {program}.
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir {folder}
pidfile {pid_file}
daemonize no
set-proc-title no
logfile ""
loglevel notice
save ""
appendonly yes
appendfsync everysec
appenddirname {data}
maxmemory-policy noeviction
"""


class Valkey(Engine):
    """A Valkey that only we can reach."""

    title = "Valkey"
    program = "valkey-server"
    stops = ((signal.SIGTERM, 4.0), (signal.SIGKILL, 1.0))

    @property
    def folder(self) -> Path:
        return self.data_dir.valkey

    @property
    def config_file(self) -> Path:
        return self.folder / "valkey.conf"

    @property
    def address(self) -> RedisAddress:
        password = self.data_dir.secrets().redis
        return RedisAddress(host=None, port=None, unix_socket=str(self._socket), password=password)

    def config(self) -> str:
        return CONFIG.format(
            program=valkey_program(),
            socket=_quoted(self._socket),
            password=self.data_dir.secrets().redis,
            folder=_quoted(self.folder),
            pid_file=_quoted(self._pid_file),
            data=DATA,
        )

    def command(self) -> list[str]:
        return [str(valkey_program()), str(self.config_file)]

    async def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.launcher.hand_over(self.folder)

    def written_pid(self) -> int | None:
        with suppress(OSError, ValueError):
            return int(self._pid_file.read_text())
        return None

    async def state(self) -> State:
        password = self.data_dir.secrets().redis
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(self._socket)
                try:
                    writer.write(f"AUTH {password}\r\nPING\r\n".encode())
                    authenticated, pong = await reader.readline(), await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return State.SILENT
        if authenticated.startswith((b"-WRONGPASS", b"-ERR")):
            raise EngineError(
                f"The Valkey in {self.folder} does not let its own server in: {authenticated.decode()}"
            )
        if b"-LOADING" in (authenticated[:8], pong[:8]):
            return State.STARTING
        return State.READY if pong == b"+PONG\r\n" else State.SILENT

    def clear_stale_files(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._pid_file.unlink(missing_ok=True)

    def set_damage_aside(self, said: str) -> bool:
        """Begin anew, empty, when the data cannot be read; they are kept for whoever wants to look."""
        data = self.folder / DATA
        if not data.exists() or not any(word in said for word in ("append only", "AOF", "RDB")):
            return False
        aside = self.folder / f"{DATA}.damaged-{int(time.time())}"
        data.rename(aside)
        log.warning("Valkey cannot read its data: starting with none (they are now in %s)", aside)
        return True

    @property
    def _socket(self) -> Path:
        return self.data_dir.run / "valkey.sock"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
