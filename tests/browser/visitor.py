"""What a visitor does in the browser, in the words of a visitor."""

import json
import re
from functools import cached_property
from itertools import count
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, WebSocketRoute, expect

from protocol.seat_map import Place, decode_map, places

COLDPLAY = "550e8400-e29b-41d4-a716-446655440202"
"""On sale without a waiting room; six tickets a customer."""
CHAPPELLE = "550e8400-e29b-41d4-a716-446655440204"
"""On sale without a waiting room; four tickets a customer."""
NIGHT_FERRIES = "550e8400-e29b-41d4-a716-446655440207"
"""On sale with a waiting room of three slots."""
SWIFT = "550e8400-e29b-41d4-a716-446655440201"
"""Not on sale before tomorrow."""
PASSWORD = "violet kettle harbour"
WAITS_MAX, WAIT_MS = 1_000, 20

_numbers = count(1)
_places: dict[str, list[Place]] = {}


class Visitor:
    """One person at one browser: a context with one page. `errors` is what went wrong in it."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.errors: list[str] = []
        self._forgiven: list[re.Pattern[str]] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        """Another tab of the same browser."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def expect_error(self, pattern: str) -> None:
        """An answer that the browser itself reports in the console, such as a 401."""
        self._forgiven.append(re.compile(pattern))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known.search(message.text) for known in self._forgiven):
            self.errors.append(message.text)

    # Who they are

    def sign_up(self, name: str = "Ada Lovelace") -> None:
        """Make an account and sign in, without the pages for it."""
        email = f"visitor-{next(_numbers)}@example.org"
        account = {"email": email, "password": PASSWORD}
        answer = self.page.request.post("/api/v1/auth/register", data=account | {"name": name})
        assert answer.status == 201, answer.text()
        self.page.goto("/login")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()

    # The event page

    def open_event(self, event_id: str) -> None:
        """Go to an event's page and wait for its map."""
        self.page.goto(f"/events/{event_id}")
        self.wait_for_map()

    def wait_for_map(self) -> None:
        """Wait until the map is drawn and live."""
        expect(self.page.locator(".map[data-ready][data-camera]")).to_be_visible()
        expect(self.connection).to_have_attribute("data-connection", "live")

    @property
    def connection(self) -> Locator:
        """The chip that tells live from lost."""
        return self.page.locator(".connection")

    @property
    def basket(self) -> Locator:
        """The side with what is chosen and held."""
        return self.page.locator(".basket")

    @property
    def note(self) -> Locator:
        """The notes that are shown for a moment."""
        return self.page.locator(".note")

    @property
    def voice(self) -> Locator:
        """What a screen reader is told."""
        return self.page.locator("#voice")

    @property
    def echo(self) -> Locator:
        """What a screen reader is told at once, about the visitor's own steps."""
        return self.page.locator("#echo")

    @cached_property
    def places(self) -> list[Place]:
        """The seats of the event that was opened first, in index order."""
        url = self.map_url()
        if url not in _places:
            _places[url] = list(places(decode_map(self.page.request.get(url).body())))
        return _places[url]

    def map_url(self) -> str:
        """Where the geometry of the event that is shown came from."""
        script = "performance.getEntriesByType('resource').map((entry) => entry.name)"
        names: list[str] = self.page.evaluate(script)
        return next(name for name in names if "/maps/" in name)

    def index_of(self, section: str, row: str, number: int) -> int:
        """The index of a seat on the socket."""
        wanted = (section, row, str(number))
        return next(k for k, place in enumerate(self.places) if (place.section, place.row, place.number) == wanted)

    def seat(self, index: int) -> Locator:
        """A seat's button in the list; its section and row are opened for that."""
        place = self.places[index]
        self.open_row(place.section, place.row)
        return self.page.locator(f'.seat[data-seat="{index}"]')

    def open_row(self, section: str, row: str) -> None:
        """Open a section and a row of the list, if they are not."""
        opener = self.page.locator(f'[data-section][data-name="{section}"]')
        if opener.get_attribute("aria-expanded") == "false":
            opener.click()
        row_opener = self.page.locator(f'#{opener.get_attribute("aria-controls")} [data-row][data-name="{row}"]')
        if row_opener.get_attribute("aria-expanded") == "false":
            row_opener.click()

    def click_on_map(self, index: int) -> None:
        """Click where the map shows a seat; zoom in first where it is too small."""
        for _ in range(8):
            scale, x, y = self._seat_on_screen(index)
            if scale * 8 >= 12:
                break
            self.page.mouse.move(x, y)
            before = self.page.locator(".map").get_attribute("data-camera")
            self.page.mouse.wheel(0, -240)
            expect(self.page.locator(f'.map[data-camera="{before}"]')).to_have_count(0)
            expect(self.page.locator(".map[data-camera]")).to_be_visible()
        _, x, y = self._seat_on_screen(index)
        self.page.mouse.click(x, y)

    def tap_on_map(self, index: int) -> None:
        """Touch where the map shows a seat, as it is."""
        _, x, y = self._seat_on_screen(index)
        self.page.touchscreen.tap(x, y)

    def pixel_on_map(self, index: int) -> list[int]:
        """The colour of the middle of a seat: red, green, blue, alpha."""
        self.page.locator(".map[data-camera]").wait_for()
        script = """async (canvas, [x, y]) => {
            await new Promise((done) => requestAnimationFrame(done));  // what is known is drawn with the next frame
            const density = canvas.width / canvas.clientWidth;
            const at = [Math.floor(x * density), Math.floor(y * density), 1, 1];
            return Array.from(canvas.getContext('2d').getImageData(...at).data);
        }"""
        _, x, y = self._seat_on_screen(index)
        box = self.page.locator(".map").bounding_box()
        assert box is not None
        canvas = self.page.locator(".map canvas").nth(1)
        pixel: list[int] = canvas.evaluate(script, [x - box["x"], y - box["y"]])
        return pixel

    def hold(self, *indexes: int) -> None:
        """Choose these seats in the list and hold them."""
        for index in indexes:
            self.seat(index).click()
        self.page.get_by_role("button", name=re.compile("^Hold ")).click()
        for index in indexes:
            expect(self.seat(index)).to_have_attribute("data-look", "mine")

    def focused_seat(self) -> int:
        """The index of the seat in the list that has the focus."""
        return int(self.page.locator(".seat:focus").get_attribute("data-seat") or -1)

    def _seat_on_screen(self, index: int) -> tuple[float, float, float]:
        frame = self.page.locator(".map[data-camera]")
        frame.wait_for()
        scale, x, y = map(float, (frame.get_attribute("data-camera") or "").split())
        box = frame.bounding_box()
        assert box is not None
        place = self.places[index]
        return scale, box["x"] + place.x * scale + x, box["y"] + place.y * scale + y


class Wire:
    """Stands between the page's sockets and the server, and can keep some messages back.

    `drop` holds the types of the server's messages that never arrive, `dropped` those of the ones that did not;
    `sent` is what the page sent. While `is_cut` no connection is made.
    """

    def __init__(self, page: Page) -> None:
        self.drop: set[str] = set()
        self.dropped: list[str] = []
        self.is_cut = False
        self.sent: list[dict[str, Any]] = []
        self._open: list[WebSocketRoute] = []
        self._page = page
        page.route_web_socket(re.compile("/ws/events/"), self._connect)

    def cut(self, code: int = 1012) -> None:
        """End the connections as the server would."""
        for socket in self._open:
            socket.close(code=code)
        self._open.clear()

    def wait_for_a_loss(self, kind: str) -> None:
        """Wait until a message of this type has been dropped."""
        for _ in range(WAITS_MAX):
            if kind in self.dropped:
                return
            self._page.wait_for_timeout(WAIT_MS)  # messages are looked at while Playwright waits
        raise AssertionError(f"no {kind} came")

    def say(self, **message: Any) -> None:
        """Tell the page something as if the server had said it."""
        self._open[-1].send(json.dumps(message))

    def commands(self, kind: str) -> list[dict[str, Any]]:
        """The commands of a type that the page has sent."""
        return [message for message in self.sent if message["type"] == kind]

    def _connect(self, page_side: WebSocketRoute) -> None:
        if self.is_cut:
            page_side.close(code=1012)
            return
        server_side = page_side.connect_to_server()
        self._open.append(page_side)

        def from_page(message: str | bytes) -> None:
            self.sent.append(json.loads(message))
            server_side.send(message)

        def from_server(message: str | bytes) -> None:
            kind = json.loads(message)["type"]
            if kind in self.drop:
                self.dropped.append(kind)
            else:
                page_side.send(message)

        page_side.on_message(from_page)
        server_side.on_message(from_server)
