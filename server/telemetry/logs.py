"""The log: JSON lines on stderr, or a form for people where stderr is a terminal, and no secret in either.

Modules log through the standard library, further fields as `extra`. Whatever they and the libraries say passes
`without_secrets` last, also what an exception quotes.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

from server.door.correlation import current_id
from server.settings import SettingsError

FORMATS = ("json", "console")
HIDDEN = "[hidden]"

_SECRET_FIELDS = frozenset(
    {
        "authorization",
        "cookie",
        "cookies",
        "email",
        "password",
        "session",
        "session_id",
        "sessionid",
        "ticket",
        "token",
    }
)
_NAMED = re.compile(
    r"""(?ix)
    ( \b (?: (?:set-)?cookie | authorization | x-session-id ) ["']? \s* [:=,] \s* ) .*    # a header: the whole line
    | ( (?: passw(?:or)?d | token | ticket | session_?id ) ["']? \s* [:=] \s*             # password: "…", ?ticket=…
        | session = )
      (?: "[^"]*" | '[^']*' | [^\s&;,)}\]]+ )
    """
)
_APART = r"""\s@"'<>()\[\]{},;:=/\\"""
_BARE = re.compile(
    rf"""(?ix)
    \b bearer \s+ \S+
    | (?<! [^{_APART}] ) [^{_APART}]++ @ [^{_APART}]++    # an address; looked for at the start of words alone
    | (?<! [\w-] ) [A-Za-z0-9_-]{{43}} (?! [\w-] )     # the form of every session id and ticket
    """
)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def set_up(environ: Mapping[str, str]) -> None:
    """Have all loggers write to stderr, as `USHER_LOG` (the level) and `USHER_LOG_FORMAT` say.

    Raises:
        SettingsError
    """
    level = environ.get("USHER_LOG", "").strip().upper() or "WARNING"
    levels = logging.getLevelNamesMapping()
    if level not in levels:
        raise SettingsError(f"USHER_LOG must be one of {', '.join(levels)}, not {level!r}")
    form = environ.get("USHER_LOG_FORMAT", "").strip() or FORMATS[sys.stderr.isatty()]
    if form not in FORMATS:
        raise SettingsError(f"USHER_LOG_FORMAT must be json or console, not {form!r}")
    logging.basicConfig(level=level, handlers=[log_handler(sys.stderr, form)])


def log_handler(stream: TextIO, form: str) -> logging.Handler:
    """A handler that writes lines of this form, `json` or `console`, to the stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                _add_correlation_id,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_json_form() if form == "json" else _console_form(stream)),
            ],
        )
    )
    return handler


def without_secrets(said: Any) -> Any:
    """The same with every secret hidden, whether a field's name or the form of a text gives it away."""
    if isinstance(said, str):
        return _BARE.sub(HIDDEN, _NAMED.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", said))
    if isinstance(said, Mapping):
        return {
            str(name): HIDDEN if str(name).lower() in _SECRET_FIELDS else without_secrets(value)
            for name, value in said.items()
        }
    if isinstance(said, list | tuple):
        return [without_secrets(one) for one in said]
    if said is None or isinstance(said, bool | int | float):
        return said
    return without_secrets(repr(said))


def _json_form() -> list[Processor]:
    # Without the frames' local variables: they are where the secrets are.
    tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [
        tracebacks,
        structlog.processors.EventRenamer("message"),
        _hide_secrets,
        structlog.processors.JSONRenderer(),
    ]


def _console_form(stream: TextIO) -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        _hide_secrets,
        _keep_to_the_line,
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback),
    ]


def _add_correlation_id(_logger: Any, _method: str, line: EventDict) -> EventDict:
    if correlation_id := current_id():
        line.setdefault("correlation_id", correlation_id)
    return line


def _hide_secrets(_logger: Any, _method: str, line: EventDict) -> EventDict:
    hidden: EventDict = without_secrets(line)
    return hidden


def _keep_to_the_line(_logger: Any, _method: str, line: EventDict) -> EventDict:
    """A path or an id may have line feeds and escapes in it, which would forge lines or move the cursor."""
    return {
        name: value.translate(_CONTROLS) if isinstance(value, str) and name != "exception" else value
        for name, value in line.items()
    }
