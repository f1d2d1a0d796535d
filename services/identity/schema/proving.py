"""Asking for a fresh proof before a verb: which verbs want one is declared in policy/proofs.py, and nowhere else."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.utils.str_converters import to_camel_case

from services.identity import actions
from services.identity.domain import Role
from services.identity.policy.proofs import Attempt, said_of, wants_proof


class AsksForProof(FieldExtension):
    """Refuses the verb, STEP_UP_REQUIRED, unless its viewer has just proved who they are."""

    def __init__(self, verb: str) -> None:
        self._verb = verb

    async def resolve_async(
        self,
        next_: Callable[..., Awaitable[Any]],
        source: object,
        info: strawberry.Info[Any, None],
        **kwargs: object,
    ) -> object:
        """Look at the proof, and go on."""
        call = info.context.call
        if wants_proof(self._verb, Attempt(call.viewer, _roles(kwargs.get("input")))):
            await actions.require_fresh_proof(call)
        return await next_(source, info, **kwargs)


def _roles(input: object) -> frozenset[Role]:
    """The roles that the verb would give: one, or several."""
    wanted = getattr(input, "roles", None) or [input]
    return frozenset(one.role for one in wanted if hasattr(one, "role"))


def ask_for_proofs(root: type) -> None:
    """Stand before every verb that wants a proof, within what makes data of refusals, and say so in its description."""
    definition: StrawberryObjectDefinition = root.__strawberry_definition__  # type: ignore[attr-defined]
    for verb in definition.fields:
        name = verb.graphql_name or to_camel_case(verb.python_name)
        if said := said_of(name):
            verb.extensions = [AsksForProof(name), *verb.extensions]
            verb.description = f"{verb.description} {said}"
