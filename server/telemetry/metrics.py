"""What the server counts, in a Prometheus registry of its own.

What happens often is added up in plain numbers and handed over when somebody asks; what can be looked up is not
counted at all (`server.telemetry.metrics_now`). Labels are bounded: no ids, no addresses, no text of a client's.
"""

from collections.abc import Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from actors.core.model import Order
from actors.ports import Meter
from protocol.outbound import OrderStatus, Rejected

ACCEPTED = "accepted"

_REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_BATCH_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_BATCH_COMMANDS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics(Meter):
    """The counters of one server. Everything here is called on the loop's thread, never waits and never raises."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Histogram(
            "usher_http_request_seconds",
            "Time to answer a request, sockets left out",
            ("route", "method", "status"),
            buckets=_REQUEST_S,
            registry=self.registry,
        )
        self._batch_s = Histogram(
            "usher_batch_seconds",
            "Time of one turn of a seat manager, from its inbox to its answers",
            buckets=_BATCH_S,
            registry=self.registry,
        )
        self._batch_commands = Histogram(
            "usher_batch_commands",
            "Commands in one turn of a seat manager",
            buckets=_BATCH_COMMANDS,
            registry=self.registry,
        )
        self._batches_failed = Counter(
            "usher_batches_failed", "Turns that ended without a commit", registry=self.registry
        )
        self._orders = Counter(
            "usher_orders", "Orders that came into this state", ("status",), registry=self.registry
        )
        self._tickets = Counter("usher_tickets_sold", "Tickets in completed orders", registry=self.registry)
        self._commands = _Commands(self.registry)

    def request_answered(self, route: str, method: str, status: int, took_s: float) -> None:
        """A request had this answer."""
        self._requests.labels(route, method, str(status)).observe(took_s)

    def outcomes(self, via: str, kind: type[Any]) -> "Outcomes":
        """Where the answers to this type of command are counted, for those that come by `socket` or `rest`."""
        return self._commands.outcomes(via, kind)

    def batch_committed(self, commands: int, took_s: float) -> None:
        self._batch_s.observe(took_s)
        self._batch_commands.observe(commands)

    def batch_failed(self) -> None:
        self._batches_failed.inc()

    def order_moved(self, order: Order) -> None:
        self._orders.labels(order.status.value).inc()
        if order.status is OrderStatus.COMPLETED:
            self._tickets.inc(len(order.seats))


class Outcomes:
    """How the commands of one type that came one way were answered: tens of thousands in a second."""

    __slots__ = ("accepted", "refused")

    def __init__(self) -> None:
        self.accepted = 0
        self.refused: dict[str, int] = {}

    def add(self, refusal: Rejected | None) -> None:
        """One more was accepted, or refused."""
        if refusal is None:
            self.accepted += 1
        else:
            self.refused[refusal.code] = self.refused.get(refusal.code, 0) + 1


class _Commands(Collector):
    """All outcomes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes: dict[tuple[str, type[Any]], Outcomes] = {}
        registry.register(self)

    def outcomes(self, via: str, kind: type[Any]) -> Outcomes:
        found = self._outcomes.get((via, kind))
        if found is None:
            found = self._outcomes[via, kind] = Outcomes()
        return found

    def collect(self) -> Iterator[CounterMetricFamily]:
        said = "Commands answered; outcome is accepted or the code of the refusal"
        family = CounterMetricFamily("usher_commands", said, labels=("via", "type", "outcome"))
        for (via, kind), outcomes in self._outcomes.items():
            for outcome, count in ((ACCEPTED, outcomes.accepted), *outcomes.refused.items()):
                if count:
                    family.add_metric((via, _type_of(kind), outcome), count)
        yield family


def _type_of(kind: type[Any]) -> str:
    """The command's type on the wire; of one that could not be read, that it could not."""
    tag: str | None = kind.__struct_config__.tag
    return tag or "unreadable"
