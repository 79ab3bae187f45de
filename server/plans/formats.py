"""Which format a plan's file is of, by what is in it, and the plan that its reader makes of it."""

from server.plans.blocktickets import is_blocktickets, read_blocktickets
from server.plans.csv_plan import read_csv
from server.plans.json_files import json_of
from server.plans.oddities import PlanError
from server.plans.plan import Plan
from server.plans.pretix import is_pretix, read_pretix
from server.plans.svg import read_svg

PLAN_BYTES_MAX = 32 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def decoded(raw: bytes) -> Plan:
    """The plan in a file.

    Raises:
        PlanError: it is too large, of none of the formats, or cannot be read.
    """
    if len(raw) > PLAN_BYTES_MAX:
        raise PlanError(f"the file is larger than {PLAN_BYTES_MAX // 1024 // 1024} MB")
    text = raw.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not text:
        raise PlanError("the file is empty")
    if text.startswith(b"<"):
        return read_svg(text)
    if text.startswith((b"{", b"[")) or text in (b"null", b"true", b"false"):
        return _json_plan(text)
    return read_csv(raw)


def _json_plan(text: bytes) -> Plan:
    tree = json_of(text)
    if is_blocktickets(tree):
        return read_blocktickets(tree)
    if is_pretix(tree) or not isinstance(tree, dict):
        return read_pretix(tree)
    raise PlanError(
        "this JSON is no seating plan that can be read: pretix's has `zones`, that of Blocktickets `sections`, "
        "`rows` and `seats`"
    )
