"""Support inside an organization, on real servers. These tests move the clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from kit.auth import Viewer
from tests.service.identity.asking import PROBLEM, REFRESH, SIGN_OUT, USERS, role
from tests.service.identity.conftest import (
    SUPPORT,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.service.identity.proving import PROVE

ACCESS = "id reason live endedBecause name organization { id }"
BREAK = f"mutation($input: BreakGlassInput!) {{ breakGlass(input: $input) {{ __typename {PROBLEM} ... on SupportAccess {{ {ACCESS} }} }} }}"
END = f"mutation {{ endBreakGlass {{ __typename {PROBLEM} ... on SupportAccess {{ {ACCESS} }} }} }}"
LIST = f"{{ supportAccesses(first: 100) {{ edges {{ node {{ {ACCESS} }} }} }} }}"
AUDIT = "{ identityAudit(first: 100) { edges { node { act bySupport reason } } } }"


class Insider:
    """A session of support that can be looked at again and again."""

    def __init__(self, identity: Identity, signed_in: dict[str, Any]) -> None:
        self._identity, self._session = identity, signed_in

    async def now(self) -> Viewer:
        """The viewer of the session, by today's rows."""
        token = {"refreshToken": self._session["refreshToken"]}
        self._session = await self._identity.mutate(REFRESH, token)
        return await self._identity.viewer(self._session["accessToken"])

    async def enter(self, here: Organization, **given: object) -> dict[str, Any]:
        """Break the glass."""
        asked = {
            "organizationId": str(here.id),
            "reason": "Asked by phone.",
            "idempotencyKey": str(uuid4()),
        }
        return await self._identity.mutate(BREAK, asked | given, await self.now())


@pytest.fixture
async def insider(identity: Identity) -> Insider:
    """A session of support of this test alone."""
    return Insider(identity, await identity.sign_in(*SUPPORT))


async def test_support_inside_an_organization_has_its_client_admins_powers_there_and_in_no_other(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R02: break-glass; one organization, one session."""
    there = await new_organization(identity)
    outside = await insider.now()
    entered = await insider.enter(here)
    inside = await insider.now()
    invited = await identity.invite(inside, an_email(), role("OFFICE_STAFF", here.office))
    before = await identity.invite(outside, an_email(), role("OFFICE_STAFF", here.office))
    foreign = await identity.running.gql(USERS, {"here": str(there.id)}, viewer=inside)

    assert (entered["live"], entered["organization"]) == (True, {"id": str(here.id)})
    assert (inside.organization_id, inside.client_admin, inside.support) == (here.id, True, True)
    assert (outside.organization_id, outside.client_admin) == (None, False)
    assert identity.support.organization_id is None, "no other session is inside"
    assert invited["__typename"] == "UserInvited", invited
    assert before["code"] == "FORBIDDEN"
    assert foreign["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_client_admins_get_a_mail_at_once_and_see_it_in_the_audit_trail(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25: support across tenants is never in secret."""
    await insider.enter(here, reason="Their client admin left.")
    await identity.invite(await insider.now(), an_email())
    await identity.jobs()
    email = (await identity.user(here.admin.user_id, here.admin))["email"]
    (letter,) = [one for one in identity.mailbox.to(email) if "of support acts at" in one]
    trail = (await identity.running.data(AUDIT, viewer=here.admin))["identityAudit"]["edges"]
    by_support = {one["node"]["act"]: one["node"] for one in trail if one["node"]["bySupport"]}
    (access,) = (await identity.running.data(LIST, viewer=here.admin))["supportAccesses"]["edges"]

    assert "Their client admin left." in letter
    assert f"{SUPPORT[0]} of support acts at" in letter, "every support account is called Support"
    assert by_support["identity.user.support_access_began"]["reason"] == "Their client admin left."
    assert "identity.user.invited" in by_support
    assert access["node"]["reason"] == "Their client admin left."
    assert access["node"]["name"]


async def test_it_ends_by_itself_after_four_hours_at_most(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25."""
    long = await insider.enter(here, minutes=241)
    silent = await insider.enter(here, reason=" ")
    await insider.enter(here)
    await identity.running.advance(timedelta(hours=3, minutes=59))
    late = await insider.now()
    await identity.running.advance(timedelta(minutes=1))
    over = await insider.now()
    (access,) = (await identity.running.data(LIST, viewer=here.admin))["supportAccesses"]["edges"]
    facts = [name for name, _ in await identity.told(here.id) if "support_access" in name]
    late_again = await insider.enter(here, minutes=10)
    await identity.mutate(PROVE, {"password": SUPPORT[1]}, over)
    again = await insider.enter(here, minutes=10)

    assert late_again["code"] == "STEP_UP_REQUIRED"
    assert (long["code"], silent["code"]) == ("INVALID", "REASON_REQUIRED")
    assert (late.organization_id, over.organization_id) == (here.id, None)
    assert (access["node"]["live"], access["node"]["endedBecause"]) == (False, "EXPIRED")
    assert facts == ["user.support_access_began.v1", "user.support_access_ended.v1"]
    assert again["__typename"] == "SupportAccess"


async def test_a_viewer_of_before_the_end_changes_nothing_after_it(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25: the rows decide, not the viewer that the gateway signed a moment ago."""
    await insider.enter(here)
    inside = await insider.now()
    left = await identity.mutate(END, None, inside)
    after = await identity.invite(inside, an_email())
    again = await identity.mutate(END, None, await insider.now())

    assert left["endedBecause"] == "ENDED"
    assert after["code"] == "GLASS_WHOLE"
    assert again["code"] == "NOT_INSIDE"


async def test_one_session_is_inside_one_organization_at_a_time_also_in_a_race(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25."""
    there = await new_organization(identity)
    outside = await insider.now()
    made = await asyncio.gather(
        *(
            identity.mutate(
                BREAK,
                {
                    "organizationId": str(one.id),
                    "reason": "Both at once.",
                    "idempotencyKey": str(uuid4()),
                },
                outside,
            )
            for one in (here, there, here, there)
        )
    )
    kinds = sorted(one.get("code") or one["__typename"] for one in made)

    assert kinds == ["GLASS_BROKEN"] * 3 + ["SupportAccess"]


async def test_nobody_but_support_breaks_the_glass_and_signing_out_ends_it(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R02."""
    given = {"organizationId": str(here.id), "reason": "Me.", "idempotencyKey": str(uuid4())}
    denied = await identity.mutate(BREAK, given, here.admin)
    unknown = await insider.enter(Organization(uuid4(), "", here.admin, uuid4()))
    staff = await identity.member(here, role("CALL_CENTRE"))
    shut = await identity.running.gql(LIST, viewer=staff)
    await insider.enter(here)
    await identity.mutate(SIGN_OUT, None, await insider.now())
    fresh = await identity.viewer((await identity.sign_in(*SUPPORT))["accessToken"])

    assert (denied["code"], unknown["code"]) == ("FORBIDDEN", "NOT_FOUND")
    assert shut["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert fresh.organization_id is None


async def test_being_inside_ends_with_the_session_whichever_way_that_ends(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25: nobody is shown as inside who is not even signed in any more, and who is not cannot go in."""
    await insider.enter(here)
    inside = await insider.now()
    await identity.mutate(SIGN_OUT, None, inside)
    ((out,), _) = await accesses(identity, here)
    again = Insider(identity, await identity.sign_in(*SUPPORT))
    await again.enter(here)
    ended = await again.now()
    await identity.running.sql.execute(
        "UPDATE sessions SET revoked_at = now(), revoked_because = 'REUSED' WHERE id = $1",
        ended.session_id,
    )
    await identity.jobs()
    both, facts = await accesses(identity, here)
    given = {"organizationId": str(here.id), "reason": "Me.", "idempotencyKey": str(uuid4())}
    dead = await identity.running.gql(
        BREAK, {"input": given}, viewer=replace(ended, organization_id=None)
    )

    assert (out["live"], out["endedBecause"]) == (False, "ENDED")
    assert [(one["live"], one["endedBecause"]) for one in both] == [(False, "ENDED")] * 2
    assert facts == ["user.support_access_began.v1", "user.support_access_ended.v1"] * 2
    assert dead["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_support_is_inside_no_longer_than_its_session_lasts(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25"""
    await identity.running.advance(timedelta(hours=10))
    outside = await insider.now()
    await identity.mutate(PROVE, {"password": SUPPORT[1]}, outside)
    await insider.enter(here, minutes=240)
    found = await identity.running.sql.fetchrow(
        "SELECT a.ends_at, s.ends_at AS session FROM support_accesses a JOIN sessions s ON s.id = a.session_id"
        " WHERE s.id = $1",
        outside.session_id,
    )

    assert found is not None
    assert found["ends_at"] == found["session"]


async def accesses(
    identity: Identity, here: Organization
) -> tuple[list[dict[str, Any]], list[str]]:
    """How the client admin sees support's being here, and the facts that were told of it."""
    found = (await identity.running.data(LIST, viewer=here.admin))["supportAccesses"]["edges"]
    facts = [name for name, _ in await identity.told(here.id) if "support_access" in name]
    return [one["node"] for one in found], facts


async def test_a_retry_is_answered_as_before_and_writes_no_second_mail(
    identity: Identity, here: Organization, insider: Insider
) -> None:
    """R25: the retry comes from inside already."""
    key = str(uuid4())
    first = await insider.enter(here, idempotencyKey=key)
    again = await insider.enter(here, idempotencyKey=key)
    await identity.jobs()
    email = (await identity.user(here.admin.user_id, here.admin))["email"]

    assert again == first
    assert len([one for one in identity.mailbox.to(email) if "of support acts at" in one]) == 1
