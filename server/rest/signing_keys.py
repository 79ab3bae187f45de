"""The public keys of this installation: with them anybody verifies its tickets and receipts, offline too."""

from typing import Literal

from aiohttp import web
from msgspec import Struct

from server.rest.envelope import iso, iso_or_none, ok
from server.rest.operations import Operations
from server.rest.shapes import Moment
from server.services import services

operations = Operations("server")


class SigningKey(Struct):
    """A public key. One without `retired_at` signs; what a retired one has signed stays valid."""

    key_id: str
    algorithm: Literal["Ed25519"]
    public_key: str
    created_at: Moment
    retired_at: Moment | None


@operations.get("/api/v1/signing-keys", data=list[SigningKey], is_revalidated=True)
async def signing_keys(request: web.Request) -> web.Response:
    """The public keys, the one that signs first."""
    found = await services(request).signing_keys.public_keys()
    return ok(
        [
            SigningKey(
                one.key_id, "Ed25519", one.public_key.hex(), iso(one.created_at), iso_or_none(one.retired_at)
            )
            for one in found
        ]
    )
