"""The tables of the reference, in Markdown: refusals, ends, limits."""

from collections.abc import Iterable, Sequence

from protocol import limits
from protocol.codes import ENDINGS, RETRIABLE, SENTENCES, Code
from protocol.outbound import rejected
from server.rest.asking import refused

_UNITS = {"BYTES": "bytes", "CHARS": "characters", "SEATS": "seats", "S": "s"}


def refusals() -> str:
    """Every refusal code, in the order in which they are checked where one is fixed."""
    rows = (
        (
            f"`{code}`",
            SENTENCES[code],
            "yes" if code in RETRIABLE else "no",
            str(_status(code)),
        )
        for code in Code
    )
    return table(("`code`", "`message`", "`retry`", "over REST"), rows)


def ends() -> str:
    """Every close code, with what a client does then."""
    return table(
        ("code", "means", "then"),
        ((str(int(code)), ending.meaning, ending.then) for code, ending in ENDINGS.items()),
    )


def limits_met() -> str:
    """Every limit that a client can meet."""
    rows = ((f"{getattr(limits, name):,} {_unit(name)}", meaning) for name, meaning in limits.MEANINGS.items())
    return table(("limit", ""), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _status(code: Code) -> int:
    # Over REST, whoever is not signed in is stopped at the door, before there is a command to refuse.
    return 401 if code is Code.NOT_SIGNED_IN else refused(rejected("", code)).status


def _unit(name: str) -> str:
    return next(unit for word, unit in _UNITS.items() if word in name.split("_"))
