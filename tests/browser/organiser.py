"""The organiser of the tests: makes small venues and events over REST, as any client would."""

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser

ADMIN_EMAIL = "admin@ticketmaster.local"
ADMIN_PASSWORD = "a long phrase for the admin"


class Organiser:
    """An administrator without a page."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.context = browser.new_context(base_url=url)
        self._post("/api/v1/auth/login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})

    def event(self, *rows: tuple[int, int], **fields: Any) -> str:
        """Put an event on sale whose venue has one section for each (rows, seats a row), and answer its id."""
        now = datetime.now(UTC)
        sections = [
            {
                **{"name": f"Block {number + 1}", "row_count": count, "seats_per_row": seats},
                **{"base_price": 20 + 10 * number, "position_y": number},
            }
            for number, (count, seats) in enumerate(rows)
        ]
        venue = {"name": "The Shed", "address": "1 Yard", "city": "Leeds", "country": "UK", "sections": sections}
        venue_id = self._post("/api/v1/venues", venue)["id"]
        wanted = {
            **{"name": "Small Evening", "venue_id": venue_id, "category": "other"},
            **{"event_date": (now + timedelta(days=9)).isoformat(), "on_sale_date": now.isoformat()},
        }
        event_id: str = self._post("/api/v1/events", wanted | fields)["id"]
        return event_id

    def block(self, event_id: str, *seats: int) -> None:
        """Take seats out of the sale."""
        body = {"seat_ids": [str(seat) for seat in seats], "reason": "camera"}
        self._post(f"/api/v1/events/{event_id}/block-seats", body)

    def change(self, event_id: str, **fields: Any) -> None:
        """Change what was agreed for an event."""
        answer = self.context.request.put(f"/api/v1/events/{event_id}", data=fields)
        assert answer.ok, answer.text()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.context.request.post(path, data=body)
        assert answer.ok, f"{path}: {answer.text()}"
        return answer.json()["data"]
