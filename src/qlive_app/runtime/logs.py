"""Structured logs: one JSON line each, nothing secret in them, and no waiting for whoever reads them."""

import contextlib
import logging
import os
import queue
import re
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog

_LEVELS = {0: logging.DEBUG, 1: logging.INFO, 2: logging.WARNING, 3: logging.ERROR}
# Not within words, for ids have digits too; but with China's prefix, for it is often typed.
_PHONE = re.compile(r"(?<![0-9A-Za-z])((?:00)?(?:86)?1[3-9][0-9])[0-9]{4}([0-9]{4})(?![0-9A-Za-z])")
_SECRET_KEYS = frozenset({"token", "code", "sms_code", "authorization", "secret_key", "password"})
_QUEUE_LINES = 10_000
_LAST_WAIT_S = 1.0  # once for room in the queue, once for what is in it


def mask_phones(text: str) -> str:
    """Return ``text`` with the middle of every phone number in it hidden."""
    return _PHONE.sub(r"\1****\2", text)


def _mask(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide phone numbers wherever they stand, and values that have a secret's name.

    What the ``test`` SMS provider prints for the person who tries qlive out is named ``test_...`` and stays.
    """
    for key, value in event.items():
        if key.startswith("test_"):
            continue
        if key in _SECRET_KEYS:
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = mask_phones(value)
    return event


class LogWriter:
    """Writes lines in a thread of its own, so that a slow terminal or pipe never stops the event loop.

    The queue is bounded; when it is full, or when the sink refuses a line, the line is given up and counted by
    ``on_drop``. ``stream`` is None where the process was started without that stream.
    """

    def __init__(self, stream: TextIO | None, on_drop: Callable[[], None]) -> None:
        self._put = _way_out(stream)
        self._on_drop = on_drop
        self._lines: queue.Queue[str | None] = queue.Queue(_QUEUE_LINES)
        self._thread = threading.Thread(target=self._write_lines, name="qlive-log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue one line."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._on_drop()

    def close(self) -> None:
        """Write what is queued and stop; whoever does not read is waited for no longer than two seconds."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=_LAST_WAIT_S)
        self._thread.join(timeout=_LAST_WAIT_S)

    def _write_lines(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._put(line + "\n")
            except (OSError, ValueError):
                self._on_drop()


def _way_out(stream: TextIO | None) -> Callable[[str], None]:
    """Return what writes a text to ``stream``.

    A file descriptor is written past Python's buffer: a thread that hangs in there would hold the buffer's lock,
    and the interpreter needs that lock to end.
    """
    if stream is None:
        return lambda _text: None
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # not a real file

        def put(text: str) -> None:
            stream.write(text)
            stream.flush()

        return put

    def put_past_the_buffer(text: str) -> None:
        rest = memoryview(text.encode(errors="backslashreplace"))
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return put_past_the_buffer


class _Line:
    """What structlog calls at the end of its chain."""

    def __init__(self, writer: LogWriter) -> None:
        self._write = writer.write

    def msg(self, message: str) -> None:
        self._write(message)

    debug = info = warning = error = critical = exception = log = fatal = msg


class _FromStandardLibrary(logging.Handler):
    """Leads what libraries log through the same chain."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        log.log(record.levelno, record.getMessage(), exc_info=exc_info)


def _pretty(_logger: object, _method: str, event: Mapping[str, Any]) -> str:
    """Render for a person at a terminal: time, level, event, then the rest."""
    shown = dict(event)
    head = f"{shown.pop('timestamp')} {shown.pop('level'):<7} {shown.pop('event')}"
    trace = shown.pop("exception", None)
    rest = " ".join(f"{key}={value}" for key, value in shown.items())
    return "  ".join(part for part in (head, rest) if part) + (f"\n{trace}" if trace else "")


def configure_logs(debug_level: int, on_drop: Callable[[], None], stream: TextIO | None = None) -> LogWriter:
    """Set up logging for the process: readable lines on a terminal, JSON lines elsewhere.

    ``debug_level`` is the configuration's: 0 logs everything, 1 leaves out debug, 2 info, 3 warnings.
    ``stream`` is the standard error stream if nothing else is given.
    """
    stream = stream or sys.stderr
    writer = LogWriter(stream, on_drop)
    level = _LEVELS[debug_level]
    renderer = (
        _pretty
        if stream is not None and stream.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Line(writer),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromStandardLibrary()]
    root.setLevel(max(level, logging.WARNING))
    return writer
