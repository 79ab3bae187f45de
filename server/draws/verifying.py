"""`verify-draw URL-or-FILE`: compute a published draw again, and say what is wrong with it.

It needs nothing of ours but the published document: no database, no account.
"""

import argparse
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from actors.core.draw_checks import Finding, check_draw, check_earlier, check_receipt
from protocol.draw_document import DrawDocument, PublishedKey, SignedReceipt
from server.draws.signatures import check_head_signature, check_keys, check_receipt_signature

SOUND, BROKEN, UNREADABLE, NOT_DRAWN = 0, 1, 2, 3
"""The exit statuses. `NOT_DRAWN`: nothing is wrong, and nothing was drawn yet."""
BYTES_MAX = 256 * 1024 * 1024
"""A draw of 100,000 entries has 7.3 MB."""
FETCH_S = 120.0

_PIECE_BYTES = 256 * 1024

T = TypeVar("T")


class CannotRead(Exception):
    """The text says what cannot be read, and why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `verify_draw` wants to know."""
    parser.add_argument("draw", help="where the draw was published: an address, or a file with what was there")
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="what you were given when you joined")
    parser.add_argument("--earlier", type=Path, metavar="FILE", help="an earlier publication of this draw")
    parser.add_argument(
        "--keys",
        metavar="FILE|URL",
        help="the publisher's keys from where you trust them, as …/signing-keys says",
    )


async def verify_draw(options: argparse.Namespace, console: Console) -> int:
    """Check a draw and say what was found; answer the exit status."""
    try:
        document = _decoded(await _read(options.draw, console), DrawDocument, options.draw)
        receipt = _from_file(options.receipt, SignedReceipt)
        earlier = _from_file(options.earlier, DrawDocument)
        trusted = None
        if options.keys is not None:
            trusted = _decoded(await _read(options.keys, console), list[PublishedKey], options.keys)
    except CannotRead as problem:
        console.print(f"[red]{escape(str(problem))}[/red]", soft_wrap=True)
        return UNREADABLE
    with console.status(f"computing {document.count:,} entries …"):
        found = find_faults(document, receipt, earlier, trusted)
    _say(document, receipt, found, console)
    if found:
        return BROKEN
    return SOUND if document.status == "drawn" else NOT_DRAWN


def find_faults(
    document: DrawDocument,
    receipt: SignedReceipt | None,
    earlier: DrawDocument | None,
    trusted: list[PublishedKey] | None = None,
) -> list[Finding]:
    """Everything that is wrong, the signatures included; by the keys that the document names, unless some are
    `trusted`.
    """
    found = [*check_draw(document), *check_head_signature(document)]
    if receipt is not None:
        found += [*check_receipt_signature(document, receipt), *check_receipt(document, receipt)]
    if earlier is not None:
        found += [*check_head_signature(earlier), *check_earlier(document, earlier)]
    if trusted is not None:
        found += check_keys(trusted, document, receipt)
    return found


async def _read(source: str, console: Console) -> bytes:
    if urlsplit(source).scheme in ("http", "https"):
        return await _fetched(source, console)
    return _file(Path(source))


async def _fetched(url: str, console: Console) -> bytes:
    columns = TextColumn("fetching"), BarColumn(), DownloadColumn()
    timeout = aiohttp.ClientTimeout(total=FETCH_S)
    body = bytearray()
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
            if answer.status != 200:
                raise CannotRead(f"{url} answers with status {answer.status}")
            with Progress(*columns, console=console, transient=True) as progress:
                task = progress.add_task("fetching", total=answer.content_length)
                async for piece in answer.content.iter_chunked(_PIECE_BYTES):
                    body += piece
                    if len(body) > BYTES_MAX:
                        raise CannotRead(f"{url} has more than {BYTES_MAX:,} bytes: that is no draw")
                    progress.update(task, completed=len(body))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise CannotRead(f"{url} cannot be fetched: {str(error) or type(error).__name__}") from None
    return bytes(body)


def _file(path: Path) -> bytes:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise CannotRead(f"{path} has more than {BYTES_MAX:,} bytes: that is no draw")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise CannotRead(f"{path} cannot be read: {why}") from None


def _from_file(path: Path | None, kind: type[T]) -> T | None:
    return None if path is None else _decoded(_file(path), kind, str(path))


def _decoded(raw: bytes, kind: type[T], source: str) -> T:
    """The document itself, or as the `data` of an answer."""
    try:
        found = msgspec.json.decode(raw)
        if isinstance(found, dict) and "success" in found:
            found = found.get("data")
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        _no(source, kind, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _no(source, kind, "it is no JSON")


def _no(source: str, kind: type[object], why: str) -> NoReturn:
    names: dict[object, str] = {DrawDocument: "published draw", SignedReceipt: "receipt"}
    what = names.get(kind, "list of keys")
    raise CannotRead(f"{source} is no {what}: {why}") from None


def _say(document: DrawDocument, receipt: SignedReceipt | None, found: list[Finding], console: Console) -> None:
    table = Table(show_header=False, box=None)
    table.add_row("event", str(document.event_id))
    table.add_row("entries", f"{document.count:,}")
    table.add_row("lobby", f"{document.opened_at} to {document.closed_at or '… (it is open)'}")
    table.add_row("beacon", "none" if document.beacon is None else f"round {document.beacon.round}")
    if receipt is not None and receipt.entry_id in document.entries and document.places:
        place = document.places[document.entries.index(receipt.entry_id)]
        table.add_row("your place", f"{place:,}")
    console.print(table)
    for one in found:
        console.print(f"[red]✗ {one.code}[/red]  {escape(one.sentence)}", soft_wrap=True)
    console.print(_verdict(document, found), soft_wrap=True)


def _verdict(document: DrawDocument, found: list[Finding]) -> str:
    if found:
        return "[bold red]This draw does not hold.[/]"
    if document.status == "nobody_joined":
        return "[bold]Nobody joined:[/] there was nothing to draw."
    if document.status == "awaiting_beacon":
        return "[bold]Nothing was drawn yet:[/] the lobby is closed, and the beacon's round awaited. Keep this."
    if document.status == "lobby":
        return (
            "[bold]Nothing was drawn yet.[/] Keep this publication: with --earlier it shows what is changed later."
        )
    proven = "[bold green]This draw holds:[/] these entries, this seed and this order belong together."
    if document.beacon is not None:
        return f"{proven} Compare the beacon's round with what {escape(document.beacon.url)} says."
    return f"{proven} Without a beacon that protects from entrants, not from the operator."
