"""Logs: one JSON object a line, with the request's id; never a secret, never a patient."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request being served, carried from the gateway through every process."""

client_address: ContextVar[str] = ContextVar("client_address", default="")
"""Where the request came from, as the gateway saw it; empty when it did not say. For slowing guesses down, never logged."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. Only an exception's type and place are written, never its text: the text of a
    database or validation error can carry the values it is about. Libraries put such texts, and whole tracebacks, after the
    first line of their messages; so only that line is written."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "event": record.getMessage().strip().partition("\n")[0],
        }
        if request := request_id.get():
            line["request"] = request
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            line["fault"] = _fault(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _fault(error: BaseException) -> dict[str, Any]:
    places: list[str] = []
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        places.append(f"{code.co_filename}:{frame.tb_lineno} {code.co_name}")
        frame = frame.tb_next
    kind = type(error)
    fault: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}", "at": places[-12:]}
    if constraint := getattr(error, "constraint_name", None):
        fault["constraint"] = constraint
    if isinstance(error, BaseExceptionGroup):
        fault["of"] = [_fault(one) for one in error.exceptions]
    if error.__cause__ is not None:
        fault["cause"] = _fault(error.__cause__)
    return fault


def start_logging(service: str, level: str) -> None:
    """Send every log of this process to stderr as JSON lines; uvicorn's access lines are dropped."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("uvicorn.access", "nats", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
