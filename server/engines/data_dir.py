"""The data directory of one server: its lock, its secrets and the folders of its engines.

lock            held for as long as a server lives; says which
secrets.json    the engines' passwords, made once
postgres/       the cluster            log/    what the engines say
valkey/         the append-only file   run/    the sockets, for us alone
"""

import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from server.engines.addresses import PostgresAddress
from server.engines.errors import DataDirInUse, EngineError

SOCKET_PATH_BYTES_MAX = 100
"""Systems differ (Linux 107, macOS 103); a little less is good for all."""
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432"
POSTGRES_NAME = "ticketmaster"
"""The superuser and the database."""
POSTGRES_PORT = 5432
"""Only a part of the socket's name here."""
LOG_BYTES_MAX = 16 * 1024 * 1024
"""A log that has grown beyond this is put aside at the next start."""


@dataclass(frozen=True)
class Secrets:
    """The passwords of the engines."""

    postgres: str = field(repr=False)
    redis: str = field(repr=False)


class DataDir:
    """A data directory that is ours until `close`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.postgres = path / "postgres"
        self.valkey = path / "valkey"
        self.log = path / "log"
        self.run = _run_folder(path)
        self._lock = lock

    @classmethod
    def open(cls, path: Path, warn: Callable[[str], None]) -> Self:
        """Make the directory if it is new, and take it.

        Raises DataDirInUse when a live server has it, EngineError when it is not fit to keep secrets.
        """
        path = path.resolve()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
            _check_is_ours(path, warn)
            lock = _take_lock(path / "lock")
        except OSError as error:
            raise EngineError(f"The data directory {path} cannot be used: {error.strerror}") from error
        try:
            data_dir = cls(path, lock)
            data_dir.log.mkdir(mode=0o700, exist_ok=True)
        except BaseException:
            os.close(lock)
            raise
        return data_dir

    def close(self) -> None:
        """Let another server have the directory."""
        os.ftruncate(self._lock, 0)
        os.close(self._lock)

    def secrets(self) -> Secrets:
        """The engines' passwords, made at the first call. Raises EngineError when they are lost."""
        file = self.path / "secrets.json"
        if file.exists():
            try:
                return Secrets(**json.loads(file.read_text()))
            except (ValueError, TypeError) as error:
                raise EngineError(f"{file} is damaged: without it the engines cannot be reached") from error
        if self.postgres.exists():
            raise EngineError(f"{file} is missing: without it the PostgreSQL in {self.postgres} cannot be reached")
        made = Secrets(postgres=secrets.token_urlsafe(32), redis=secrets.token_urlsafe(32))
        write_private(file, json.dumps(asdict(made)))
        return made

    def log_file(self, name: str) -> Path:
        """The log of the engine `name`; one that has grown too long is put aside first."""
        file = self.log / f"{name}.log"
        if file.exists() and file.stat().st_size > LOG_BYTES_MAX:
            file.replace(file.with_suffix(".log.1"))
        return file

    def make_run_folder(self, uid: int | None) -> None:
        """Make the folder of the sockets; `uid` is the user who runs the engines, if that is not us.

        Raises EngineError when somebody else has put something in its place.
        """
        self.run.mkdir(mode=0o700, exist_ok=True)
        status = self.run.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), uid) or status.st_mode & 0o077:
            raise EngineError(
                f"{self.run} is not a private folder of ours: remove it, or choose another --data-dir"
            )

    def let_pass(self, gid: int) -> None:
        """Let the group `gid`, of the user who runs the engines, pass through this folder (not list it)."""
        os.chown(self.path, -1, gid)
        self.path.chmod(stat.S_IMODE(self.path.stat().st_mode) | stat.S_IXGRP)


def postgres_at(path: Path) -> PostgresAddress:
    """Where the PostgreSQL of a data directory answers while a server has it. Takes nothing, starts nothing.

    Raises EngineError when there is none.
    """
    try:
        password = Secrets(**json.loads((path / "secrets.json").read_text())).postgres
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(f"{path} is no data directory of a server: {error}") from error
    return PostgresAddress(str(_run_folder(path.resolve())), POSTGRES_PORT, POSTGRES_NAME, password, POSTGRES_NAME)


def write_private(file: Path, text: str) -> None:
    """Write `file`, readable by us alone, whole or not at all."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_is_ours(path: Path, warn: Callable[[str], None]) -> None:
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if os.geteuid() not in (0, status.st_uid):
        raise EngineError(f"The data directory {path} belongs to another user")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise EngineError(f"Others may write in the data directory {path}: chmod go-w it, or choose another")
    if mode & (stat.S_IROTH | stat.S_IXOTH):
        warn(f"Others may list the data directory {path} (chmod 700 hides it); what is in it stays private")


def _take_lock(file: Path) -> int:
    """An open, locked file. It is not inherited, so the lock ends with this process however that ends."""
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 20, 0).decode(errors="replace").strip()
        os.close(lock)
        who = f"process {owner}" if owner else "another process"
        raise DataDirInUse(
            f"{who.capitalize()} is a live server with the data directory {file.parent}. "
            "Stop it, or choose another directory with --data-dir."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _run_folder(path: Path) -> Path:
    """The folder of the sockets: `run`, or one among the temporary files where the path is too long."""
    inside = path / "run"
    if len(os.fsencode(inside)) + len(LONGEST_SOCKET_NAME) <= SOCKET_PATH_BYTES_MAX:
        return inside
    owner = path.stat().st_uid
    name = f"usher-{owner}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"
    return Path(tempfile.gettempdir()) / name
