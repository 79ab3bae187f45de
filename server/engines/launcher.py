"""Which user an engine runs as. PostgreSQL refuses to run as root, so root needs a way round.

As an ordinary user there is nothing to do. Root uses a user namespace in which it goes by another number: the
files stay root's and no user is needed. Where the system forbids that, an existing service user runs the
engines and gets their folders. No user is ever added, and no mode of a parent folder is ever changed.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from server.engines.data_dir import DataDir
from server.engines.errors import EngineError

NAMES_IN_NAMESPACE = ("nobody", "daemon", "bin")
"""Users whose number root may go by: PostgreSQL wants one that has a name. They get no rights by this."""
SERVICE_USERS = ("postgres", "nobody")
PROBE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Launcher:
    """How to start an engine: with a command before its own, or as another user, or as it is."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def start(self, command: list[str], log: Path, lock: int, stdin: Path | None = None) -> subprocess.Popen[bytes]:
        """Start `command` detached from our terminal, writing to `log`; it keeps `lock` open for life."""
        with log.open("ab") as output, (stdin or Path(os.devnull)).open("rb") as given:
            return subprocess.Popen(
                [*self.prefix, *command],
                stdin=given,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                pass_fds=(lock,),
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
                umask=0o077,
            )

    def hand_over(self, folder: Path) -> None:
        """Give `folder` and what is in it to the user who runs the engines, if that is not us."""
        if self.uid is None or folder.stat().st_uid == self.uid:
            return
        for path in [*folder.rglob("*"), folder]:
            os.chown(path, self.uid, self.gid or -1, follow_symlinks=False)

    def can_run(self, program: Path, folder: Path) -> bool:
        """Whether `program` runs this way and reaches `folder`."""
        script = 'cd "$1" && exec "$2" --version'
        try:
            probe = subprocess.run(
                [*self.prefix, "/bin/sh", "-c", script, "sh", str(folder), str(program)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
                timeout=PROBE_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return probe.returncode == 0


def choose_launcher(data_dir: DataDir, program: Path, *, may_be_root: bool) -> Launcher:
    """The way to start `program` on this machine, tried before it is relied on.

    A cluster that belongs to somebody is run as its owner. Where root has no way, it runs `program` itself if
    it `may_be_root`; else EngineError is raised.
    """
    if os.geteuid() != 0:
        return Launcher()
    owner = data_dir.postgres.stat().st_uid if data_dir.postgres.exists() else 0
    if owner == 0:
        in_namespace = _in_namespace()
        if in_namespace is not None and in_namespace.can_run(program, data_dir.path):
            return in_namespace
    users = [
        user for user in pwd.getpwall() if user.pw_uid == owner or (owner == 0 and user.pw_name in SERVICE_USERS)
    ]
    for user in sorted(users, key=lambda user: user.pw_name != SERVICE_USERS[0]):
        as_user = Launcher(uid=user.pw_uid, gid=user.pw_gid)
        if user.pw_uid != 0 and as_user.can_run(program, data_dir.path.parent):
            data_dir.let_pass(user.pw_gid)
            return as_user
    if may_be_root:
        return Launcher()
    raise EngineError(
        "PostgreSQL does not run as root, user namespaces are not allowed here, and no service user "
        f"({', '.join(SERVICE_USERS)}) can reach both {program} and {data_dir.path}. Start the server "
        "as an ordinary user, choose a data directory that such a user can reach, or set DB_HOST to a "
        "PostgreSQL of your own."
    )


def _in_namespace() -> Launcher | None:
    unshare = shutil.which("unshare")
    known = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    for user in (known[name] for name in NAMES_IN_NAMESPACE if name in known):
        if unshare is not None:
            return Launcher((unshare, "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", "--"))
    return None
