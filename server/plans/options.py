"""What `import-plan` can be told on the command line."""

import argparse
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from protocol.limits import NAME_CHARS_MAX
from server.timezones import is_timezone

_PRICE_CENTS_MAX = 100_000_000
_TICKETS_MAX = 1_000
_CATEGORIES = ("concert", "sports", "theater", "comedy", "other")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `import_plan` wants to know, with what it takes when it is not told."""
    parser.add_argument("file", type=Path, help="a plan: pretix or Blocktickets JSON, CSV, SVG")
    parser.add_argument(
        "--price",
        action="append",
        default=[],
        type=price,
        metavar="NAME=AMOUNT",
        help='what a category costs, as "VIP=350" or "VIP=99.50"; once for each category',
    )
    parser.add_argument("--default-price", type=amount, metavar="AMOUNT", help="for the categories not named")
    parser.add_argument(
        "--blocked",
        action="append",
        default=[],
        metavar="CATEGORY",
        help="seats of this category are not for sale",
    )
    parser.add_argument("--currency", type=currency, default="USD", help="three letters (default: USD)")
    parser.add_argument("--name", type=title, help="of the event (default: that of the plan)")
    parser.add_argument("--artist", type=title, help="(default: the event's name)")
    parser.add_argument("--category", choices=_CATEGORIES, default="other", help="of the event")
    parser.add_argument("--venue", type=title, help="name or id; one that is there gets the plan")
    parser.add_argument("--address", default="", help="of the venue")
    parser.add_argument("--city", default="", help="of the venue")
    parser.add_argument("--country", default="", help="of the venue")
    parser.add_argument("--timezone", type=timezone, help="of the venue, such as Europe/London")
    parser.add_argument("--event-at", type=moment, metavar="TIME", help="ISO 8601 (default: in 30 days)")
    parser.add_argument("--on-sale-at", type=moment, metavar="TIME", help="ISO 8601 (default: now)")
    parser.add_argument("--max-tickets", type=tickets, default=4, help="per customer (default: 4)")
    parser.add_argument("--strict", action="store_true", help="refuse a plan that is odd in any way")
    parser.add_argument("--dry-run", action="store_true", help="only say what is in the plan")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report there, too (JSON)")


def price(text: str) -> tuple[str, int]:
    """A category and its price in cents, from `NAME=AMOUNT`."""
    name, separator, value = text.rpartition("=")
    if not separator or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=AMOUNT, as in VIP=350")
    return name.strip(), amount(value)


def amount(text: str) -> int:
    """Cents, from an amount with at most two decimals."""
    try:
        cents = Decimal(text.strip()) * 100
        exact = cents.is_finite() and cents == int(cents)
    except (InvalidOperation, ValueError, OverflowError):
        exact = False
        cents = Decimal(0)
    if not exact or not 0 <= cents <= _PRICE_CENTS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount, as 350 or 99.50")
    return int(cents)


def moment(text: str) -> datetime:
    """A time; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time, as 2027-05-01T19:30Z") from None


def title(text: str) -> str:
    """A name for people."""
    if not text.strip() or not text.isprintable() or len(text) > NAME_CHARS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a name of 1 to {NAME_CHARS_MAX} characters")
    return text.strip()


def currency(text: str) -> str:
    """A currency's three letters."""
    if len(text) != 3 or not text.isascii() or not text.isalpha():
        raise argparse.ArgumentTypeError(f"{text!r} is not a currency, as USD")
    return text.upper()


def tickets(text: str) -> int:
    """How many tickets a customer may have."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _TICKETS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_TICKETS_MAX}")
    return int(text)


def timezone(text: str) -> str:
    """A venue's time zone."""
    if not is_timezone(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no IANA time zone, such as Europe/London")
    return text
