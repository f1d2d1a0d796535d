"""Insurance managers of some offices only: they keep the plans there, and work at none of them (R26)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import OfficeClosed
from proto.identity.v1.identity_pb2 import CoverageRequest, RolesAtRequest, UsersRequest
from tests.service.identity.asking import (
    CANDIDATES,
    COPY,
    COPY_PREVIEW,
    DEACTIVATE,
    GRANT,
    PREVIEW,
    PROPOSED,
    REACTIVATE,
    REVOKE,
    UNCONFIRMED,
    about,
    role,
)
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization
from tests.support.facts import Neighbours

HOUR = timedelta(hours=1)


def keeper(office: UUID | None) -> dict[str, object]:
    """The role, for an office or for the whole organization."""
    return role("INSURANCE_MANAGER", office)


async def covered(identity: Identity, here: Organization) -> int:
    """How many cover the office, as directory is told."""
    request = CoverageRequest(organization_id=str(here.id), office_ids=[str(here.office)])
    found: int = (await identity.ask("Coverage", request)).offices[0].confirmed_staff
    return found


async def seen(identity: Identity, here: Organization, user_id: object) -> dict[str, Any]:
    """The user as the client admin sees it."""
    return await identity.user(user_id, here.admin)


async def test_an_insurance_manager_of_an_office_keeps_its_plans_and_does_not_work_there(
    identity: Identity, here: Organization
) -> None:
    """R26: not for who asks, not for coverage, not for the staff of groups, and not for who could see a referral then."""
    viewer = await identity.member(here, keeper(here.office))
    users = UsersRequest(organization_id=str(here.id), user_ids=[str(viewer.user_id)])
    then = RolesAtRequest(organization_id=str(here.id), office_ids=[str(here.office)])
    then.at.FromDatetime(identity.running.parts.clock.now())

    (known,) = (await identity.ask("Users", users)).users
    there = (await identity.ask("RolesAt", then)).users

    assert viewer.insurance_manager_of == frozenset({here.office})
    assert (viewer.insurance_manager, viewer.offices) == (False, frozenset())
    assert await covered(identity, here) == 0
    assert [*known.office_admin_of, *known.office_staff_of] == []
    assert list(there) == []
    told = [data for name, data in await identity.told(here.id) if data.get("role")]
    assert told[-1] == {
        "userId": str(viewer.user_id),
        "role": "INSURANCE_MANAGER",
        "officeId": str(here.office),
    }


async def test_the_role_is_for_an_office_or_for_all_and_each_is_taken_back_by_itself(
    identity: Identity, here: Organization
) -> None:
    """R26"""
    member = await identity.member(here, keeper(here.office))
    user = await seen(identity, here, member.user_id)
    both = await identity.mutate(GRANT, about(user, **keeper(None)), here.admin)
    one = await identity.mutate(REVOKE, about(both["user"], **keeper(here.office)), here.admin)

    assert {(g["office"] or {}).get("id") for g in both["user"]["grants"]} == {
        None,
        str(here.office),
    }
    assert one["user"]["grants"] == [{"role": "INSURANCE_MANAGER", "office": None}]
    revoked = [d for name, d in await identity.told(here.id) if name == "user.role_revoked.v1"]
    assert [one["officeId"] for one in revoked] == [str(here.office)]


async def test_only_client_admins_grant_it_and_only_at_offices_of_their_own(
    identity: Identity, here: Organization
) -> None:
    """R08, R26"""
    member = await identity.member(here)
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    elsewhere = await new_organization(identity, "Hillside Care")
    user = await seen(identity, here, member.user_id)
    wanted = about(user, **keeper(here.office))

    refused = await identity.mutate(GRANT, wanted, office_admin)
    foreign = await identity.mutate(GRANT, about(user, **keeper(elsewhere.office)), here.admin)
    granted = await identity.mutate(GRANT, wanted, here.admin)
    ended = await identity.mutate(DEACTIVATE, about(granted["user"]), office_admin)

    assert (refused["code"], foreign["code"]) == ("FORBIDDEN", "NOT_FOUND")
    assert granted["__typename"] == "RoleGranted"
    assert ended["code"] == "FORBIDDEN", "no staff of the office's, so not its admin's to end"


async def test_who_leaves_as_insurance_manager_of_an_office_leaves_it_uncovered_to_nobody(
    identity: Identity, here: Organization
) -> None:
    """R07, R26: the preview names the offices whose plans nobody but admins keeps then; no successor is asked for."""
    member = await identity.member(here, keeper(here.office))
    user = await seen(identity, here, member.user_id)
    data = await identity.running.data(PREVIEW, {"id": user["id"]}, viewer=here.admin)
    shown = data["deactivationPreview"]

    left = await identity.mutate(DEACTIVATE, about(user, token=shown["token"]), here.admin)

    assert (shown["offices"], shown["plansKeptAt"]) == ([], [{"id": str(here.office)}])
    assert left["user"]["status"] == "DEACTIVATED"


async def test_the_only_staff_of_an_office_is_missed_though_somebody_keeps_its_plans(
    identity: Identity, here: Organization
) -> None:
    """R07, R26"""
    keeps = await identity.member(here, keeper(here.office))
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    user = await seen(identity, here, staff.user_id)

    alone = await identity.mutate(DEACTIVATE, about(user), here.admin)
    given = about(user, acknowledgeUncovered=True, successorId=str(keeps.user_id))
    handed = await identity.mutate(DEACTIVATE, given, here.admin)

    assert (alone["code"], alone["officeIds"]) == ("SOLE_COVERAGE", [str(here.office)])
    assert handed["user"]["status"] == "DEACTIVATED"
    assert await covered(identity, here) == 1, "who took over is staff now"


async def test_what_they_had_is_proposed_when_they_come_back_with_the_office(
    identity: Identity, here: Organization
) -> None:
    """R07, R26"""
    member = await identity.member(here, keeper(here.office))
    user = await seen(identity, here, member.user_id)
    gone = await identity.mutate(DEACTIVATE, about(user), here.admin)
    data = await identity.running.data(PROPOSED, {"id": user["id"]}, viewer=here.admin)

    back = await identity.mutate(
        REACTIVATE, about(gone["user"], roles=[keeper(here.office)]), here.admin
    )

    (proposed,) = data["user"]["proposedRoles"]
    assert (proposed["role"], proposed["office"]["id"]) == ("INSURANCE_MANAGER", str(here.office))
    assert back["user"]["grants"] == [
        {"role": "INSURANCE_MANAGER", "office": {"id": str(here.office)}}
    ]


async def test_it_is_copied_with_its_office(identity: Identity, here: Organization) -> None:
    """R08, R26: who is one of the whole organization still lacks it."""
    source = await identity.member(here, keeper(here.office))
    target = await identity.member(here)
    ids = {"from": str(source.user_id), "to": str(target.user_id)}
    shown = (await identity.running.data(COPY_PREVIEW, ids, viewer=here.admin))["roleCopyPreview"]

    given = {"fromUserId": ids["from"], "toUserId": ids["to"], "token": shown["token"]}
    done = await identity.mutate(COPY, given, here.admin)

    assert [(one["role"], one["office"]["id"]) for one in shown["added"]] == [
        ("INSURANCE_MANAGER", str(here.office))
    ]
    assert done["user"]["grants"] == [
        {"role": "INSURANCE_MANAGER", "office": {"id": str(here.office)}}
    ]


async def test_it_lapses_with_its_office_and_is_granted_at_no_closed_one(
    identity: Identity, here: Organization
) -> None:
    """R08, R26"""
    member = await identity.member(here, keeper(here.office), keeper(None))
    now = identity.running.parts.clock.now()
    closed = OfficeClosed(office_id=str(here.office))
    await Neighbours(identity.running).say(closed, here.id, "office", here.office, now)

    user = await seen(identity, here, member.user_id)
    refused = await identity.mutate(GRANT, about(user, **keeper(here.office)), here.admin)

    assert user["grants"] == [{"role": "INSURANCE_MANAGER", "office": None}]
    assert refused["code"] == "OFFICE_CLOSED"


async def test_who_keeps_the_plans_of_an_office_for_a_time_does_so_until_that_very_moment(
    identity: Identity, here: Organization
) -> None:
    """R08, R26: at once for the viewer, and told by a job; of the whole organization nobody is one for a time."""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm(email)
    session = await identity.sign_in(email)
    known = await seen(identity, here, user["id"])
    ends = {"expiresAt": (identity.running.parts.clock.now() + HOUR).isoformat()}

    everywhere = await identity.mutate(GRANT, about(known, **keeper(None), **ends), here.admin)
    await identity.mutate(GRANT, about(known, **keeper(here.office), **ends), here.admin)
    before = await identity.viewer(session["accessToken"])
    await identity.running.advance(HOUR)
    again = await identity.sign_in(email)
    after = await identity.viewer(again["accessToken"])

    assert everywhere["code"] == "END_NOT_WANTED"
    assert before.insurance_manager_of == frozenset({here.office})
    assert after.insurance_manager_of == frozenset()
    told = [name for name, _ in await identity.told(here.id)]
    assert told.count("user.role_revoked.v1") == 1


async def test_they_are_no_colleague_of_who_might_become_office_admin(
    identity: Identity, here: Organization
) -> None:
    """R-S1, R26: whoever alone covers the office is not suggested, and keeping plans covers nothing."""
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    await identity.running.sql.execute(
        "UPDATE memberships SET title = 'Practice manager' WHERE user_id = $1", staff.user_id
    )
    await identity.member(here, keeper(here.office))
    alone = (await identity.running.data(CANDIDATES, viewer=here.admin))["officesWithoutAdmin"]
    only_plans = identity.new_office(here.id)
    await identity.member(here, keeper(only_plans))
    offices = (await identity.running.data(CANDIDATES, viewer=here.admin))["officesWithoutAdmin"]

    assert alone == [{"office": {"id": str(here.office)}, "candidates": []}]
    assert offices == alone


async def test_an_office_admin_is_not_told_who_is_invited_to_keep_the_offices_plans(
    identity: Identity, here: Organization
) -> None:
    """R04, R26: the list is of those who are to work there."""
    admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    await identity.invite(here.admin, an_email(), keeper(here.office))

    async def waiting(viewer: Viewer) -> int:
        data = await identity.running.data(UNCONFIRMED, viewer=viewer)
        return len(data["unconfirmedUsers"]["edges"])

    assert (await waiting(admin), await waiting(here.admin)) == (0, 1)
