"""What schemathesis is to look for beside its own checks; SCHEMATHESIS_HOOKS names this module to it."""

from typing import Any

import schemathesis
from schemathesis.checks import CheckContext

INSIDE = ("asyncpg", "sqlstate", 'relation "', "syntax error at", "traceback", "psycopg", "msgspec.")
"""Words of the inside that no client ever needs."""


@schemathesis.check
def says_nothing_of_the_inside(
    ctx: CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """No word of the database or of the libraries in an answer, its headers included."""
    said = (response.text + str(response.headers)).casefold()
    found = [word for word in INSIDE if word in said]
    assert not found, f"an answer speaks of {', '.join(found)}"
