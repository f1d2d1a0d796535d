"""The committed supergraph: whatever clients may ask of it can be planned, in terms its services understand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import gateway
from gateway.config import SUPERGRAPH
from gateway.operation import prepare
from gateway.plan import (
    BatchFetch,
    Condition,
    Fetch,
    Flatten,
    QueryPlan,
    Subscription,
    from_json,
    to_json,
)
from gateway.planner import plan
from gateway.supergraph import load_supergraph
from tests.gateway.engine.random_operations import SCALARS, operations

OURS = load_supergraph(SUPERGRAPH.read_text())
SERVICES = Path(gateway.__file__).parent.parent / "services"
PUBLIC = OURS.public_schema
AnyType: TypeAlias = Any
ROOTS: dict[str, AnyType] = {
    "query": PUBLIC.query_type,
    "mutation": PUBLIC.mutation_type,
    "subscription": PUBLIC.subscription_type,
}
PATIENT = settings(
    max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
ONLY_INTERFACES = {"Problem"}
"""Met in fragments only."""


@cache
def service(name: str) -> GraphQLSchema:
    """A service's schema as it is committed."""
    return build_schema((SERVICES / name / "schema.graphql").read_text(), assume_valid_sdl=True)


def planned(text: str) -> QueryPlan:
    document = parse(text)
    assert validate(PUBLIC, document) == [], text
    return plan(OURS, prepare(OURS, document))


def requests(node: AnyType) -> Iterator[Fetch | BatchFetch]:
    """Every request of a plan."""
    if isinstance(node, Fetch | BatchFetch):
        yield node
    elif isinstance(node, Flatten):
        yield from requests(node.node)
    elif isinstance(node, Subscription):
        yield node.primary
    elif isinstance(node, Condition):
        yield from requests(node.if_true)
        yield from requests(node.if_false)
    elif node is not None:
        for each in node.nodes:
            yield from requests(each)


def check(made: QueryPlan) -> None:
    """Every request of the plan is one that its service takes."""
    assert from_json(to_json(made)) == made
    for request in requests(made.node):
        refusals = validate(service(request.service), parse(request.operation))
        assert refusals == [], f"{request.service}: {request.operation}"


@pytest.mark.parametrize("kind", ["query", "mutation"])
@PATIENT
@given(data=st.data())
def test_any_valid_operation_is_planned_in_terms_its_services_understand(
    kind: str, data: st.DataObject
) -> None:
    text, _ = data.draw(operations(PUBLIC, kind, 7))
    assume(not validate(PUBLIC, parse(text)))

    check(planned(text))


def steps(type_: AnyType) -> Iterator[tuple[str, AnyType]]:
    """From an object to what stands in its fields, and to what an abstract type may turn out to be."""
    if is_abstract_type(type_):
        for member in PUBLIC.get_possible_types(type_):
            yield f"... on {member.name}", member
    for name, field in getattr(type_, "fields", {}).items():
        named = get_named_type(field.type)
        if is_composite_type(named):
            yield asked(name, field), named


def ways() -> Iterator[tuple[str, tuple[str, ...], AnyType]]:
    """Each type after each field that leads to it: the kind of operation, the way there, and the type."""
    for kind, root in ROOTS.items():
        reached: dict[str, tuple[str, ...]] = {root.name: ()}
        open_ = [root]
        while open_:
            type_ = open_.pop(0)
            for step, member in steps(type_):
                way = (*reached[type_.name], step)
                yield kind, way, member
                if member.name not in reached:
                    reached[member.name] = way
                    open_.append(member)


def asked(name: str, field: GraphQLField) -> str:
    """A field with the arguments it must have."""
    drawn = [f"{n}: {example(a.type)}" for n, a in field.args.items() if is_required_argument(a)]
    return f"{name}({', '.join(drawn)})" if drawn else name


def example(type_: AnyType) -> str:
    """Any value of an input type."""
    if isinstance(type_, GraphQLNonNull):
        return example(type_.of_type)
    if isinstance(type_, GraphQLList):
        return "[]"
    if isinstance(type_, GraphQLInputObjectType):
        needed = {n: f for n, f in type_.fields.items() if is_required_input_field(f)}
        return f"{{{', '.join(f'{n}: {example(f.type)}' for n, f in needed.items())}}}"
    if isinstance(type_, GraphQLEnumType):
        return min(type_.values)
    return SCALARS[type_.name][0]


def everything(type_: AnyType) -> str:
    """All fields of a type at once."""
    fields = getattr(type_, "fields", {}).items()
    parts = [
        asked(name, field)
        + (" { __typename }" if is_composite_type(get_named_type(field.type)) else "")
        for name, field in fields
    ]
    return " ".join(["__typename", *parts])


def test_every_field_can_be_asked_wherever_its_object_is_met() -> None:
    met: set[str] = set()
    for kind, way, type_ in ways():
        check(planned(f"{kind} {{ {' { '.join(way)} {{ {everything(type_)} }}{' }' * len(way)}"))
        met.add(type_.name)

    composite = {name for name, type_ in PUBLIC.type_map.items() if is_composite_type(type_)}
    unmet = {name for name in composite - met if not name.startswith("__")}
    assert unmet <= {root.name for root in ROOTS.values()} | ONLY_INTERFACES
