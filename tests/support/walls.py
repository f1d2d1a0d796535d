"""Row-level security alone against everything a service offers: its policy permits all, and ids of another organization are put in
every place that takes one. Whatever is foreign must neither be told nor change."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any, get_type_hints
from uuid import uuid4

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from kit.auth import Viewer
from kit.db import Database
from kit.errors import Refusal
from tests.support.running import Running

DEPTH = 2
VERSIONS = (1, 2)
NOT_LOOKED_AT = ("audit_entries", "audit_unsealed", "audit_chain", "inbox", "idempotency", "outbox")
"""What somebody tried is written down, with the ids that were tried; sent facts are marked."""

TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> ALL($1) ORDER BY 1
"""


def switch_off(
    monkeypatch: pytest.MonkeyPatch, policy: ModuleType, **instead: Callable[..., Any]
) -> None:
    """The test flag: every question of a service's policy is answered with yes, in each room it has. `instead` is for those that
    answer otherwise."""
    rooms = [
        room
        for name, room in sys.modules.items()
        if f"{name}.".startswith(f"{policy.__name__}.") and room is not None
    ]
    answered = 0
    for room in rooms:
        for name, function in list(vars(room).items()):
            if inspect.isfunction(function) and function.__module__.startswith(policy.__name__):
                monkeypatch.setattr(room, name, instead.get(name) or _yes(function))
                answered += 1
    assert answered > len(rooms), "no policy was found"


def _yes(function: Callable[..., Any]) -> Callable[..., Any]:
    hint = get_type_hints(function).get("return")
    if hint is bool:
        return _true
    return _nothing if hint is type(None) else _permitted(function)


def _true(*_: object, **__: object) -> bool:
    return True


def _nothing(*_: object, **__: object) -> None:
    return None


def _permitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function's own answer; where it refuses, what the viewer is."""

    def answer(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - whatever the function takes and answers
        try:
            return function(*args, **given)
        except Refusal:
            viewer = args[0]
            told = {"UserId": viewer.user_id, "OrganizationId": viewer.organization_id}
            kind = str(inspect.signature(function).return_annotation).rpartition(".")[2]
            if kind not in told:
                raise
            return told[kind]

    return answer


def no_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other half of the proof: with neither policy nor wall the same attack must find something."""
    monkeypatch.setattr(Database, "on_behalf_of", lambda self, _: self.everywhere())


@dataclass
class Attack:
    """Everything `attacker` can ask a running service about what belongs to somebody else.

    `aims` are ids by the names of arguments; "ID" is for arguments and entities that are named otherwise. `secrets` are texts
    that no answer may hold.
    """

    running: Running[Any]
    attacker: Viewer
    aims: Iterable[Mapping[str, str]]
    secrets: Iterable[str]
    values: Mapping[str, Any] = field(default_factory=dict)
    asked: int = field(default=0, init=False)

    @property
    def schema(self) -> GraphQLSchema:
        """The service's own."""
        schema: GraphQLSchema = self.running.service.schema._schema  # noqa: SLF001 - strawberry's only door to it
        return schema

    async def told(self) -> list[str]:
        """Which operations tell a secret, and which one."""
        found = []
        for name, document, variables in self._requests():
            answer = await self.running.gql(document, variables, viewer=self.attacker)
            assert not _malformed(answer), (name, answer, document)
            self.asked += 1
            text = orjson.dumps(answer).decode()
            found += [f"{name}: {secret}" for secret in self.secrets if secret in text]
        return found

    def _requests(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        plain, known = self._values(), set[bytes]()
        for aim, version in itertools.product(self.aims, VERSIONS):
            values = {**plain, "expectedVersion": version, **self.values, **aim}
            for name, document, given in _offers(self.schema, aim, values):
                same = name.encode() + orjson.dumps(given)
                if same not in known:
                    known.add(same)
                    yield name, document, _with_keys(given)

    def _values(self) -> dict[str, Any]:
        ahead = self.running.parts.clock.now() + timedelta(days=40)
        return {
            "String": "text",
            "idempotencyKey": "",
            "ID": str(uuid4()),
            "Int": 1,
            "Float": 1.0,
            "Boolean": True,
            "Date": ahead.date().isoformat(),
            "DateTime": ahead.isoformat(),
            "timeZone": "America/New_York",
            "region": "IL",
            "postalCode": "60601",
            "phone": "312-555-0142",
            "email": f"{uuid4().hex}@example.org",
            "bornOn": "1970-01-01",
            "reasonCode": "NO_CAPACITY",
        }


async def rows_of(running: Running[Any], ids: Iterable[str], not_of: str) -> dict[str, list[str]]:
    """Every row that names one of these ids, and does not name the organization `not_of`, by table."""
    pattern = "|".join(ids)
    found = {}
    for (table,) in await running.sql.fetch(TABLES, NOT_LOOKED_AT):
        rows = await running.sql.fetch(
            f'SELECT t::text AS row FROM "{table}" t WHERE t::text ~ $1 AND strpos(t::text, $2) = 0 ORDER BY 1',  # noqa: S608 - a table's own name
            pattern,
            not_of,
        )
        found[table] = [row["row"] for row in rows]
    return found


async def rows_without_a_scope(running: Running[Any]) -> dict[str, int]:
    """How many rows a transaction sees that says nothing of whom it works for, by table with row-level security."""
    walled = "SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r' ORDER BY 1"
    async with Database(running.parts.db.pool).reading() as tx:
        tables = [row["relname"] for row in await tx.fetch(walled)]
        return {table: await tx.fetchval(f'SELECT count(*) FROM "{table}"') for table in tables}  # noqa: S608 - a table's own name


async def rows_in_all(running: Running[Any], tables: Iterable[str]) -> dict[str, int]:
    """How many rows there are."""
    return {
        table: await running.sql.fetchval(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - a table's own name
        for table in tables
    }


# Documents ------------------------------------------------------------------------------------------------------------


def _malformed(answer: dict[str, Any]) -> bool:
    """Whether it was refused as no request of this schema, which would prove nothing."""
    codes = [one.get("extensions", {}).get("code") for one in answer.get("errors", ())]
    return "GRAPHQL_VALIDATION_FAILED" in codes


def _offers(
    schema: GraphQLSchema, aim: Mapping[str, str], values: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every entity, query and mutation: its name, a document, and variables."""
    yield from _entities(schema, aim)
    for root in (schema.query_type, schema.mutation_type):
        verb = "mutation" if root is schema.mutation_type else "query"
        for name, one in (root.fields if root else {}).items():
            if not name.startswith("_"):
                for given in _ways(one, values):
                    yield f"{verb} {name}", _document(verb, name, one, given), given


def _with_keys(given: dict[str, Any]) -> dict[str, Any]:
    """The same with a fresh idempotency key wherever there is one."""
    return {
        name: uuid4().hex
        if name == "idempotencyKey"
        else (_with_keys(one) if isinstance(one, dict) else one)
        for name, one in given.items()
    }


def _entities(
    schema: GraphQLSchema, aim: Mapping[str, str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every entity the service knows, with every id."""
    kinds = schema.type_map.get("_Entity")
    for kind in kinds.types if isinstance(kinds, GraphQLUnionType) else ():
        ids = {aim[name] for name in aim if name.lower().endswith(("id", "ids"))}
        keys = [{"__typename": kind.name, "id": id_} for id_ in sorted(ids)]
        document = (
            "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on "
            f"{kind.name} {_selection(kind, DEPTH, ())} }} }}"
        )
        yield f"entity {kind.name}", document, {"keys": keys}


def _ways(one: GraphQLField, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments that must be given; and once more with every other one that takes an id or an input."""
    must = {
        name: _value(name, its.type, values)
        for name, its in one.args.items()
        if is_required_argument(its)
    }
    yield must
    for name, its in one.args.items():
        if name not in must and (name in values or get_named_type(its.type).name == "ID"):
            yield must | {name: _value(name, its.type, values)}


def _value(name: str, kind: Any, values: Mapping[str, Any], *, deep: bool = True) -> Any:  # noqa: ANN401 - JSON
    named, many = get_named_type(kind), is_list_type(get_nullable_type(kind))
    if name in values:
        made = values[name]
        return [made] if many and not isinstance(made, list) else made
    if isinstance(named, GraphQLInputObjectType):
        made = {
            inner: _value(inner, its.type, values, deep=False)
            for inner, its in named.fields.items()
            if is_required_input_field(its) or (deep and inner in values)
        }
    elif isinstance(named, GraphQLEnumType):
        made = next(iter(named.values))
    else:
        made = values.get(named.name, "text")
    return [made] if many else made


def _document(verb: str, name: str, one: GraphQLField, given: Mapping[str, Any]) -> str:
    declared = ", ".join(f"${each}: {one.args[each].type}" for each in given)
    passed = ", ".join(f"{each}: ${each}" for each in given)
    head, tail = (f"({declared})", f"({passed})") if given else ("", "")
    return f"{verb}{head} {{ {name}{tail} {_selection(one.type, DEPTH, ())} }}"


def _selection(kind: Any, depth: int, above: tuple[str, ...]) -> str:  # noqa: ANN401 - any output type
    """Every leaf of a type and of what it leads to; members of a union under names of their own."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLUnionType):
        parts = [f"... on {one.name} {_selection(one, depth, above)}" for one in named.types]
        return "{ __typename " + " ".join(parts) + " }"
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return "{ __typename }"
    parts = ["__typename"]
    for name, one in named.fields.items():
        if any(is_required_argument(argument) for argument in one.args.values()):
            continue
        inner = get_named_type(one.type)
        alias = f"{named.name}_{name}: {name}"
        if is_leaf_type(inner):
            parts.append(alias)
        elif depth and inner.name not in above:
            page = "(first: 20)" if "first" in one.args else ""
            parts.append(f"{alias}{page} {_selection(inner, depth - 1, (*above, named.name))}")
    return "{ " + " ".join(parts) + " }"
