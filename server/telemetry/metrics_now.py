"""What a server's parts are like at the moment of the question. Nobody counts along: the hot path pays nothing."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.services import Services


class PartsCollector(Collector):
    """Looks at these parts each time it is asked; to be asked on the loop's thread."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        for name, meaning, value in (*self._sale(), *self._audience(), *self._surroundings()):
            yield GaugeMetricFamily(name, meaning, value=value)
        yield from self._accounts()
        yield self._connections()

    def _sale(self) -> Iterator[tuple[str, str, float]]:
        managers = self._parts.supervisor.managers
        depths = [manager.inbox_depth for manager in managers]
        yield "usher_events_owned", "Events with a seat manager at work here", len(managers)
        yield "usher_inbox_commands", "Commands that wait in all inboxes", sum(depths)
        yield "usher_inbox_commands_deepest", "Commands that wait in the fullest inbox", max(depths, default=0)
        seatings = [manager.seating for manager in managers]
        yield "usher_holds", "Holds in the events owned", sum(len(seating.holds) for seating in seatings)
        lines = [seating.line for seating in seatings]
        waiting, inside = sum(line.waiting + line.lobby for line in lines), sum(line.inside for line in lines)
        yield "usher_queue_waiting", "Customers in line or in the lobby, in the events owned", waiting
        yield "usher_queue_inside", "Customers admitted, in the events owned", inside
        told, right = sum(line.pace.told for line in lines), sum(line.pace.right for line in lines)
        yield "usher_queue_waits_told", "Waits that are over and of which a range was told", told
        yield "usher_queue_waits_right", "Those of them that ended within the range", right
        pending = sum(len(seating.pending_orders) for seating in seatings)
        yield "usher_orders_pending", "Orders in the events owned whose payment is open", pending
        yield (
            "usher_payments_under_way",
            "Orders that the provider is being asked about",
            self._parts.payments.under_way,
        )

    def _audience(self) -> Iterator[tuple[str, str, float]]:
        hub = self._parts.hub
        yield "usher_sockets_open", "Open sockets", len(self._parts.sockets)
        yield "usher_watchers", "Sockets that watch an event", hub.watchers
        yield "usher_watchers_behind", "Watchers that have left too much unread", hub.watchers_behind

    def _surroundings(self) -> Iterator[tuple[str, str, float]]:
        node, mirror = self._parts.node, self._parts.mirror
        yield "usher_lease_held", "1: this node may answer for its events", node.is_held(node.node_id)
        yield "usher_mirror_on", "0: this Redis cannot carry the mirror of the holds", mirror.is_on
        yield "usher_mirror_lag_seconds", "Age of the oldest change that the mirror lacks", mirror.lag_s
        yield "usher_mirror_events_behind", "Events with changes that the mirror lacks", mirror.events_behind
        cached = self._parts.sessions.is_cache_in_use
        yield "usher_session_cache_in_use", "0: every session is looked up in PostgreSQL", cached
        yield "usher_passwords_waiting", "Passwords being worked on or waiting for it", self._parts.passwords.depth

    def _accounts(self) -> Iterator[Metric]:
        sessions, failed = self._parts.sessions.created, self._parts.accounts.logins_failed
        yield CounterMetricFamily("usher_sessions_created", "Sessions begun, one for each login", value=sessions)
        yield CounterMetricFamily("usher_logins_failed", "Logins with a wrong address or password", value=failed)

    def _connections(self) -> Metric:
        pool = self._parts.database
        family = GaugeMetricFamily("usher_database_connections", "Connections in the pool", labels=("state",))
        idle = pool.get_idle_size()
        family.add_metric(("idle",), idle)
        family.add_metric(("busy",), pool.get_size() - idle)
        return family
