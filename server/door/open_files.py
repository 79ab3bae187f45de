"""How many files this process may open: every connection is one."""

import logging
import resource

FILES_RESERVED = 256
"""Files of the process that are no connections of clients: databases, engines, logs, listening."""

FILES_WANTED = 131_072
"""More connections than one process could serve."""

log = logging.getLogger(__name__)


def raise_open_files_limit() -> None:
    """Have this process open as many files as it may: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as problem:  # macOS has a second limit, and says so only here
            log.warning("the limit of open files stays at %d: %s", soft, problem)


def connections_that_fit() -> int:
    """How many connections the files that this process may open allow."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return FILES_WANTED if soft == resource.RLIM_INFINITY else max(soft - FILES_RESERVED, soft // 2)
