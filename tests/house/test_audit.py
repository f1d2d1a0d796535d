"""Every mutation of every service comes to where the audit trail is written, or it is said here why not."""

from __future__ import annotations

import ast

import pytest
from strawberry.utils.str_converters import to_camel_case

from cli.servers.nats_config import SERVICES
from tests.house.calls import Place, Service, service
from tests.house.source import Function

NOTHING_CHANGES = (
    "hands something out that changes nothing until it is answered, which is written down"
)
FOR_ONESELF = "how somebody looks at things: nobody else's are any different"
UNWRITTEN = {
    "identity.startTotp": NOTHING_CHANGES,
    "identity.startPasskey": NOTHING_CHANGES,
    "identity.startProof": NOTHING_CHANGES,
    "identity.startSingleSignOn": NOTHING_CHANGES,
    "identity.requestNewPassword": "anybody may say so of anybody; that a link was sent is written down",
    "directory.keepImportProgress": "a bookmark in a file; what is imported of it is written down",
    "referrals.archiveReferral": FOR_ONESELF,
    "referrals.unarchiveReferral": FOR_ONESELF,
    "referrals.readMessages": FOR_ONESELF,
}
"""Mutations that write no entry, and why."""

WRITERS = {("kit.audit", "record"), ("kit.audit", "saw"), ("kit.outbox", "record")}
MUTATIONS = {"mutation", "own_mutation"}


def mutations(known: Service) -> dict[str, Place]:
    """The mutations of a service, as GraphQL names them."""
    return {
        to_camel_case(name.split(".")[1]): (dotted, name)
        for dotted, module in known.modules.items()
        for name, node in module.defined.items()
        if isinstance(node, Function)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Name) and decorator.id in MUTATIONS
    }


def writes(known: Service, place: Place) -> bool:
    """Whether an entry is written there: by itself, or with a fact that says who made it true."""
    silent = {
        id(call.func)
        for call in ast.walk(known.modules[place[0]].defined[place[1]])
        if isinstance(call, ast.Call)
        for given in call.keywords
        if given.arg == "by" and isinstance(given.value, ast.Constant)
    }
    return any(used in WRITERS and id(node) not in silent for node, used in known.uses(place))


def unwritten(name: str) -> set[str]:
    """The mutations of a service that never come to where an entry is written."""
    known = service(name)
    return {
        f"{name}.{verb}"
        for verb, place in mutations(known).items()
        if not any(writes(known, one) for one in known.reached(place))
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_mutation_writes_an_entry_of_the_audit_trail_or_says_why_not(name: str) -> None:
    """R02"""
    listed = {one for one in UNWRITTEN if one.startswith(f"{name}.")}
    assert mutations(service(name)), "none was found"
    assert unwritten(name) == listed


@pytest.mark.parametrize("name", SERVICES)
def test_every_mutation_of_the_schema_is_looked_at(name: str) -> None:
    """R02: one that is made in another way would not be seen here."""
    from importlib import import_module  # noqa: PLC0415 - one service after another

    schema = import_module(f"services.{name}.schema").SCHEMA
    declared = schema._schema.mutation_type  # noqa: SLF001 - strawberry's Schema wraps graphql's
    assert set(declared.fields if declared else ()) == set(mutations(service(name)))
