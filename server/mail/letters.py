"""What the mails say. `origin` is what stands before the path of a link: `https://tickets.example.org`.

Nothing in them is chosen by whoever asked for them, not even a name: the address may be somebody else's.
"""

from server.mail.port import Mail

RESET_PATH = "/reset-password"
VERIFY_PATH = "/verify-email"

_RESET = """\
Hello,

somebody asked for a new password for your account. If it was you, choose one here within an hour:

{link}

If it was not you, there is nothing to do: your password stays as it is, and this link runs out by itself.
"""

_VERIFY = """\
Hello,

please confirm that this is your e-mail address:

{link}

If you have not made an account with us, somebody mistyped an address: there is nothing to do.
"""


def reset_letter(origin: str, to: str, token: str) -> Mail:
    """The mail with which its reader may choose a new password."""
    link = f"{origin}{RESET_PATH}?token={token}"
    return Mail(to, "Choose a new password", _RESET.format(link=link), link)


def verification_letter(origin: str, to: str, token: str) -> Mail:
    """The mail by whose link an address is proven."""
    link = f"{origin}{VERIFY_PATH}?token={token}"
    return Mail(to, "Confirm your e-mail address", _VERIFY.format(link=link), link)
