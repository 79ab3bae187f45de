"""Mail: by SMTP to a real little server, the line before it, the demo's shelf, and what is logged without any."""

import asyncio
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from email.headerregistry import Address

import pytest

from server.ending import end
from server.mail.letters import reset_letter, verification_letter
from server.mail.outgoing import LETTERS_MAX, Letter, Outgoing
from server.mail.port import Mail, MailAway, Mailer, MailRefused, NoMailer
from server.mail.shelf import MAILS_MAX, Shelf
from server.mail.smtp import THREADS, SmtpMailer
from server.mail.smtp_address import SmtpAddress
from server.mail.wiring import mailer_for
from server.settings import Settings, SettingsError
from tests.server.conftest import Clock
from tests.server.parts import DEADLINE_S
from tests.server.smtp_server import SmtpServer, smtp_server

TOKEN = "t" * 43
LEAVES = """
import asyncio, sys
from email.headerregistry import Address
from server.mail import smtp
from server.mail.port import Mail
smtp.STEP_MAX_S = 600.0
at = smtp.SmtpAddress("127.0.0.1", int(sys.argv[1]), Address(addr_spec="t@example.org"), False)
async def leave():
    sending = asyncio.create_task(smtp.SmtpMailer(at).send(Mail("a@example.org", "Hello", "text", "link")))
    await asyncio.wait([sending], timeout=0.1)
    assert not sending.done()
    sending.cancel()
asyncio.run(leave())
"""
"""A program that ends while a mail is under way."""
MAIL = reset_letter("https://tickets.example.org", "ada@example.org", TOKEN)
ENVIRONMENT = {
    "USHER_SMTP_URL": "smtp://mail.example.org",
    "USHER_MAIL_FROM": "tickets@example.org",
    "USHER_PUBLIC_ORIGIN": "https://tickets.example.org",
}


@pytest.fixture
async def post_office() -> AsyncIterator[SmtpServer]:
    async with smtp_server() as server:
        yield server


@pytest.fixture
def mailer(post_office: SmtpServer) -> SmtpMailer:
    return SmtpMailer(address_of(post_office))


def address_of(server: SmtpServer) -> SmtpAddress:
    return SmtpAddress("127.0.0.1", server.port, Address("The Hall", addr_spec="tickets@example.org"), False)


class TestSmtp:
    """The standard library's client against a real server."""

    async def test_a_mail_arrives(self, mailer: SmtpMailer, post_office: SmtpServer) -> None:
        await mailer.send(MAIL)
        (taken,) = post_office.taken
        assert taken.sender == "tickets@example.org"
        assert taken.recipients == ["ada@example.org"]
        assert taken.message["To"] == "ada@example.org"
        assert taken.message["From"] == "The Hall <tickets@example.org>"
        assert taken.message["Subject"] == "Choose a new password"
        assert taken.message["Auto-Submitted"] == "auto-generated"
        assert taken.message["Message-ID"].endswith("@example.org>")
        assert taken.message["Date"]
        body = taken.message.get_content().replace("\r\n", "\n")
        assert body == MAIL.text
        assert f"https://tickets.example.org/reset-password?token={TOKEN}\n" in body
        assert post_office.logins == []

    async def test_it_signs_in_where_it_is_told_to(self, post_office: SmtpServer) -> None:
        mailer = SmtpMailer(replace(address_of(post_office), user="usher", password="p@ss:word"))
        await mailer.send(MAIL)
        assert post_office.logins == [("usher", "p@ss:word")]
        assert len(post_office.taken) == 1

    async def test_a_password_is_not_told_to_others_in_the_clear(
        self, post_office: SmtpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.mail.smtp.is_loopback", lambda _: False)
        mailer = SmtpMailer(replace(address_of(post_office), user="usher", password="secret"))
        with pytest.raises(MailRefused):
            await mailer.send(MAIL)
        assert (post_office.logins, post_office.taken) == ([], [])

    @pytest.mark.parametrize(
        ("answer", "trouble"),
        [("550 no such person", MailRefused), ("450 mailbox busy", MailAway), ("421 going away", MailAway)],
    )
    async def test_refusals_for_good_and_for_now(
        self, mailer: SmtpMailer, post_office: SmtpServer, answer: str, trouble: type[Exception]
    ) -> None:
        post_office.refusals.append(f"{answer} ada@example.org")
        with pytest.raises(trouble) as caught:
            await mailer.send(MAIL)
        assert str(caught.value) == f"SMTP {answer[:3]}", "what the server says may name the customer"

    async def test_a_server_that_is_away(self, post_office: SmtpServer) -> None:
        mailer = SmtpMailer(replace(address_of(post_office), port=1))
        with pytest.raises(MailAway):
            await mailer.send(MAIL)

    @pytest.mark.parametrize(
        "to",
        ["a,b@example.org", "<x>@example.org", "a@b@c", "a@[", "@", "ada", '"@example.org', "jürgen@example.org"],
    )
    async def test_a_strange_address_makes_no_second_recipient(
        self, mailer: SmtpMailer, post_office: SmtpServer, to: str
    ) -> None:
        with pytest.raises(MailRefused):
            await mailer.send(Mail(to, "Hello", "text", "link"))
        assert post_office.taken == []

    async def test_the_loop_goes_on_meanwhile(self, mailer: SmtpMailer, post_office: SmtpServer) -> None:
        """The server is on this very loop: a client that blocked it would wait for ever."""
        await asyncio.gather(*(mailer.send(MAIL) for _ in range(5)))
        assert len(post_office.taken) == 5

    async def test_two_are_under_way_at_once(self, mailer: SmtpMailer, monkeypatch: pytest.MonkeyPatch) -> None:
        in_pairs, under_way, most = threading.Barrier(2, timeout=5), set[int](), []

        def send(_: SmtpMailer, __: Mail) -> None:
            under_way.add(threading.get_ident())
            in_pairs.wait()
            most.append(len(under_way))
            in_pairs.wait()
            under_way.discard(threading.get_ident())

        monkeypatch.setattr(SmtpMailer, "_send", send)
        await asyncio.gather(*(mailer.send(MAIL) for _ in range(6)))
        assert max(most) == THREADS == 2

    def test_a_server_that_does_not_answer_keeps_no_process_alive(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = str(silent.getsockname()[1])
            subprocess.run([sys.executable, "-c", LEAVES, port], check=True, timeout=60)


class Moody(Mailer):
    """Raises its `moods`, one a try; then it takes all."""

    def __init__(self, *moods: Exception) -> None:
        self.moods = list(moods)
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        if self.moods:
            raise self.moods.pop(0)
        self.sent.append(mail)


async def a_letter() -> Mail:
    return MAIL


async def no_letter() -> None:
    """Nobody is to get a mail."""


async def a_failing_letter() -> Mail:
    raise RuntimeError("hush: ada@example.org")


async def all_sent(mailer: Mailer, *letters: Letter) -> None:
    """Post these and wait until they are sent or given up."""
    async with one_writer(mailer, (0, 0)) as outgoing:
        for letter in letters:
            outgoing.post(letter)
        await outgoing.all_sent()


@asynccontextmanager
async def one_writer(mailer: Mailer, pauses_s: Sequence[float]) -> AsyncIterator[Outgoing]:
    """The line before this mailer, with one to send what comes."""
    outgoing = Outgoing(mailer, pauses_s)
    work = asyncio.create_task(outgoing.run())
    yield outgoing
    await end(work)


class Numbered(Mailer):
    """Told by the address, a mail's number, it takes it or is away; `tries` are the numbers that it saw."""

    def __init__(self, *away: str) -> None:
        self.away = set(away)
        self.tries: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, mail: Mail) -> None:
        self.tries.put_nowait(mail.to)
        if mail.to in self.away:
            raise MailAway("SMTP 450")

    async def saw(self, count: int) -> list[str]:
        """The next so many tries."""
        async with asyncio.timeout(DEADLINE_S):
            return [await self.tries.get() for _ in range(count)]


def numbered(number: int) -> Letter:
    async def letter() -> Mail:
        return Mail(str(number), "Hello", "text", "link")

    return letter


class Silent(Mailer):
    """Never done with a mail."""

    async def send(self, mail: Mail) -> None:
        await asyncio.Event().wait()


class TestOutgoing:
    """The line before the mailer."""

    async def test_trouble_is_tried_again_a_few_times(self, caplog: pytest.LogCaptureFixture) -> None:
        mailer = Moody(MailAway("SMTP 450"), MailAway("SMTP 450"))
        await all_sent(mailer, a_letter)
        assert mailer.sent == [MAIL]
        mailer = Moody(MailAway("SMTP 450"), MailAway("SMTP 450"), MailAway("SMTP 450"))
        await all_sent(mailer, a_letter)
        assert mailer.sent == []
        assert "a mail was not sent: SMTP 450" in caplog.text

    async def test_what_is_refused_is_not_tried_again(self) -> None:
        mailer = Moody(MailRefused("SMTP 550"))
        await all_sent(mailer, a_letter)
        assert mailer.sent == []

    async def test_whatever_happens_the_others_are_sent(self) -> None:
        mailer = Moody(ValueError("unforeseen"))
        await all_sent(mailer, *[a_failing_letter] * 5, no_letter, a_letter, a_letter)
        assert mailer.sent == [MAIL]

    async def test_a_letter_that_is_to_be_tried_again_keeps_nobody_waiting(self) -> None:
        mailer = Numbered("0", "1", "2")
        async with one_writer(mailer, (3600,)) as outgoing:
            for number in range(5):
                outgoing.post(numbered(number))
            assert await mailer.saw(5) == ["0", "1", "2", "3", "4"]

    async def test_it_stands_in_the_line_again_as_it_was_written(self) -> None:
        written = list[int]()

        async def letter() -> Mail:
            written.append(1)
            return Mail("0", "Hello", "text", "link")

        mailer = Numbered("0")
        async with one_writer(mailer, (0, 0)) as outgoing:
            for posted in (letter, numbered(1), numbered(2)):
                outgoing.post(posted)
            await outgoing.all_sent()
            assert sorted(await mailer.saw(5)) == ["0", "0", "0", "1", "2"]
            assert written == [1]

    async def test_what_is_to_be_tried_again_counts(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("server.mail.outgoing.LETTERS_MAX", 3)
        monkeypatch.setattr("server.mail.outgoing.FINISH_S", 0.01)
        mailer = Numbered("0", "1")
        async with one_writer(mailer, (3600,)) as outgoing:
            for number in range(3):
                outgoing.post(numbered(number))
            await mailer.saw(3)
            outgoing.post(numbered(3))
            await mailer.saw(1)
            outgoing.post(numbered(0))
            outgoing.post(numbered(4))
            assert caplog.text.count("too many are waiting") == 1
            await mailer.saw(1)
            await outgoing.finish()
        assert "3 were not sent yet" in caplog.text, "it does not wait for their next try"

    async def test_it_is_bounded_and_never_waits(self, caplog: pytest.LogCaptureFixture) -> None:
        outgoing = Outgoing(Moody())
        for _ in range(LETTERS_MAX + 3):
            outgoing.post(a_letter)
        assert caplog.text.count("too many are waiting") == 3

    async def test_at_the_end_it_does_not_wait_for_ever(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("server.mail.outgoing.FINISH_S", 0.01)
        async with one_writer(Silent(), ()) as outgoing:
            for _ in range(3):
                outgoing.post(a_letter)
            await outgoing.finish()
        assert "3 were not sent yet" in caplog.text, "the one under way and those that wait"


class TestWhereMailGoes:
    """The settings, and what follows from them."""

    async def test_without_a_mailer_it_is_said_and_nothing_more(self, caplog: pytest.LogCaptureFixture) -> None:
        await all_sent(NoMailer(), a_letter)
        assert "not sent: no mail is configured" in caplog.text
        assert TOKEN not in caplog.text
        assert "ada@" not in caplog.text

    async def test_no_secret_is_logged_at_any_level(
        self, caplog: pytest.LogCaptureFixture, mailer: SmtpMailer, post_office: SmtpServer
    ) -> None:
        caplog.set_level(logging.DEBUG)
        post_office.refusals += ["450 not now ada@example.org", "250 ok", "550 never ada@example.org"]
        await all_sent(mailer, a_letter, a_letter, a_letter)
        ours = [record for record in caplog.records if record.name.startswith("server")]
        text = "\n".join(record.getMessage() for record in ours)
        assert "SMTP 450" in text
        assert TOKEN not in text
        assert "ada@" not in text

    async def test_the_demo_keeps_the_last_ones(self, clock: Clock) -> None:
        shelf = Shelf(clock)
        for number in range(MAILS_MAX + 1):
            clock.pass_s(1)
            await shelf.send(verification_letter("", f"{number}@example.org", TOKEN))
        assert len(shelf.kept) == MAILS_MAX
        assert shelf.kept[0].mail.to == f"{MAILS_MAX}@example.org"
        assert shelf.kept[0].mail.link == f"/verify-email?token={TOKEN}"
        assert shelf.kept[0].sent_at == clock()

    def test_who_has_which_mailer(self, clock: Clock) -> None:
        assert isinstance(mailer_for(Settings(demo=True), clock), Shelf)
        assert isinstance(mailer_for(Settings(demo=False), clock), NoMailer)
        smtp = mailer_for(Settings.from_env(ENVIRONMENT, demo=True), clock)
        assert isinstance(smtp, SmtpMailer)

    @pytest.mark.parametrize(
        ("url", "host", "port", "is_tls", "user", "password"),
        [
            ("smtp://mail.example.org", "mail.example.org", 587, False, None, None),
            ("smtps://mail.example.org", "mail.example.org", 465, True, None, None),
            ("smtp://u:p%40ss%3A@127.0.0.1:2525/", "127.0.0.1", 2525, False, "u", "p@ss:"),
            ("smtps://ada%40x.org:p@[::1]:99", "::1", 99, True, "ada@x.org", "p"),
        ],
    )
    def test_the_server_is_read_from_a_url(
        self, url: str, host: str, port: int, is_tls: bool, user: str | None, password: str | None
    ) -> None:
        smtp = Settings.from_env(ENVIRONMENT | {"USHER_SMTP_URL": url}).smtp
        assert smtp is not None
        assert (smtp.host, smtp.port, smtp.is_tls, smtp.user, smtp.password) == (host, port, is_tls, user, password)

    def test_a_sender_may_have_a_name(self) -> None:
        smtp = Settings.from_env(ENVIRONMENT | {"USHER_MAIL_FROM": '"The Hall, Ltd." <hall@example.org>'}).smtp
        assert smtp is not None
        assert (smtp.sender.display_name, smtp.sender.addr_spec) == ("The Hall, Ltd.", "hall@example.org")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("USHER_SMTP_URL", "mail.example.org"),
            ("USHER_SMTP_URL", "http://mail.example.org"),
            ("USHER_SMTP_URL", "smtp://"),
            ("USHER_SMTP_URL", "smtp://hush@mail.example.org"),
            ("USHER_SMTP_URL", "smtp://u:hush@mail.example.org:port"),
            ("USHER_SMTP_URL", "smtp://mail.example.org/path"),
            ("USHER_SMTP_URL", "smtp://mail.example.org?tls=no"),
            ("USHER_MAIL_FROM", "nobody"),
            ("USHER_MAIL_FROM", "a@b, c@d"),
            ("USHER_MAIL_FROM", "<a@b> <c@d>"),
            ("USHER_MAIL_FROM", "a@b\r\nBcc: c@d"),
            ("USHER_MAIL_FROM", "@example.org"),
            ("USHER_MAIL_FROM", "a@"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, name: str, value: str) -> None:
        with pytest.raises(SettingsError, match=name) as caught:
            Settings.from_env(ENVIRONMENT | {name: value})
        assert "hush" not in str(caught.value)

    @pytest.mark.parametrize("missing", ENVIRONMENT)
    def test_all_three_are_needed(self, missing: str) -> None:
        """Without an origin of ours, whoever asks for somebody's mail could choose where its link leads."""
        with pytest.raises(SettingsError, match=missing):
            Settings.from_env({name: value for name, value in ENVIRONMENT.items() if name != missing})

    def test_no_password_shows_in_a_repr(self) -> None:
        environment = ENVIRONMENT | {"USHER_SMTP_URL": "smtp://u:hush@mail.example.org"}
        assert "hush" not in repr(Settings.from_env(environment))
