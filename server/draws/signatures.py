"""The signatures of a draw: those of its newest head and of an entrant's receipt, by the keys that it names."""

from collections.abc import Iterable

from actors.core.draw_checks import Finding
from protocol.draw_document import DrawDocument, PublishedKey, SignedReceipt, signed_head, signed_receipt
from server.signing import Kind, canonical, is_signed_by, key_id_of


def check_head_signature(document: DrawDocument) -> list[Finding]:
    """Has the publisher signed the newest head? Also finds keys that are not what they are called."""
    forged = [key.key_id for key in document.keys if key_id_of(bytes.fromhex(key.public_key)) != key.key_id]
    head = document.last_head
    signed = canonical(signed_head(document.event_id, head))
    return [
        *(Finding("wrong_key", f"Key {key_id} is not the key that is called so") for key_id in forged),
        *_check(document, "draw-head", signed, head.key_id, head.signature, "The newest head"),
    ]


def check_receipt_signature(document: DrawDocument, receipt: SignedReceipt) -> list[Finding]:
    """Has the publisher signed this receipt?"""
    signed = canonical(signed_receipt(receipt))
    return list(_check(document, "draw-receipt", signed, receipt.key_id, receipt.signature, "The receipt"))


def check_keys(
    trusted: Iterable[PublishedKey], document: DrawDocument, receipt: SignedReceipt | None = None
) -> list[Finding]:
    """Is what is signed of one of the keys that the publisher is known by?"""
    known = {(key.key_id, key.public_key) for key in trusted}
    named = {key.key_id: key.public_key for key in document.keys}
    used = [document.last_head.key_id, *([] if receipt is None else [receipt.key_id])]
    return [
        Finding("untrusted_key", f"Key {key_id} is not among the keys that you trust")
        for key_id in dict.fromkeys(used)
        if (key_id, named.get(key_id)) not in known
    ]


def _check(
    document: DrawDocument, kind: Kind, signed: bytes, key_id: str, signature: str, what: str
) -> Iterable[Finding]:
    key = next((one for one in document.keys if one.key_id == key_id), None)
    if key is None:
        yield Finding("unknown_key", f"{what} is signed with key {key_id}, which the publisher does not name")
    elif not is_signed_by(bytes.fromhex(key.public_key), kind, signed, bytes.fromhex(signature)):
        yield Finding("wrong_signature", f"{what} is not signed by the publisher's key {key_id}")
