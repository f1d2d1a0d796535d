"""Asks the running system what tests/model has a verdict on: many attempts a request, several requests at once."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLUnionType, get_named_type

from gateway.subgraphs.pool import Bounds, Pool
from gateway.subgraphs.wire import Target
from kit.ids import new_id
from tests.e2e.every_door import schema
from tests.e2e.matrix_stage import World
from tests.model.cast import MAPLE
from tests.model.words import NOTHING, Actor, Thing

TOGETHER = 10
"""Root fields of one request: the gateway takes no more."""

DENIALS = frozenset({"FORBIDDEN", "WRONG_SIDE", "SUPPORT_ONLY", "REPORTING_ONLY"})
"""Codes of refusals of one among many, which have no type that says so."""

ID_LENGTH = 36
AT_ONCE = 6
"""Requests on their way."""

Json = Any


@dataclass(frozen=True)
class Attempt:
    """One root field somebody tries: its arguments, and what to select."""

    actor: Actor
    kind: str
    """query or mutation."""

    name: str
    arguments: dict[str, Json]
    select: str


@dataclass
class Told:
    """What became of an attempt, with the ids that went in taken out of the text."""

    data: Json
    error: dict[str, Any] | None
    text: str = ""

    @property
    def code(self) -> str:
        """The refusal's code; empty when there was none."""
        if self.error is not None:
            more = self.error.get("extensions", {})
            return str(more.get("reason", more.get("code", "?")))
        if isinstance(self.data, dict) and "code" in self.data and "message" in self.data:
            return str(self.data["code"])
        return ""

    def about(self, each: str) -> Told:
        """What it says of the one thing among many that `each` leads to; itself when it is refused as a whole."""
        if (
            not each
            or not isinstance(self.data, dict)
            or each.split(".", maxsplit=1)[0] not in self.data
        ):
            return self
        inner: Json = self.data
        for step in each.split("."):
            inner = inner[step][0] if isinstance(inner[step], list) else inner[step]
        return Told(inner, self.error, self.text)

    @property
    def unauthenticated(self) -> bool:
        """Nobody, to the product."""
        more = (self.error or {}).get("extensions", {})
        return bool(more.get("code") == "UNAUTHENTICATED")

    @property
    def denied(self) -> bool:
        """Known, and not allowed."""
        if self.error is not None:
            return bool(self.error.get("extensions", {}).get("code") == "FORBIDDEN")
        if not isinstance(self.data, dict):
            return False
        return self.data.get("__typename") == "DeniedProblem" or self.data.get("code") in DENIALS

    @property
    def says(self) -> str:
        """In a word, for the report."""
        if self.code:
            field_ = self.data.get("field") if isinstance(self.data, dict) else None
            return f"{self.code} {field_}" if field_ else self.code
        if isinstance(self.data, dict) and "__typename" in self.data:
            return str(self.data["__typename"])
        return "nothing" if self.data is None else "an answer"


@dataclass
class Bench:
    """Where attempts are made. `cells` counts the verdicts compared, `wrong` says which were not as they should be,
    `done` which parts were tried."""

    world: World
    cells: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._pool = Pool(Target.parse(f"{self.world.system.url}/graphql"), Bounds(total=60.0))
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.unknown = str(new_id())

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def judged(self, part: str, right: bool, sentence: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Count a cell."""
        self.cells[part] += 1
        if not right:
            self.wrong.append(sentence)

    # Values -----------------------------------------------------------------------------------------------------------

    def filled(self, value: Json, actor: Actor, thing: Thing = NOTHING) -> Json:
        """A row's input, with what its names stand for. What stands for nothing is left out."""
        if isinstance(value, dict):
            filled = {name: self.filled(one, actor, thing) for name, one in value.items()}
            return {name: one for name, one in filled.items() if one is not None}
        if isinstance(value, list):
            return [self.filled(one, actor, thing) for one in value]
        if value == "NEW KEY":
            return self.world.stage.key()
        if isinstance(value, str) and value.startswith("@"):
            return self._named(value[1:], actor, thing)
        return value

    def _named(self, name: str, actor: Actor, thing: Thing) -> str | None:
        ids, maple = self.world.ids, actor.organization == MAPLE
        outside = actor.support and not actor.organization
        special = {
            "day last week": self.world.last_week,
            "support address": self.world.system.support[0],
            "for support": ids.get(f"organization {thing.organization}") if outside else None,
            "organization of it": ids.get(f"organization {thing.organization}", self.unknown),
            "own somebody": ids["user guest"],
            "own doctor": ids["provider doctor here" if maple else "provider their doctor"],
            "own leaver": ids["provider leaver"] if maple else self.unknown,
            "own office": ids["office here" if maple else "office theirs"],
            "own other office": ids["office there" if maple else "office their planned"],
        }
        return special[name] if name in special else ids[name]

    def id_of(self, thing: Thing) -> str:
        """A thing's id; of `NOTHING` none."""
        return self.world.ids.get(f"{thing.kind} {thing.name}", self.unknown)

    # Asking -----------------------------------------------------------------------------------------------------------

    async def ask(self, attempts: Sequence[Attempt]) -> list[Told]:
        """What becomes of each attempt, in their order."""
        told: dict[int, Told] = {}
        await asyncio.gather(*(self._send(attempts, batch, told) for batch in _batches(attempts)))
        return [told[place] for place in range(len(attempts))]

    async def _send(
        self, attempts: Sequence[Attempt], batch: Sequence[int], told: dict[int, Told]
    ) -> None:
        chosen = [attempts[place] for place in batch]
        asked, variables = document(chosen)
        headers = {"accept": "application/json"}
        async with self._gate:
            if token := await self.world.token(chosen[0].actor):
                headers["authorization"] = f"Bearer {token}"
            body = orjson.dumps({"query": asked, "variables": variables})
            exchange = await self._pool.post(body, headers, repeatable=False)
        answer = orjson.loads(exchange.take())
        for number, place in enumerate(batch):
            told[place] = told_of(answer, f"a{number}", _ids(attempts[place].arguments))


def _batches(attempts: Sequence[Attempt]) -> Iterable[list[int]]:
    """Places of attempts that go together: of one actor, all questions or all verbs."""
    together: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(attempts):
        if one.kind == "mutation" and one.actor.name == "anonymous":
            yield [place]
        else:
            together[one.actor.name, one.kind].append(place)
    for places in together.values():
        for start in range(0, len(places), TOGETHER):
            yield places[start : start + TOGETHER]


def document(attempts: Sequence[Attempt]) -> tuple[str, dict[str, Json]]:
    """The document of attempts that go together (a0, a1, ...), and its variables."""
    declared, parts, variables = [], [], dict[str, Json]()
    for number, one in enumerate(attempts):
        passed = []
        for name, value in one.arguments.items():
            variable = f"v{number}{name}"
            declared.append(f"${variable}: {_type(one, name)}")
            passed.append(f"{name}: ${variable}")
            variables[variable] = value
        arguments = f"({', '.join(passed)})" if passed else ""
        parts.append(f"a{number}: {one.name}{arguments} {one.select}")
    head = f"({', '.join(declared)})" if declared else ""
    return f"{attempts[0].kind}{head} {{ {' '.join(parts)} }}", variables


def _type(attempt: Attempt, argument: str) -> str:
    root = schema().mutation_type if attempt.kind == "mutation" else schema().query_type
    if root is None or attempt.name not in root.fields:
        raise AssertionError(f"the gateway offers no {attempt.kind} {attempt.name}")
    return str(root.fields[attempt.name].args[argument].type)


def _ids(value: Json) -> list[str]:
    """Every id in an input: taken out of what is answered, so that answers can be compared."""
    if isinstance(value, dict):
        return [one for inner in value.values() for one in _ids(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in _ids(inner)]
    return [value] if isinstance(value, str) and len(value) == ID_LENGTH else []


def told_of(answer: Json, alias: str, ids: list[str]) -> Told:
    """What an answer says of one attempt."""
    errors = [
        one for one in answer.get("errors", []) if not one.get("path") or one["path"][0] == alias
    ]
    data = (answer.get("data") or {}).get(alias)
    error = errors[0] if errors else None
    text = json.dumps([data, error and [error["message"], error.get("extensions")]])
    for id_ in ids:
        text = text.replace(id_, "ID")
    return Told(data, error, text)


def each_of(verb: str, each: str) -> str:
    """A selection of a mutation's answer down to what it says of each thing: of its success, and of a refusal of the whole."""
    root = schema().mutation_type
    union = get_named_type(root.fields[verb].type) if root else None
    success = next(
        one
        for one in getattr(union, "types", ())
        if each.split(".", maxsplit=1)[0] in one.fields and "message" not in one.fields
    )
    names, inner = each.split("."), "code message"
    last = get_named_type(get_named_type(success.fields[names[0]].type).fields[names[1]].type)
    if isinstance(last, GraphQLUnionType):
        inner = "__typename ... on Problem { code message field remedy }"
    wanted = f"{names[0]} {{ {names[1]} {{ {inner} }} }}"
    problem = "... on Problem { code message field remedy }"
    return f"{{ __typename {problem} ... on {success.name} {{ {wanted} }} }}"
