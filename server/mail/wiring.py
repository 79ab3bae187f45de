"""Which mailer a server has."""

from collections.abc import Callable
from datetime import datetime

from server.mail.port import Mailer, NoMailer
from server.mail.shelf import Shelf
from server.mail.smtp import SmtpMailer
from server.settings import Settings


def mailer_for(settings: Settings, now: Callable[[], datetime]) -> Mailer:
    """SMTP where it is set; else a shelf for the demo, and nobody for everything else."""
    if settings.smtp is not None:
        return SmtpMailer(settings.smtp)
    return Shelf(now) if settings.demo else NoMailer()
