"""Turns the rows of tests/model into attempts, and compares what became of them with the verdicts."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tests.e2e.matrix import Attempt, Bench, Told, each_of
from tests.model import judge
from tests.model.cast import ACTORS, SOME, things
from tests.model.tables import TABLES
from tests.model.words import (
    NOTHING,
    Action,
    Actor,
    Ask,
    Hidden,
    List,
    Session,
    Thing,
    Verb,
    Verdict,
)

PROBLEM = "{ __typename ... on Problem { code message field remedy } }"
SIGNED_IN = [one for one in ACTORS if one.session is Session.FULL]
PAGE = 100
IN_FULL = bool(os.environ.get("MATRIX_IN_FULL"))
"""Set it to try every case of every verb with every user."""


def rows(kind: type[Any]) -> Iterator[Any]:
    """Every row of a kind, of every table."""
    for table in TABLES.values():
        for one in (
            *table.verbs,
            *table.queries,
            *table.subscriptions,
            *table.hidden,
            *table.actions,
        ):
            if isinstance(one, kind):
                yield one


def about(row: Verb | Ask) -> list[Thing]:
    """What a row is tried with."""
    if not row.about:
        return [NOTHING]
    few = isinstance(row, Verb) and row.about == "user" and not IN_FULL
    return [one for one in things(row.about) if not few or one.name in SOME]


def sentence(
    actor: Actor, row: Verb | Ask | List, thing: Thing, expected: Verdict, got: str
) -> str:
    """A mismatch, for a person: who, what, to which, how they stand to it, what should be and what was."""
    case = f" ({row.case})" if row.case else ""
    what = f" {thing.kind} {thing.name!r}, {judge.relation(actor, thing)}" if row.about else ""
    return f"{actor.name}: {row.name}{case}{what}: expected {expected} by {row.rule}, got {got}"


# Verbs ----------------------------------------------------------------------------------------------------------------


def verb_attempt(
    bench: Bench, row: Verb, actor: Actor, id_: str, thing: Thing = NOTHING
) -> Attempt:
    """Somebody tries a verb on a thing."""
    given = bench.filled(dict(row.given), actor, thing)
    if row.about:
        put(given, row.at or f"{row.about}Id", id_)
    select = each_of(row.name, row.each) if row.each else PROBLEM
    return Attempt(actor, "mutation", row.name, {"input": given}, select)


def put(given: dict[str, Any], path: str, id_: str) -> None:
    """Put an id where a path leads to: into the first of a list, and as the only one where a list of ids is wanted."""
    *above, last = path.split(".")
    place: Any = given
    for step in above:
        place = place[step][0] if isinstance(place[step], list) else place[step]
    place[last] = [id_] if isinstance(place.get(last), list) else id_


async def verbs(bench: Bench) -> None:
    """Every verb, by everybody, to everything of its kind, and to a thing that never was."""
    cells = [(row, actor, thing) for row in rows(Verb) for actor in ACTORS for thing in about(row)]
    never = [(row, actor) for row in rows(Verb) if row.about for actor in ACTORS]
    told = await bench.ask(
        [verb_attempt(bench, row, actor, bench.id_of(thing), thing) for row, actor, thing in cells]
        + [verb_attempt(bench, row, actor, bench.unknown) for row, actor in never]
    )
    strange = dict(
        zip(((id(row), actor.name) for row, actor in never), told[len(cells) :], strict=True)
    )
    for (row, actor, thing), whole in zip(cells, told, strict=False):
        expected, one = judge.of_verb(row, actor, thing), whole.about(row.each)
        never_was = strange.get((id(row), actor.name))
        right = _as_expected(expected, one, row.then, never_was and never_was.about(row.each))
        bench.judged("mutations", right, sentence(actor, row, thing, expected, one.says))


def _as_expected(expected: Verdict, told: Told, then: str, strange: Told | None) -> bool:
    if expected is Verdict.UNAUTHENTICATED:
        return told.unauthenticated
    if expected is Verdict.DENY:
        return told.denied
    if expected is Verdict.UNKNOWN:
        return strange is not None and told.text == strange.text and told.code != ""
    return told.says in then.split("|") or told.code in then.split("|")


# Questions ------------------------------------------------------------------------------------------------------------


def ask_attempt(bench: Bench, row: Ask, actor: Actor, id_: str, thing: Thing = NOTHING) -> Attempt:
    """Somebody asks for a thing."""
    given = bench.filled(dict(row.given), actor, thing)
    if row.about:
        put(given, row.at, id_)
    return Attempt(actor, "query", row.name, given, row.select)


def asks() -> list[Ask]:
    """The questions for one thing; subscriptions have a test of their own."""
    return [one for table in TABLES.values() for one in table.queries if isinstance(one, Ask)]


async def questions(bench: Bench) -> None:
    """Every question for one thing, by everybody, for everything of its kind and for what never was."""
    cells = [(row, actor, thing) for row in asks() for actor in ACTORS for thing in about(row)]
    never = [(row, actor) for row in asks() if row.about for actor in ACTORS]
    told = await bench.ask(
        [ask_attempt(bench, row, actor, bench.id_of(thing), thing) for row, actor, thing in cells]
        + [ask_attempt(bench, row, actor, bench.unknown) for row, actor in never]
    )
    strange = dict(
        zip(((id(row), actor.name) for row, actor in never), told[len(cells) :], strict=True)
    )
    for (row, actor, thing), one in zip(cells, told, strict=False):
        expected = judge.of_ask(row, actor, thing)
        right = _answered(row, expected, one, strange.get((id(row), actor.name)))
        bench.judged("queries", right, sentence(actor, row, thing, expected, one.says))


def _answered(row: Ask, expected: Verdict, told: Told, strange: Told | None) -> bool:
    if expected is Verdict.ALLOW:
        answered = told.data is not None and told.error is None
        return answered or told.says in row.or_else.split("|")
    if expected is Verdict.UNKNOWN:
        return told.data is None if strange is None else told.text == strange.text
    return told.unauthenticated if expected is Verdict.UNAUTHENTICATED else told.denied


# Lists ----------------------------------------------------------------------------------------------------------------


async def lists(bench: Bench) -> None:
    """Z5: every list holds what its reader may see, all of it, and nothing else."""
    cells = [(row, actor) for row in rows(List) for actor in ACTORS]
    told = await bench.ask([list_attempt(bench, row, actor) for row, actor in cells])
    names = {id_: name for name, id_ in bench.world.ids.items()}
    for (row, actor), one in zip(cells, told, strict=True):
        shown = set(_found(one.data))
        for thing in things(row.about):
            _judge_listed(bench, row, actor, thing, one, listed=bench.id_of(thing) in shown)
        known = {bench.id_of(thing) for thing in things(row.about)}
        more = sorted(
            names.get(id_, "something that is nowhere in the cast") for id_ in shown - known
        )
        more = [name for name in more if name != "user guest"]
        bench.judged(
            "lists",
            not (more and row.complete),
            f"{actor.name}: {row.name} ({row.case}) also lists {more}",
        )


def list_attempt(bench: Bench, row: List, actor: Actor) -> Attempt:
    """Somebody asks for a list."""
    given = bench.filled(dict(row.given), actor)
    return Attempt(
        actor, "query", row.name, given | ({"first": PAGE} if row.page else {}), row.select
    )


def _judge_listed(
    bench: Bench, row: List, actor: Actor, thing: Thing, told: Told, *, listed: bool
) -> None:
    expected = judge.of_list(row, actor, thing)
    right = {
        Verdict.ALLOW: listed,
        Verdict.ABSENT: not listed and told.error is None,
        Verdict.DENY: told.denied,
        Verdict.UNAUTHENTICATED: told.unauthenticated,
    }[expected]
    got = told.code or ("listed" if listed else "not listed")
    bench.judged("lists", right, sentence(actor, row, thing, expected, got))


def _found(data: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(data, dict):
        if "id" in data:
            yield data["id"]
        for one in data.values():
            yield from _found(one)
    elif isinstance(data, list):
        for one in data:
            yield from _found(one)


# Fields of things, and what may be done with them ---------------------------------------------------------------------


Seen = list[tuple[tuple[Actor, Thing], dict[str, Any]]]


def empty(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Nothing is told by it: nothing, an empty list, an empty page."""
    if isinstance(value, dict) and set(value) == {"edges"}:
        return not value["edges"]
    return value in (None, [], {})


def _reading(kind: str) -> Ask | None:
    """The question by which a kind of thing is read."""
    found = [one for one in asks() if one.about == kind and one.name == kind]
    return found[0] if found else None


async def fields(bench: Bench) -> None:
    """Z8: a field that not everybody sees who sees the thing; and `allowedActions`, which promise what the verbs keep."""
    hidden = _by_kind(rows(Hidden))
    acting = {row.about for row in rows(Verb) if row.action} | {row.of for row in rows(Action)}
    for kind in sorted(set(hidden) | acting):
        wanted = [f"{row.field} {row.select}".strip() for row in hidden.get(kind, [])]
        wanted += ["allowedActions"] if kind in acting else []
        reading = _reading(kind)
        seen = (
            await _read(bench, reading, kind, wanted)
            if reading
            else await _read_in_lists(bench, kind, wanted)
        )
        for row in hidden.get(kind, []):
            _judge_hidden(bench, row, seen)
        if kind in acting:
            _judge_actions(bench, kind, seen)


async def _read(bench: Bench, reading: Ask, kind: str, wanted: list[str]) -> Seen:
    cells = [
        (actor, thing)
        for actor in SIGNED_IN
        for thing in things(kind)
        if judge.of_ask(reading, actor, thing) is Verdict.ALLOW
    ]
    attempts = [
        _selecting(ask_attempt(bench, reading, actor, bench.id_of(thing), thing), wanted)
        for actor, thing in cells
    ]
    told = await bench.ask(attempts)
    return list(zip(cells, (one.data or {} for one in told), strict=True))


async def _read_in_lists(bench: Bench, kind: str, wanted: list[str]) -> Seen:
    """The things that only stand in lists, one list after another."""
    named = {bench.id_of(thing): thing for thing in things(kind)}
    found: dict[tuple[Actor, Thing], dict[str, Any]] = {}
    for row in (one for one in rows(List) if one.about == kind):
        select = row.select.replace(" id ", f" id {' '.join(wanted)} ")
        tries = [
            Attempt(one.actor, one.kind, one.name, one.arguments, select)
            for one in (list_attempt(bench, row, actor) for actor in SIGNED_IN)
        ]
        for actor, told in zip(SIGNED_IN, await bench.ask(tries), strict=True):
            found |= {
                (actor, named[node["id"]]): node
                for node in _nodes(told.data)
                if node["id"] in named
            }
    return list(found.items())


def _nodes(data: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """The things of a list: what has an id and is not within another thing."""
    if isinstance(data, dict) and "id" in data:
        yield data
    elif isinstance(data, dict):
        for one in data.values():
            yield from _nodes(one)
    elif isinstance(data, list):
        for one in data:
            yield from _nodes(one)


def _by_kind(found: Iterator[Hidden]) -> dict[str, list[Hidden]]:
    kinds: dict[str, list[Hidden]] = defaultdict(list)
    for one in found:
        kinds[one.of].append(one)
    return kinds


def _selecting(attempt: Attempt, wanted: Sequence[str]) -> Attempt:
    select = f"{{ __typename {' '.join(wanted)} }}"
    return Attempt(attempt.actor, attempt.kind, attempt.name, attempt.arguments, select)


def _judge_hidden(bench: Bench, row: Hidden, seen: Seen) -> None:
    there = {thing for (_, thing), data in seen if not empty(data.get(row.field))}
    for (actor, thing), data in seen:
        to = judge.of_hidden(row, actor, thing) is Verdict.ALLOW
        told = not empty(data.get(row.field))
        right = told == (to and thing in there)
        says = "sees" if told else "does not see"
        bench.judged(
            "fields",
            right,
            f"{actor.name} {says} {row.field} of {thing.kind} {thing.name!r},"
            f" {judge.relation(actor, thing)}, against {row.rule}",
        )
    bench.judged("fields", bool(there), f"nothing in the cast has a {row.of}'s {row.field}")


def _promises(kind: str) -> dict[str, list[Verb | Action]]:
    found: dict[str, list[Verb | Action]] = defaultdict(list)
    for verb in rows(Verb):
        if verb.action and verb.about == kind:
            found[verb.action].append(verb)
    for row in rows(Action):
        if row.of == kind:
            found[row.name].append(row)
    return found


def _may(row: Verb | Action, actor: Actor, thing: Thing) -> bool:
    if isinstance(row, Action):
        return not actor.reporting_only and row.to(actor, thing)
    return judge.of_verb(row, actor, thing) is Verdict.ALLOW


def _judge_actions(bench: Bench, kind: str, seen: Seen) -> None:
    """Who may do a verb is offered it as soon as anybody is: the thing is in the same state for all of them."""
    offered: dict[Thing, set[str]] = defaultdict(set)
    for (_, thing), data in seen:
        offered[thing] |= set(data.get("allowedActions") or [])
    promises = _promises(kind)
    for (actor, thing), data in seen:
        for action in sorted(offered[thing]):
            may = any(_may(row, actor, thing) for row in promises[action])
            has = action in (data.get("allowedActions") or [])
            says = "is offered" if has else "is not offered"
            bench.judged(
                "actions",
                has == may and action in promises,
                f"{actor.name} {says} {action} of {kind} {thing.name!r}, {judge.relation(actor, thing)}",
            )
