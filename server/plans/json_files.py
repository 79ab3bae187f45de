"""JSON from strangers: decoded, or refused with its place."""

from typing import Any, TypeVar

import msgspec

from server.plans.oddities import PlanError

T = TypeVar("T")


def json_of(raw: bytes) -> Any:
    """What the file says.

    Raises:
        PlanError: it is not JSON.
    """
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError as error:  # a number that no float can hold
        raise PlanError(f"the file: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"the file is not JSON: {error}") from None
    except RecursionError:
        raise PlanError("the file is nested too deeply") from None


def converted(tree: Any, kind: type[T]) -> T:
    """The tree as `kind`.

    Raises:
        PlanError: it is something else; the sentence says where.
    """
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        place = where.strip("`").removeprefix("$").removeprefix(".")
        raise PlanError(f"{place or 'the file'}: {problem}") from None
