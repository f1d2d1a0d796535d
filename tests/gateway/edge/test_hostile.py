"""A corpus of hostile documents: each is refused, quickly, before anything is planned or fetched."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.http.answers import Rejected
from gateway.http.stages import Stages
from gateway.limits import Limits
from gateway.supergraph import load_supergraph

SUPERGRAPH = load_supergraph((Path(__file__).parent / "neighbours.graphql").read_text())
P99 = 0.25
"""Seconds; the goal is 0.05 on a quiet machine, and this one may be busy."""


def deep(levels: int) -> str:
    return '{ provider(id: "1") ' + "{ colleagues " * levels + "{ id }" + " }" * levels + " }"


def spread(fan: int, levels: int) -> str:
    """Fragments that spread each other: fan ** levels fields from a few lines."""
    fragments = []
    for level in range(levels):
        fields = " ".join(f"a{i}: colleagues {{ ...F{level + 1} }}" for i in range(fan))
        fragments.append(f"fragment F{level} on Provider {{ {fields} }}")
    end = f"fragment F{levels} on Provider {{ id }}"
    return '{ provider(id: "1") { ...F0 } } ' + " ".join([*fragments, end])


def nested() -> Iterator[str]:
    """Too deep, in every place where something can stand within something."""
    for levels in (*range(10, 40), 50, 80, 120, 160, 200, 240, 300, 330, 1000, 5000):
        yield deep(levels)
    for count in (500, 1000, 20_000):
        yield "{ provider(id: " + "[" * count + "]" * count + ") { id } }"
        yield "{ provider(id: " + "{a: " * count + "1" + "}" * count + ") { id } }"
        yield "{ " + "... { " * count + "viewer" + " }" * count + " }"
        yield "{ " + "... @skip(if: false) { " * count + "viewer" + " }" * count + " }"


def repeated() -> Iterator[str]:
    """Too many of something."""
    for count in (16, 20, 50, 100, 200, 300, 499, 5000):
        numbers = range(count)
        yield "{ " + " ".join(f"a{i}: requestId" for i in numbers) + " }"
        yield '{ provider(id: "1") { ' + " ".join(f"a{i}: id" for i in numbers) + " } }"
        rename = 'rename(id: "1", name: "x") { __typename }'
        yield "mutation { " + " ".join(f"a{i}: {rename}" for i in numbers) + " }"
    for count in (21, 50, 100, 150, 190, 1000):
        directives = " ".join(f"@d{i}" for i in range(count))
        yield "{ viewer " + "@include(if: true) " * count + "}"
        yield f"{{ viewer {directives} }}"
        yield f"query {directives} {{ viewer }}"
    for count in (11, 100, 400, 5000):
        yield "{ " + "viewer requestId " * count + "}"
    for count in (500, 1000, 20_000):
        yield "query Q(" + " ".join(f"$v{i}: Int" for i in range(count)) + ") { viewer }"
        yield "#" + "x\n#" * count + "\n{ viewer"


def multiplied() -> Iterator[str]:
    """Small texts that stand for much: fragments of fragments, circles, large pages."""
    for fan, levels in itertools.product((2, 3, 4, 5, 8), (3, 4, 5, 6, 8, 10, 15)):
        if fan**levels > 15:
            yield spread(fan, levels)
    for length in (1, 2, 5, 20, 100):
        fragments = (f"fragment F{i} on Query {{ ...F{(i + 1) % length} }}" for i in range(length))
        yield "{ ...F0 } " + " ".join(fragments)
    for first, levels in itertools.product((100, 99, 60), (3, 4, 5)):
        inner = "{ colleagues " * levels + "{ id }" + " }" * levels
        yield f"{{ providers(first: {first}) {{ edges {{ node {inner} }} }} }}"


def introspecting() -> Iterator[str]:
    """Introspection that goes in circles or too deep."""
    for levels in range(3, 12):
        fields = "{ fields { type " * levels + "{ name }" + " } }" * levels
        yield "{ __schema { types " + fields + " } }"
        for name in ("interfaces", "possibleTypes"):
            steps = f"{{ {name} " * levels + "{ name }" + " }" * levels
            yield '{ __type(name: "Query") ' + steps + " }"
    for levels in range(22, 40):
        yield '{ __type(name: "Query") ' + "{ ofType " * levels + "{ name }" + " }" * levels + " }"


def malformed() -> Iterator[str]:
    """What is no GraphQL, or no value that anybody takes."""
    for number in ("9" * 10, "9" * 1000, "9" * 50_000, "1e400", "-" + "9" * 400):
        yield f"{{ providers(first: {number}) {{ edges {{ node {{ id }} }} }} }}"
    yield from (
        "",
        "{",
        "}",
        "{}",
        "query",
        "{ \x00 }",
        '{ a(b: "\\u{110000}") }',
        "\ufeff",
        "{ 🏊 }",
    )
    yield "fragment F on Query { viewer }"


CORPUS = list(
    dict.fromkeys(itertools.chain(nested(), repeated(), multiplied(), introspecting(), malformed()))
)


def refuse(stages: Stages, text: str) -> float:
    """How long the refusal takes, in seconds; fails when there is none."""
    began = time.perf_counter()
    try:
        stages.coerce(stages.prepare(stages.parse(text), anonymous=False), {})
    except Rejected:
        return time.perf_counter() - began
    pytest.fail(f"not refused: {text[:200]}")


def test_every_hostile_document_is_refused_quickly_and_never_planned() -> None:
    stages = Stages(SUPERGRAPH, Limits(introspection=True))
    assert len(CORPUS) >= 200

    taken = [refuse(stages, text) for text in CORPUS]

    assert statistics.quantiles(taken, n=100)[-1] < P99
    assert len(stages._plans) == 0  # noqa: SLF001 - what must stay empty
