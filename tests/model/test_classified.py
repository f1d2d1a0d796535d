"""Z1: everything the product offers stands in a table, and nothing stands there that is not offered."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_ast_schema,
    parse,
)

from tests.model.tables import TABLES
from tests.model.words import Table

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/schema.graphql"))
SHAPES = ("Connection", "Edge")
"""Pages hold nothing of their own but `counts`, cursors and nodes, each judged where it is."""

Findings = Iterator[str]


def sdl(service: str) -> GraphQLSchema:
    """A subgraph's schema."""
    text = (ROOT / "services" / service / "schema.graphql").read_text(encoding="utf-8")
    return build_ast_schema(parse(text), assume_valid=True, assume_valid_sdl=True)


def test_every_service_has_a_table() -> None:
    assert sorted(TABLES) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_classified(service: str) -> None:
    """R02, Z1."""
    table, schema = TABLES[service], sdl(service)
    found = [
        *_operations(service, "mutation", schema.mutation_type, {row.name for row in table.verbs}),
        *_operations(service, "query", schema.query_type, {row.name for row in table.queries}),
        *_operations(
            service,
            "subscription",
            schema.subscription_type,
            {row.name for row in table.subscriptions},
        ),
    ]
    assert found == []


def _operations(
    service: str, kind: str, root: GraphQLObjectType | None, known: set[str]
) -> Findings:
    offered = {name for name in (root.fields if root else {}) if not name.startswith("_")}
    for name in sorted(offered - known):
        yield _unclassified(service, f"{kind} {name}", "a row")
    for name in sorted(known - offered):
        yield f"tests/model/{service}.py: there is no {kind} {name} any more: drop its row"


def _unclassified(service: str, what: str, remedy: str) -> str:
    return f"services/{service}: {what} is not classified: add {remedy} to tests/model/{service}.py"


@pytest.mark.parametrize("service", SERVICES)
def test_every_field_is_classified(service: str) -> None:
    """R02, Z8."""
    found = []
    table, schema = TABLES[service], sdl(service)
    for kind in _types(schema):
        open_, restricted = _known(table, kind.name)
        for name in kind.fields:
            if name not in open_ | restricted:
                what = f"field {kind.name}.{name}"
                found.append(_unclassified(service, what, "it to HIDDEN or FIELDS"))
        found += [
            f"tests/model/{service}.py: there is no field {kind.name}.{name} any more"
            for name in sorted((open_ | restricted) - set(kind.fields))
        ]
        found += [
            f"tests/model/{service}.py: {kind.name}.{name} is both open and hidden"
            for name in sorted(open_ & restricted)
        ]
    gone = set(table.fields) - {kind.name for kind in _types(schema)}
    assert (
        found + [f"tests/model/{service}.py: there is no type {one} any more" for one in gone] == []
    )


def _types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """The types whose fields say something about a thing."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    return [
        kind
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        and kind not in roots
        and not kind.name.startswith("_")
        and not kind.name.endswith(SHAPES)
        and kind.name != "PageInfo"
        and not any(
            isinstance(one, GraphQLInterfaceType) and one.name == "Problem"
            for one in kind.interfaces
        )
        and set(kind.fields) != {"id"}
    ]


def _known(table: Table, kind: str) -> tuple[set[str], set[str]]:
    hidden = {row.field for row in table.hidden if _type_name(row.of) == kind}
    named = (name.split(".") for name in table.elsewhere)
    hidden |= {field for owner, field in named if owner == kind}
    return set(table.fields.get(kind, "").split()), hidden


def _type_name(of: str) -> str:
    return of[:1].upper() + of[1:]


@pytest.mark.parametrize("service", SERVICES)
def test_every_entity_is_classified(service: str) -> None:
    """R02: `_entities` fetches anything by its key, so each type of it is judged."""
    table, schema = TABLES[service], sdl(service)
    union = schema.type_map.get("_Entity")
    offered = {one.name for one in union.types} if isinstance(union, GraphQLUnionType) else set()
    known = {row.name for row in table.entities} | table.references

    unknown = [
        _unclassified(service, f"entity {one}", "a line in ENTITIES")
        for one in sorted(offered - known)
    ]
    assert unknown == []
    assert known - offered == set()


def _rpcs(service: str) -> set[str]:
    package = importlib.import_module(f"proto.{service}.v1")
    found = set()
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.endswith("_pb2"):
            declared = importlib.import_module(f"{package.__name__}.{module.name}").DESCRIPTOR
            for one in declared.services_by_name.values():
                found |= {f"{one.name}/{method.name}" for method in one.methods}
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_is_classified(service: str) -> None:
    """R02: who of our own parts has business with it."""
    offered, known = _rpcs(service), {row.name for row in TABLES[service].rpcs}

    unknown = [
        _unclassified(service, f"RPC {one}", "a line in RPCS") for one in sorted(offered - known)
    ]
    assert unknown == []
    assert known - offered == set()


def test_the_model_does_not_lean_on_what_it_judges() -> None:
    """An independent judge: no word of the product's own policy, and nothing it would be wrong together with."""
    leaning = [
        f"{path.name}: {line}"
        for path in sorted(Path(__file__).parent.glob("*.py"))
        if path != Path(__file__)
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("from ", "import "))
        and line.split()[1].split(".")[0] in {"services", "gateway", "kit", "cli", "proto"}
    ]
    assert leaning == []
