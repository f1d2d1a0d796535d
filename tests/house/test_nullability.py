"""A part that is away takes only its own fields with it: what the schemas must allow for that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    build_ast_schema,
    get_named_type,
    is_list_type,
    parse,
)

from kit.config import SIBLINGS
from tests.house.source import ROOT

HOME = {
    "Organization": "identity",
    "User": "identity",
    "Provider": "directory",
    "Office": "directory",
    "Group": "directory",
    "InsurancePlan": "insurance",
    "Payer": "insurance",
    "Referral": "referrals",
}
"""The service whose fields make the entity what it is."""


def fields(service: str) -> Iterator[tuple[str, str, GraphQLField]]:
    """Every field of a subgraph but those of federation itself."""
    sdl = (ROOT / "services" / service / "schema.graphql").read_text(encoding="utf-8")
    schema = build_ast_schema(parse(sdl), assume_valid=True, assume_valid_sdl=True)
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("_"):
            for name, field in kind.fields.items():
                if not name.startswith("_"):
                    yield kind.name, name, field


def may_be_absent(field: GraphQLField) -> bool:
    """Whether the thing itself may be null: the field's value, or each of its list."""
    kind = field.type
    if not isinstance(kind, GraphQLNonNull):
        return True
    inner = kind.of_type
    return is_list_type(inner) and not isinstance(inner.of_type, GraphQLNonNull)


@pytest.mark.parametrize("service", SIBLINGS)
def test_every_root_field_is_nullable(service: str) -> None:
    roots = [one for one in fields(service) if one[0] in {"Query", "Mutation"}]
    assert [name for _, name, field in roots if isinstance(field.type, GraphQLNonNull)] == []


@pytest.mark.parametrize("service", SIBLINGS)
def test_a_thing_of_another_service_is_nullable(service: str) -> None:
    strange = [
        f"{kind}.{name}"
        for kind, name, field in fields(service)
        if HOME.get(get_named_type(field.type).name, service) != service
        and not may_be_absent(field)
    ]
    assert strange == []


@pytest.mark.parametrize("service", SIBLINGS)
def test_what_a_service_adds_to_another_ones_thing_is_nullable(service: str) -> None:
    added = [
        f"{kind}.{name}"
        for kind, name, field in fields(service)
        if HOME.get(kind, service) != service and name != "id" and not may_be_absent(field)
    ]
    assert added == []
