"""Every verb and question of the public schema that takes an id, with something sensible for everything else it wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from gateway.config import SUPERGRAPH
from gateway.supergraph import load_supergraph
from tests.e2e.town import Town

PROBLEM = "... on Problem { code message field remedy }"
MET_WITH_NO_SESSION = frozenset(
    {
        "signIn", "refreshSession", "confirmAccount", "setPassword", "startSingleSignOn", "finishSingleSignOn",
    }
)  # fmt: skip


@cache
def schema() -> GraphQLSchema:
    """What clients may ask."""
    return load_supergraph(SUPERGRAPH.read_text(encoding="utf-8")).public_schema


@dataclass(frozen=True)
class Door:
    """One argument, anywhere in a request, that takes an id. `name` says where."""

    name: str
    query: str
    variables: dict[str, Any]
    path: tuple[str, ...] = field(default=())

    @property
    def wants(self) -> str:
        """The argument's name: what kind of thing it is the id of."""
        return self.path[-1]

    def knock(self, id_: str, key: str) -> dict[str, Any]:
        """The variables of a request with this id."""
        made: dict[str, Any] = _copied(self.variables)
        place: Any = made
        for step in self.path[:-1]:
            place = place[step][0] if isinstance(place[step], list) else place[step]
        place[self.wants] = [id_] if isinstance(place.get(self.wants), list) else id_
        if "idempotencyKey" in made.get("input", {}):
            made["input"]["idempotencyKey"] = key
        return made


def _copied(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def verbs(town: Town, side: str) -> Iterator[Door]:
    """The doors of mutations, for somebody of a side ("A" or "B")."""
    values = sensible(town, side)
    for name, one in _fields(schema().mutation_type).items():
        if "input" not in one.args or name in MET_WITH_NO_SESSION:
            continue
        kind = one.args["input"].type
        query = f"mutation($input: {kind}) {{ {name}(input: $input) {{ __typename {PROBLEM} }} }}"
        for path in _ids(kind):
            given = {"input": _value(kind, values, path)}
            yield Door(f"{name} {'.'.join(path)}", query, given, ("input", *path))


def questions(town: Town, side: str) -> Iterator[Door]:
    """The doors of queries."""
    values = sensible(town, side)
    for name, one in _fields(schema().query_type).items():
        for argument, about in one.args.items():
            if get_named_type(about.type).name == "ID":
                given = {
                    other: _value(its.type, values, ()) if other not in values else values[other]
                    for other, its in one.args.items()
                    if is_required_argument(its) or other == argument
                }
                yield Door(f"{name} {argument}", ask(name, one, given), given, (argument,))


def plain_questions(town: Town, side: str) -> Iterator[Door]:
    """Every query with what it needs and no more."""
    values = sensible(town, side)
    for name, one in _fields(schema().query_type).items():
        given = {
            other: values[other] if other in values else _value(its.type, values, ())
            for other, its in one.args.items()
            if is_required_argument(its)
        }
        yield Door(name, ask(name, one, given), given)


def ask(name: str, about: GraphQLField, given: dict[str, Any]) -> str:
    """A query for a field with these arguments as variables, and all that can be told at once."""
    declared = ", ".join(f"${one}: {about.args[one].type}" for one in given)
    passed = ", ".join(f"{one}: ${one}" for one in given)
    head = f"({declared})" if given else ""
    return f"query{head} {{ {name}{f'({passed})' if given else ''} {selection(about.type)} }}"


def selection(kind: Any, depth: int = 2, above: tuple[str, ...] = ()) -> str:  # noqa: ANN401 - any output type
    """Every leaf of a type, and of what it leads to (of what it leads to twice, once); nothing that needs an argument, no type within
    itself."""
    named = get_named_type(kind)
    if is_leaf_type(named) or not isinstance(named, GraphQLObjectType):
        return "" if is_leaf_type(named) else "{ __typename }"
    parts, met = ["__typename"], set[str]()
    for name, one in named.fields.items():
        if any(is_required_argument(argument) for argument in one.args.values()):
            continue
        inner = get_named_type(one.type)
        if is_leaf_type(inner):
            parts.append(name)
        elif depth and inner.name not in above and inner.name != "Organization":
            page = "(first: 2)" if "first" in one.args else ""
            further = depth - 1 if inner.name not in met else 0
            met.add(inner.name)
            parts.append(f"{name}{page} {selection(inner, further, (*above, named.name))}")
    return "{ " + " ".join(parts) + " }"


def sensible(town: Town, side: str) -> dict[str, Any]:
    """Values by argument name that a side may use."""
    ids, ahead = town.ids, town.stage.now() + timedelta(days=40)
    doctor = ids["family doctor" if side == "B" else "second cardiologist"]
    office = ids[f"{side} office"]
    return {
        "idempotencyKey": "",
        "expectedVersion": 1,
        "providerId": doctor,
        "officeId": office,
        "officeIds": [office],
        "userId": town.people[f"{side} staff"].user_id,
        "planId": ids["plan"],
        "planIds": [ids["plan"]],
        "outsidePlanReason": "PATIENT_CHOICE",
        "groupId": ids["group"],
        "referralId": ids["kept referral"],
        "sender": {"officeId": office, "providerId": doctor},
        "receiver": {"officeId": office, "providerId": doctor},
        "specialtyCode": "207RC0000X",
        "specialtyCodes": ["207RC0000X"],
        "role": "OFFICE_STAFF",
        "issuer": "https://login.mail.example",
        "region": "IL",
        "postalCode": "60601",
        "phone": "312-555-0142",
        "email": "somebody.else@mail.example",
        "timeZone": "America/New_York",
        "reasonCode": "WRONG_SPECIALTY",
        "weekOf": town.stage.today().isoformat(),
        "bornOn": "1970-01-01",
        "Date": ahead.date().isoformat(),
        "DateTime": ahead.isoformat(),
        "String": "text",
        "ID": ids["A organization"],
        "Int": 1,
        "Float": 1.0,
        "Boolean": True,
    }


def _fields(kind: GraphQLObjectType | None) -> dict[str, GraphQLField]:
    return dict(kind.fields) if kind else {}


def _ids(kind: GraphQLInputType) -> Iterator[tuple[str, ...]]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, one in named.fields.items():
            inner = get_named_type(one.type)
            if inner.name == "ID":
                yield (name,)
            yield from ((name, *path) for path in _ids(one.type))


def _value(kind: GraphQLInputType, values: dict[str, Any], path: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    """What is wanted, and what leads to `path`."""
    named, many = get_named_type(kind), is_list_type(get_nullable_type(kind))
    if isinstance(named, GraphQLInputObjectType):
        made: Any = {
            name: _named(name, one, values, path[1:] if path[:1] == (name,) else ())
            for name, one in named.fields.items()
            if is_required_input_field(one) or path[:1] == (name,)
        }
    elif isinstance(named, GraphQLEnumType):
        made = next(iter(named.values))
    else:
        made = values[named.name]
    return [made] if many else made


def _named(name: str, one: GraphQLInputField, values: dict[str, Any], path: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    if name not in values:
        many = is_list_type(get_nullable_type(one.type))
        return [] if many and not path else _value(one.type, values, path)
    given = _copied(values[name])
    if isinstance(given, dict) and path and path[-1] == "groupId":
        given.pop("providerId", None)
    return given
