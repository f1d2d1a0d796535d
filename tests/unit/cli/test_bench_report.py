"""What a benchmark tells a person and a program."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from cli.bench.report import Part, Report, Target, as_json, by_part, number, show

REPORT = Report(
    "start",
    "From a clone to an answer.",
    [Part("Start", [{"start": "warm", "median_s": 3.14159, "rounds": 3, "ratio": None}])],
    [Target("Warm start", 3.2, 6, "s"), Target("At rest", 700.4, 600, "MB")],
    {"cores": 2},
)


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=120)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_table_has_a_column_for_each_value_and_three_digits() -> None:
    text = shown(REPORT)

    assert "median s" in text
    assert "3.14 " in text
    assert "-" in text


def test_a_target_says_whether_it_was_reached() -> None:
    text = shown(REPORT)

    assert "Warm start: 3.2 s (at most 6) reached" in text
    assert "At rest: 700 MB (at most 600) missed" in text


def test_exactly_at_the_limit_is_reached() -> None:
    assert Target("Warm start", 6.0, 6.0, "s").reached


def test_the_json_is_plain_and_says_its_format() -> None:
    told = json.loads(json.dumps(as_json([REPORT])))

    assert told["format"] == 1
    (bench,) = told["benches"]
    assert bench["bench"] == "start"
    assert bench["method"] == "From a clone to an answer."
    assert bench["machine"] == {"cores": 2}
    assert bench["parts"][0]["rows"] == [
        {"start": "warm", "median_s": 3.14159, "rounds": 3, "ratio": None}
    ]
    assert [target["reached"] for target in bench["targets"]] == [True, False]
    assert set(bench["targets"][0]) == {"what", "value", "limit", "unit", "reached"}


def test_a_report_without_rows_is_shown_all_the_same() -> None:
    assert "bench query" in shown(Report("query", "Nothing.", [Part("Empty", [])]))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7, "7"), (1234, "1234"), (1234.5, "1234"), (0.01234, "0.0123"), (0.0, "0")],
)
def test_a_number_has_the_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_costs_by_part_are_medians_with_the_dearest_first() -> None:
    part = by_part("Costs", [{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 4.0}, {"a": 9.0}])

    assert part.rows == [{"part": "b", "cpu_ms": 4.0}, {"part": "a", "cpu_ms": 2.0}]
