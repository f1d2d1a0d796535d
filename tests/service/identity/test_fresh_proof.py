"""Which verbs ask for a proof that is not older than ten minutes, and that nobody is locked out by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from kit.auth import Kind, Stage, Viewer
from services.identity.policy.proofs import PROOFS, Attempt, wants_proof
from tests.model.cast import ACTORS
from tests.model.identity import TABLE
from tests.model.words import NOTHING, Actor, Session
from tests.service.identity.asking import (
    ADD_PARTNER,
    DEACTIVATE,
    GRANT,
    INVITE,
    PROBLEM,
    REACTIVATE,
    RESET,
    REVOKE,
    about,
    role,
)
from tests.service.identity.conftest import (
    PASSWORD,
    SUPPORT,
    Identity,
    Organization,
    an_email,
)
from tests.service.identity.proving import PROVE

TEN_MINUTES = timedelta(minutes=10)
BREAK = (
    f"mutation($input: BreakGlassInput!) {{ breakGlass(input: $input) {{ __typename {PROBLEM} }} }}"
)
END = f"mutation($input: EndSupportAccountInput!) {{ endSupportAccount(input: $input) {{ __typename {PROBLEM} }} }}"
RESET_FACTORS = f"mutation($input: ResetSecondFactorsInput!) {{ resetSecondFactors(input: $input) {{ __typename {PROBLEM} }} }}"
VERIFY = f"mutation($input: VerifySignInDomainInput!) {{ verifySignInDomain(input: $input) {{ __typename {PROBLEM} }} }}"
RULES = f"mutation($input: ChangeSignInRulesInput!) {{ changeSignInRules(input: $input) {{ __typename {PROBLEM} }} }}"
REMOVE_SERVICE = f"mutation($input: RemoveSignInServiceInput!) {{ removeSignInService(input: $input) {{ __typename {PROBLEM} }} }}"
BOUNCE = f"mutation($input: ReportBounceInput!) {{ reportBounce(input: $input) {{ __typename {PROBLEM} }} }}"


async def support(identity: Identity) -> Viewer:
    """Support in a session of this test alone."""
    return await identity.viewer((await identity.sign_in(*SUPPORT))["accessToken"])


def as_support(here: Organization) -> dict[str, object]:
    return {"asSupport": {"organizationId": str(here.id), "reason": "Ticket 7"}}


async def tried_by_support(identity: Identity, here: Organization) -> dict[str, tuple[str, Any]]:
    """What support may do at once with others' accounts and organizations, and would be refused for another reason."""
    user = await identity.user(here.admin.user_id, here.admin)
    somebody = {"userId": str(uuid4()), "reason": "Ticket 7"}
    seen = about(user, **as_support(here))
    stale = {"expectedVersion": 7, "reason": "Ticket 7"}
    return {
        "grantRole": (GRANT, seen | role("CALL_CENTRE")),
        "revokeRole": (REVOKE, seen | role("CALL_CENTRE")),
        "deactivateUser": (DEACTIVATE, seen),
        "reactivateUser": (REACTIVATE, seen | {"roles": []}),
        "reportBounce": (BOUNCE, {"userId": user["id"], **as_support(here)}),
        "resetTemporaryPassword": (RESET, somebody),
        "resetSecondFactors": (RESET_FACTORS, somebody),
        "endSupportAccount": (END, somebody),
        "verifySignInDomain": (
            VERIFY,
            {"organizationId": str(here.id), "domain": "here.example", "reason": "Ticket 7"},
        ),
        "changeSignInRules": (
            RULES,
            {"organizationId": str(here.id), "secondFactorRequired": True, **stale},
        ),
        "removeSignInService": (REMOVE_SERVICE, {"organizationId": str(here.id), **stale}),
        "breakGlass": (
            BREAK,
            {"organizationId": str(uuid4()), "reason": "Ticket 7", "idempotencyKey": str(uuid4())},
        ),
    }


async def test_support_that_acts_for_others_has_just_proved_who_it_is(
    identity: Identity, here: Organization
) -> None:
    """R25: a token that was stolen ten minutes ago makes nobody client admin."""
    by = await support(identity)
    tried = await tried_by_support(identity, here)
    await identity.running.advance(TEN_MINUTES)

    late = {verb: await identity.mutate(*one, by) for verb, one in tried.items()}
    proved = await identity.mutate(PROVE, {"password": SUPPORT[1]}, by)
    again = {verb: await identity.mutate(*one, by) for verb, one in tried.items()}

    assert {verb: one["code"] for verb, one in late.items()} == dict.fromkeys(
        tried, "STEP_UP_REQUIRED"
    )
    assert proved["__typename"] == "IdentityProved"
    assert "STEP_UP_REQUIRED" not in {one.get("code") for one in again.values()}


async def test_support_proves_it_inside_an_organization_as_well(
    identity: Identity, here: Organization
) -> None:
    """R25: nobody is locked out; and inside, what it does in the client admins' place asks as asSupport does."""
    signed_in = await identity.sign_in(*SUPPORT)
    outside = await identity.viewer(signed_in["accessToken"])
    given = {"organizationId": str(here.id), "reason": "Ticket 7", "idempotencyKey": str(uuid4())}
    await identity.mutate(BREAK, given, outside)
    inside = await identity.viewer(signed_in["accessToken"])
    user = await identity.user((await identity.member(here)).user_id, here.admin)
    await identity.running.advance(TEN_MINUTES)

    late = await identity.mutate(GRANT, about(user, **role("CALL_CENTRE")), inside)
    proved = await identity.mutate(PROVE, {"password": SUPPORT[1]}, inside)
    done = await identity.mutate(GRANT, about(user, **role("CALL_CENTRE")), inside)

    assert inside.organization_id == here.id
    assert late["code"] == "STEP_UP_REQUIRED"
    assert (proved["__typename"], done["__typename"]) == ("IdentityProved", "RoleGranted")


async def test_client_admins_prove_it_for_partners_and_other_client_admins_only(
    identity: Identity, here: Organization
) -> None:
    """R01, R08: everyday work goes on without."""
    await identity.running.advance(TEN_MINUTES)
    user = await identity.user((await identity.member(here)).user_id, here.admin)
    partner = {"name": "EHR", "idempotencyKey": str(uuid4())}
    admin = {
        "email": an_email(),
        "name": "Another",
        "roles": [role("CLIENT_ADMIN")],
        "idempotencyKey": str(uuid4()),
    }

    everyday = [
        await identity.mutate(GRANT, about(user, **role("CALL_CENTRE")), here.admin),
        await identity.invite(here.admin, an_email(), role("OFFICE_STAFF", here.office)),
    ]
    asked: list[tuple[str, dict[str, Any]]] = [(ADD_PARTNER, partner), (INVITE, admin)]
    late = [await identity.mutate(*one, here.admin) for one in asked]
    await identity.mutate(PROVE, {"password": PASSWORD}, here.admin)
    done = [await identity.mutate(*one, here.admin) for one in asked]

    assert [one["__typename"] for one in everyday] == ["RoleGranted", "UserInvited"]
    assert [one["code"] for one in late] == ["STEP_UP_REQUIRED"] * 2
    assert [one["__typename"] for one in done] == ["PartnerAdded", "UserInvited"]


async def test_who_may_not_do_it_anyhow_is_refused_as_ever(
    identity: Identity, here: Organization
) -> None:
    """R02: a proof would not help, so none is asked for."""
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    tried = await tried_by_support(identity, here)
    await identity.running.advance(TEN_MINUTES)
    answers = [await identity.mutate(*one, staff) for one in tried.values()]
    answers.append(
        await identity.mutate(ADD_PARTNER, {"name": "EHR", "idempotencyKey": "x"}, staff)
    )

    assert "STEP_UP_REQUIRED" not in {one["code"] for one in answers}
    assert {one["__typename"] for one in answers} <= {"DeniedProblem", "NotFoundProblem"}


async def test_a_session_that_was_ended_a_moment_ago_does_none_of_it(
    identity: Identity, here: Organization
) -> None:
    """R07: the rows decide, not the viewer that the gateway signed just before."""
    by = await support(identity)
    await identity.mutate("mutation { signOut { __typename } }", None, by)
    document, given = (await tried_by_support(identity, here))["grantRole"]
    answer = await identity.running.gql(document, {"input": given}, viewer=by)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("verb", sorted({*PROOFS, *TABLE.proofs}))
def test_the_model_says_of_the_same_people_that_they_are_asked_for_a_proof(verb: str) -> None:
    """R02: judged by another hand, for everybody of the cast who has a whole session."""
    asked = {
        one.name: wants_proof(verb, Attempt(_viewer(one)))
        for one in ACTORS
        if one.session is Session.FULL
    }
    assert asked == {
        one.name: TABLE.proofs[verb](one, NOTHING) for one in ACTORS if one.session is Session.FULL
    }


def _viewer(actor: Actor) -> Viewer:
    return Viewer(
        kind=Kind.USER,
        user_id=uuid4(),
        stage=Stage.FULL,
        support=actor.support,
        client_admin=actor.client_admin,
    )


@pytest.mark.parametrize("verb", PROOFS)
def test_the_schema_says_which_verbs_ask_for_a_proof(verb: str) -> None:
    """R02"""
    from services.identity.schema import SCHEMA  # noqa: PLC0415 - only here

    (field,) = [
        one
        for name, one in SCHEMA._schema.mutation_type.fields.items()  # type: ignore[union-attr]  # noqa: SLF001
        if name == verb
    ]
    assert "STEP_UP_REQUIRED" in (field.description or "")
