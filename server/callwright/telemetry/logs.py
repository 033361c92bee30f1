"""Logging: lines on stderr, for people or as JSON, without secrets. Only this module configures logging.

The configured level applies to the program itself. Libraries log only warnings and errors: their finer lines quote
headers and bodies, and with them the text of conversations.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from ..settings import Settings
from .calling import Calling, current
from .flood import Flood, bounded
from .redaction import Redactor

OWN = "callwright"
LONGEST_TRACE = 16_000
"""Characters of a traceback; of a longer one the middle is left out."""
FACTS = "facts"
"""Attribute of a log record: its structured fields by name. Numbers and single words."""
_ONE_LINE = str.maketrans({"\n": "\\n", "\r": "\\r"})
"""Client data in a message is escaped, so that it cannot look like another log line."""

log = logging.getLogger(OWN)

Say = Callable[[str], None]


def configure(settings: Settings, redact: Redactor) -> Say:
    """Send all log lines through one handler. Returns a function that writes a line to the person at the terminal.

    Uncaught exceptions become log lines, too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((_Json if settings.log_format == "json" else _Text)(redact))
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler.setLevel(level)
    handler.addFilter(Flood())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    log.setLevel(level)
    sys.excepthook = _uncaught

    def say(text: str) -> None:
        record = logging.LogRecord(OWN, logging.INFO, __file__, 0, text, None, None)
        sys.stderr.write((handler.format(record) if settings.log_format == "json" else text) + "\n")

    return say


def overhear() -> None:
    """Keep the program's log lines about a request with that request, for its client."""
    if not any(isinstance(handler, _Overhearing) for handler in log.handlers):
        log.addHandler(_Overhearing())


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """The structured fields of a line: its own, and those of its request."""
    told: dict[str, Any] = dict(getattr(record, FACTS, {}))
    if calling := current():
        told = {**_about(calling), **told}
    return {name: value for name, value in told.items() if value is not None}


def want(level: int) -> None:
    """Make lines from this level on, because a client asked for them, even if stderr does not show them.

    Until then they are not made, because each costs as much as a part of a call. Lines below INFO are for stderr only.
    """
    if log.level > (wanted := max(level, logging.INFO)):
        log.setLevel(wanted)


class _Overhearing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        calling = current()
        if calling and calling.level is not None and record.levelno >= calling.level:
            setattr(record, FACTS, facts_of(record))
            calling.heard.append(record)


class _Lines(logging.Formatter):
    """An error that says in words what is wrong needs no traceback; others have theirs, to a bound."""

    def formatException(self, ei: Any) -> str:
        from ..contract.errors import ApiError

        if isinstance(ei[1], ApiError):
            return f"{type(ei[1]).__name__}: {ei[1]}"
        text = super().formatException(ei)
        return text if len(text) <= LONGEST_TRACE else f"{text[: LONGEST_TRACE // 2]}\n…\n{text[-LONGEST_TRACE // 2 :]}"


class _Text(_Lines):
    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record), _hushed())

    def formatMessage(self, record: logging.LogRecord) -> str:
        about = " ".join(f"{name}={value}" for name, value in facts_of(record).items())
        line = bounded(super().formatMessage(record)) + (f" [{bounded(about)}]" if about else "")
        return line.translate(_ONE_LINE)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time(record)


class _Json(_Lines):
    """One object per line: `timestamp`, `level`, `logger`, `message`; `exception`; and structured fields, if any."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": bounded(record.getMessage()),
            **{name: bounded(value) if isinstance(value, str) else value for name, value in facts_of(record).items()},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: self._clean(value) for name, value in line.items()}, ensure_ascii=False)

    def _clean(self, value: Any) -> Any:
        """Redact before writing JSON: afterwards an escaped quote inside a secret would prevent a match."""
        if isinstance(value, str):
            return self._redact(value, _hushed())
        return value


def _hushed() -> set[str]:
    calling = current()
    return calling.hushed if calling else set()


def _about(calling: Calling) -> Mapping[str, Any]:
    from opentelemetry.trace import format_trace_id, get_current_span

    span = get_current_span().get_span_context()
    return {
        "tool": calling.tool,
        "principal": calling.principal,
        "request_id": calling.request_id,
        "trace_id": format_trace_id(span.trace_id) if span.is_valid else None,
    }


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uncaught(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log.critical("The program ends by a defect", exc_info=(kind, exc, trace))
