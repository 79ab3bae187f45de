"""How many files a process may open: every bot is one."""

import contextlib
import resource

WANTED = 131_072
RESERVED = 256
"""Files that are no bots: requests over REST, pipes, logs, what the interpreter needs."""


def most() -> int:
    """As many as this process, and those that it starts, may open once they have raised their limit."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)


def raise_limit() -> None:
    """Have this process open as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < most():
        with contextlib.suppress(OSError, ValueError):  # macOS has a second limit, and says so only here
            resource.setrlimit(resource.RLIMIT_NOFILE, (most(), hard))
