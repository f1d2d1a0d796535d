"""Log lines."""

from __future__ import annotations

import asyncio
import logging

import orjson
import pytest

from kit.logs import JsonLines, request_id


def line(record: logging.LogRecord) -> dict[str, object]:
    """The record as it is written."""
    told: dict[str, object] = orjson.loads(JsonLines("ledger").format(record))
    return told


def test_a_line_says_when_what_where_and_for_which_request() -> None:
    request_id.set("abc")
    record = logging.makeLogRecord({"msg": "done with %s", "args": ("it",), "subject": "x"})
    told = line(record)
    assert (told["event"], told["service"], told["request"]) == ("done with it", "ledger", "abc")
    assert told["subject"] == "x"


def test_an_exception_is_told_by_type_and_place_and_never_by_its_text() -> None:
    try:
        try:
            raise ValueError("Jane Roe")
        except ValueError as error:
            raise ExceptionGroup("Jane Roe", [error, KeyError("Jane Roe")]) from error
    except ExceptionGroup as group:
        info = (type(group), group, group.__traceback__)
    told = JsonLines("ledger").format(logging.makeLogRecord({"msg": "fault", "exc_info": info}))
    assert "Jane Roe" not in told
    assert "builtins.KeyError" in told
    assert "test_logs.py" in told


async def test_what_asyncio_says_of_a_lost_exception_leaves_its_text_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise ValueError("Jane Roe")

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    del task
    (record,) = [one for one in caplog.records if one.name == "asyncio"]
    assert "Jane Roe" in record.getMessage()
    assert "Jane Roe" not in JsonLines("ledger").format(record)
