"""The figures that operators watch, in one registry that is made anew for each server."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from qlive_core.signalling import CloseCode
from qlive_core.usecases.census import Figures

# Names of the original that do not follow today's rule that counters end in _total; dashboards use them.
_NAMES_KEPT = (b"qlive_api_http_request_count",)

disable_created_metrics()  # type: ignore[no-untyped-call]  # or a gauge beside each counter that nobody asks for

_CLOSE_CODES = frozenset({1001, 1002, 1005, 1006, 1011, *CloseCode})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SHORT_SECONDS = (0.0005, 0.001, 0.0025, *_SECONDS)


class Metrics:
    """All metrics of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        http = ["method", "path", "code"]
        http_count = Counter(
            "qlive_api_http_request_count",
            "HTTP requests by method, path and status code.",
            http,
            registry=self.registry,
        )
        http_duration = Histogram(
            "qlive_api_http_request_duration",
            "Duration of HTTP requests in seconds.",
            http,
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Looking a child up by its labels costs more than counting; there are few, so they are kept.
        self._http = cache(lambda *labels: (http_count.labels(*labels), http_duration.labels(*labels)))
        messages = Histogram(
            "qlive_signalling_request_seconds",
            "Time from a signalling request to its reply, by message type and reply code.",
            ["type", "code"],
            buckets=_SHORT_SECONDS,
            registry=self.registry,
        )
        self._message = cache(messages.labels)
        self._push = cache(
            self._counter("qlive_signalling_pushes", "Pushes to users by what became of them.", "fate").labels
        )
        self._closes = self._counter(
            "qlive_signalling_closes", "Signalling connections that ended, by close code.", "code"
        )
        self._pk = cache(self._counter("qlive_pk", "PKs by the state that they came to.", "state").labels)
        self._seat = cache(
            self._counter(
                "qlive_seat", "Requests, invitations and seats by how they began or ended.", "outcome"
            ).labels
        )
        self._drift = self._counter(
            "qlive_drift", "Differences between qlive and its clouds, by kind and fate.", "kind", "fate"
        )
        self._chores = cache(
            self._counter(
                "qlive_cloud_chores",
                "What clouds were to do, by chore and what became of it.",
                "chore",
                "fate",
            ).labels
        )
        self._mails = self._counter(
            "qlive_feedback_mails", "Tries to mail feedback by what became of them.", "fate"
        )
        self.mails_waiting = Gauge(
            "qlive_feedback_mails_waiting",
            "Mails about feedback that are still to be sent.",
            registry=self.registry,
        )
        self.effect_failures = self._counter(
            "qlive_effect_failures", "Effects that failed, by kind.", "effect"
        )
        self.job_failures = self._counter(
            "qlive_job_failures", "Background jobs that ended and were begun again, by job.", "job"
        )
        self.logs_dropped = self._counter(
            "qlive_log_lines_dropped", "Log lines given up because the sink is slow."
        )
        self.descriptors_exhausted = self._counter(
            "qlive_descriptors_exhausted", "Seconds in which no file descriptor was free."
        )
        self.connections = Gauge(
            "qlive_signalling_connections", "Authorised signalling connections.", registry=self.registry
        )
        self._im_message = cache(
            self._counter("qlive_im_messages", "What came over IM, by what it was taken for.", "kind").labels
        )
        self._im_push = cache(
            self._counter("qlive_im_pushes", "Texts to users over IM by what became of them.", "fate").labels
        )
        self.im_push_retries = self._counter(
            "qlive_im_push_retries", "Texts that the IM cloud did not take and that are tried again."
        )
        self.im_inbox = Gauge(
            "qlive_im_inbox_messages", "Messages from IM that wait to be handled.", registry=self.registry
        )
        self.im_outbox = Gauge(
            "qlive_im_outbox_pushes", "Texts that wait to be taken by the IM cloud.", registry=self.registry
        )
        self.im_reachable = Gauge(
            "qlive_im_reachable_users", "Users who are reached over IM.", registry=self.registry
        )
        self.im_ping_lag = Histogram(
            "qlive_im_ping_lag_seconds",
            "Time from when users were due to be pinged over IM until the cloud took the ping.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.deadline_lag = Histogram(
            "qlive_deadline_lag_seconds",
            "How late deadlines were acted on.",
            ["kind"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._rooms = Gauge("qlive_rooms", "Open rooms by type.", ["type"], registry=self.registry)
        self._viewers = Gauge(
            "qlive_viewers", "Users in the audience of a room, seats included.", registry=self.registry
        )
        self._pks_now = Gauge("qlive_pks", "PKs that are offered or live.", ["state"], registry=self.registry)
        self._seats_taken = Gauge(
            "qlive_seats_taken", "Seats in voice rooms on which somebody sits.", registry=self.registry
        )
        self._users_present = Gauge(
            "qlive_users_present",
            "Signed-in users who are connected, expected back or hold a lease.",
            registry=self.registry,
        )
        self.deadlines_armed = Gauge("qlive_deadlines_armed", "Deadlines waited for.", registry=self.registry)
        self.commit_seconds = Histogram(
            "qlive_store_commit_seconds",
            "Duration of store commits.",
            buckets=_SHORT_SECONDS,
            registry=self.registry,
        )
        self.commit_operations = Histogram(
            "qlive_store_commit_operations",
            "Operations that were committed together.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        vendor_calls = Histogram(
            "qlive_vendor_call_seconds",
            "Duration of calls to vendors with all waits and retries, by what became of them.",
            ["vendor", "operation", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._vendor_call = cache(vendor_calls.labels)
        self._vendor_circuit = Gauge(
            "qlive_vendor_circuit_open",
            "Whether calls to the vendor fail at once because so many failed.",
            ["vendor"],
            registry=self.registry,
        )

    def observe_http(self, method: str, path: str, code: int, seconds: float) -> None:
        """Count one HTTP request; ``path`` is a route, not what the client typed."""
        count, duration = self._http(method, path, str(code))
        count.inc()
        duration.observe(seconds)

    def observe_message(self, message_type: str, code: int, seconds: float) -> None:
        """Count one signalling request with the code of its reply."""
        self._message(message_type, str(code)).observe(seconds)

    def count_close(self, code: int) -> None:
        """Count one connection that ended; codes that a client made up are one label."""
        self._closes.labels(str(code) if code in _CLOSE_CODES else "other").inc()

    def count_push(self, fate: str) -> None:
        """Count one push by what became of it."""
        self._push(fate).inc()

    def count_im_message(self, kind: str) -> None:
        """Count one thing that came over IM by what it was taken for."""
        self._im_message(kind).inc()

    def count_im_push(self, fate: str) -> None:
        """Count one text to a user over IM by what became of it."""
        self._im_push(fate).inc()

    def count_pk(self, state: str) -> None:
        """Count one PK that came to this state."""
        self._pk(state).inc()

    def count_seat(self, outcome: str) -> None:
        """Count one request, invitation or holding of a seat that began or ended so."""
        self._seat(outcome).inc()

    def count_drift(self, kind: str, fate: str) -> None:
        """Count one difference from a cloud: found, healed, or failed to be healed."""
        self._drift.labels(kind, fate).inc()

    def count_chore(self, chore: str, fate: str) -> None:
        """Count one chore of a cloud by what became of it."""
        self._chores(chore, fate).inc()

    def count_mail(self, fate: str) -> None:
        """Count one try to send a mail by what became of it."""
        self._mails.labels(fate).inc()

    def observe_commit(self, operations: int, seconds: float) -> None:
        """Count one commit of the store."""
        self.commit_operations.observe(operations)
        self.commit_seconds.observe(seconds)

    def observe_vendor_call(self, vendor: str, operation: str, outcome: str, seconds: float) -> None:
        """Count one call to a vendor."""
        self._vendor_call(vendor, operation, outcome).observe(seconds)

    def observe_vendor_circuit(self, vendor: str, *, is_open: bool) -> None:
        """Note whether calls to the vendor fail at once."""
        self._vendor_circuit.labels(vendor).set(is_open)

    def show(self, figures: Figures) -> None:
        """Let the gauges of rooms and people show these figures."""
        for kind, number in figures.rooms.items():
            self._rooms.labels(kind.value).set(number)
        for state, number in figures.pks.items():
            self._pks_now.labels(state.value).set(number)
        self._viewers.set(figures.viewers)
        self._seats_taken.set(figures.seats_taken)
        self._users_present.set(figures.users_present)

    def render(self) -> bytes:
        """Return everything in the text format."""
        text = generate_latest(self.registry)
        for name in _NAMES_KEPT:
            text = text.replace(name + b"_total", name)
        return text

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(name, doc, labels, registry=self.registry)
