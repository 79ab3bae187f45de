"""`/dev/mail`: the mails that the demo would have sent, for whoever sits at this machine and for nobody else.

There are keys to accounts in them: a request that came through a proxy, from another machine or under another name
finds nothing here.
"""

from html import escape

import msgspec
from aiohttp import hdrs, web

from server.door.this_machine import is_at_this_machine
from server.mail.port import Mail
from server.mail.shelf import Kept
from server.rest.envelope import Refused, iso, ok
from server.services import services

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Mail · Usher</title>
  <link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/static/style/tokens.css">
  <link rel="stylesheet" href="/static/style/base.css">
  <link rel="stylesheet" href="/static/style/pages.css">
</head>
<body>
<header class="top"><a class="brand" href="/">Usher</a></header>
<main class="page medium mails">
<h1>Mail</h1>
<p>The demo sends no mail. What it would have sent is here until the server stops, the newest first.</p>
{mails}
</main>
</body>
</html>
"""
_MAIL = """<article class="panel">
<h2>{subject}</h2>
<p class="hint">To {to}, <time datetime="{sent_at}">{sent_at}</time></p>
<p class="mail-text">{text}</p>
</article>"""

routes = web.RouteTableDef()


class ShownMail(msgspec.Struct):
    """A mail as programs see it."""

    to: str
    subject: str
    text: str
    link: str
    sent_at: str


@routes.get("/dev/mail")
async def dev_mail(request: web.Request) -> web.Response:
    """The last mails: a page for people, JSON for `Accept: application/json`."""
    shelf = services(request).mail_shelf
    if shelf is None or not is_at_this_machine(request):
        raise Refused(404, "Not found", "not_found")
    if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
        response = ok([_for_programs(kept) for kept in shelf.kept])
    else:
        mails = "\n".join(map(_for_people, shelf.kept)) or "<p>There is none yet.</p>"
        response = web.Response(text=_PAGE.format(mails=mails), content_type="text/html")
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _for_programs(kept: Kept) -> ShownMail:
    mail = kept.mail
    return ShownMail(mail.to, mail.subject, mail.text, mail.link, iso(kept.sent_at))


def _for_people(kept: Kept) -> str:
    mail = kept.mail
    return _MAIL.format(
        subject=escape(mail.subject), to=escape(mail.to), sent_at=iso(kept.sent_at), text=_text(mail)
    )


def _text(mail: Mail) -> str:
    link = escape(mail.link)
    return escape(mail.text).replace(link, f'<a href="{link}" rel="noreferrer">{link}</a>')
