"""What is open with somebody who leaves, in numbers and as a case (R12, R13)."""

from __future__ import annotations

from tests.model.words import NOTHING, Actor, Ask, Hidden, List, Thing, looks_on, own


def counts(actor: Actor, thing: Thing) -> bool:
    """R12: numbers of open work, for client admins, who sees what they see, and whoever works referrals."""
    return looks_on(actor, thing) or actor.works


def left(actor: Actor, thing: Thing) -> bool:
    """Who left the organization had a case there."""
    return own(actor, thing) and thing.removed


CASES = (
    Ask(
        "offboardingCase",
        "R13",
        "provider",
        shown=left,
        may=counts,
        at="providerId",
        select="{ state }",
        for_support=False,
    ),
    List(
        "offboardingCases",
        "R13",
        "provider",
        lists=left,
        may=lambda actor: counts(actor, NOTHING),
        given={"closed": True},
        select="{ edges { node { provider { id } } } }",
        for_support=False,
        case="closed",
    ),
)
CASE = Hidden(
    "provider",
    "offboardingCase",
    "R13",
    lambda actor, thing: left(actor, thing) and counts(actor, thing),
    "{ state }",
)
