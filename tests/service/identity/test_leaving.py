"""Leaving: what a deactivation touches, who takes over, and who may do it."""

import asyncio
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from kit.errors import Unauthenticated
from proto.directory.v1.directory_pb2 import StaffedGroup
from tests.service.identity.asking import (
    ADD_PARTNER,
    DEACTIVATE,
    GRANT,
    PREVIEW,
    about,
    role,
)
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization

CHOOSE = """mutation($input: ChangeNoticePreferenceInput!) { changeNoticePreference(input: $input) { __typename } }"""


async def preview(identity: Identity, here: Organization, user_id: object) -> dict[str, object]:
    """What deactivating the user would touch."""
    data = await identity.running.data(PREVIEW, {"id": str(user_id)}, viewer=here.admin)
    found: dict[str, object] = data["deactivationPreview"]
    return found


async def test_a_preview_lists_all_that_a_deactivation_touches(
    identity: Identity, here: Organization
) -> None:
    """R07: offices left to nobody, claimed and open work, groups, and credentials the user gave to partners."""
    shared = identity.new_office(here.id)
    leaver = await identity.member(
        here, role("OFFICE_STAFF", here.office), role("OFFICE_ADMIN", shared)
    )
    await identity.member(here, role("OFFICE_STAFF", shared))
    assert leaver.user_id is not None
    claimed, group = uuid4(), uuid4()
    identity.referrals.claimed[leaver.user_id] = [claimed]
    identity.referrals.open[here.office] = 7
    identity.directory.groups[leaver.user_id] = [
        StaffedGroup(group_id=str(group), name="Hearts", others=0)
    ]

    shown = await preview(identity, here, leaver.user_id)

    offices = {one["office"]["id"]: one for one in shown["offices"]}  # type: ignore[attr-defined]
    assert (offices[str(here.office)]["uncovered"], offices[str(here.office)]["openReferrals"]) == (
        True,
        7,
    )
    assert (offices[str(shared)]["uncovered"], offices[str(shared)]["openReferrals"]) == (False, 0)
    assert (shown["claimedReferrals"], shown["claimedIds"]) == (1, [str(claimed)])
    assert shown["groups"] == [{"group": {"id": str(group)}, "name": "Hearts", "others": 0}]
    assert shown["partners"] == []


async def test_a_preview_says_how_many_others_are_told_of_progress_reports(
    identity: Identity, here: Organization
) -> None:
    """R07: null for whom no report is mailed to; who has switched that off is nobody who is told."""
    reader = await identity.member(here, role("REPORTING_ONLY"))
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))

    async def others(viewer: Viewer) -> object:
        return (await preview(identity, here, viewer.user_id))["otherReportReaders"]

    before = [await others(one) for one in (reader, office_admin, staff)]
    wanted = {"kind": "REPORTS", "delivery": "OFF"}
    off = await identity.mutate(CHOOSE, wanted, reader)
    after = [await others(one) for one in (reader, office_admin, staff)]

    assert off["__typename"] == "NoticePreferenceChanged"
    assert before == [1, 2, None]
    assert after == [None, 1, None]


async def test_a_partner_s_credential_ends_with_who_has_seen_it_unless_it_is_to_stay(
    identity: Identity, here: Organization
) -> None:
    """R07: listed before."""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    third = await identity.member(here, role("CLIENT_ADMIN"))
    added, _, kept = [
        await identity.mutate(ADD_PARTNER, {"name": name, "idempotencyKey": str(uuid4())}, one)
        for name, one in (("EHR", second), ("Billing", here.admin), ("Warehouse", third))
    ]

    shown = await preview(identity, here, second.user_id)
    user = await identity.user(second.user_id, here.admin)
    gone = await identity.mutate(DEACTIVATE, about(user, token=shown["token"]), here.admin)

    user = await identity.user(third.user_id, here.admin)
    await identity.mutate(DEACTIVATE, about(user, keepPartners=True), here.admin)

    assert shown["partners"] == [{"id": added["partner"]["id"], "name": "EHR"}]
    assert gone["user"]["status"] == "DEACTIVATED"
    left = await identity.running.data("{ partners { name } }", viewer=here.admin)
    assert [one["name"] for one in left["partners"]] == ["Billing", "Warehouse"]
    assert kept["partner"]["name"] == "Warehouse"
    removed = [data for name, data in await identity.told(here.id) if name == "partner.removed.v1"]
    assert removed == [{"partnerId": added["partner"]["id"]}]


async def test_who_alone_covers_an_office_leaves_only_to_a_successor(
    identity: Identity, here: Organization
) -> None:
    """R07: SOLE_COVERAGE names the offices; acknowledging it is not enough, and neither is a successor alone."""
    leaver = await identity.member(here, role("OFFICE_STAFF", here.office))
    successor = await identity.member(here, role("CALL_CENTRE"))
    user = await identity.user(leaver.user_id, here.admin)
    heir = {"successorId": str(successor.user_id)}

    refused = await identity.mutate(DEACTIVATE, about(user), here.admin)
    half = [
        await identity.mutate(DEACTIVATE, about(user, **more), here.admin)
        for more in ({"acknowledgeUncovered": True}, heir)
    ]
    done = await identity.mutate(
        DEACTIVATE, about(user, acknowledgeUncovered=True, **heir), here.admin
    )

    assert (refused["__typename"], refused["officeIds"]) == (
        "SoleCoverageProblem",
        [str(here.office)],
    )
    assert [(one["code"], one["field"]) for one in half] == [
        ("SOLE_COVERAGE", "successorId"),
        ("SOLE_COVERAGE", "acknowledgeUncovered"),
    ]
    assert done["user"]["status"] == "DEACTIVATED"
    grants = (await identity.user(successor.user_id, here.admin))["grants"]
    assert {"role": "OFFICE_STAFF", "office": {"id": str(here.office)}} in grants


async def test_a_successor_must_be_able_to_act(identity: Identity, here: Organization) -> None:
    """R07"""
    leaver = await identity.member(here, role("OFFICE_STAFF", here.office))
    user = await identity.user(leaver.user_id, here.admin)
    invited = (await identity.invite(here.admin, an_email()))["user"]["id"]
    looker = await identity.member(here, role("REPORTING_ONLY"))
    elsewhere = (await new_organization(identity, "Hillside Care")).admin.user_id

    answers = [
        await identity.mutate(
            DEACTIVATE, about(user, acknowledgeUncovered=True, successorId=str(one)), here.admin
        )
        for one in (invited, looker.user_id, leaver.user_id, elsewhere, uuid4())
    ]

    assert [one["code"] for one in answers] == ["SUCCESSOR_UNABLE"] * 3 + ["NOT_FOUND"] * 2
    assert answers[3] == answers[4], "no existence leak"
    assert {one["field"] for one in answers} == {"successorId"}


async def test_what_has_moved_since_the_preview_is_named(
    identity: Identity, here: Organization
) -> None:
    """R07: STALE_PREVIEW."""
    leaver = await identity.member(here, role("OFFICE_STAFF", here.office))
    await identity.member(here, role("OFFICE_STAFF", here.office))
    user = await identity.user(leaver.user_id, here.admin)
    shown = await preview(identity, here, leaver.user_id)
    assert leaver.user_id is not None
    identity.referrals.claimed[leaver.user_id] = [uuid4()]

    stale = await identity.mutate(DEACTIVATE, about(user, token=shown["token"]), here.admin)
    again = await preview(identity, here, leaver.user_id)
    done = await identity.mutate(DEACTIVATE, about(user, token=again["token"]), here.admin)
    twice = await identity.mutate(DEACTIVATE, about(user, token=shown["token"]), here.admin)

    assert (stale["code"], stale["moved"]) == ("STALE_PREVIEW", ["claimed_referrals"])
    assert done["user"]["status"] == "DEACTIVATED"
    assert twice == done, "who is deactivated already is not deactivated again"


async def test_an_account_is_ended_whoever_else_is_away(
    identity: Identity, here: Organization
) -> None:
    """R07: a preview needs referrals; ending the account does not."""
    leaver = await identity.member(here, role("INSURANCE_MANAGER"))
    user = await identity.user(leaver.user_id, here.admin)
    identity.referrals.away = True
    answer = await identity.running.gql(PREVIEW, {"id": str(leaver.user_id)}, viewer=here.admin)
    done = await identity.mutate(DEACTIVATE, about(user), here.admin)
    identity.referrals.away = False

    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert done["user"]["status"] == "DEACTIVATED"


async def test_two_who_cover_an_office_cannot_both_leave_it_at_once(
    identity: Identity, here: Organization
) -> None:
    """R07: last-staff invariant under concurrency."""
    pair = [await identity.member(here, role("OFFICE_STAFF", here.office)) for _ in range(2)]
    users = [await identity.user(one.user_id, here.admin) for one in pair]

    answers = await asyncio.gather(
        *(identity.mutate(DEACTIVATE, about(one), here.admin) for one in users)
    )

    assert sorted(one["__typename"] for one in answers) == [
        "SoleCoverageProblem",
        "UserDeactivated",
    ]


async def test_an_office_admin_previews_and_ends_only_whom_they_manage_entirely(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    elsewhere = identity.new_office(here.id)
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    own = await identity.member(here, role("OFFICE_STAFF", here.office))
    both = await identity.member(
        here, role("OFFICE_STAFF", here.office), role("OFFICE_STAFF", elsewhere)
    )

    shown = await identity.running.gql(PREVIEW, {"id": str(own.user_id)}, viewer=office_admin)
    hidden = await identity.running.gql(PREVIEW, {"id": str(both.user_id)}, viewer=office_admin)
    unknown = await identity.running.gql(PREVIEW, {"id": str(uuid4())}, viewer=office_admin)

    assert shown["data"]["deactivationPreview"]["user"]["id"] == str(own.user_id)
    assert hidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert unknown["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_client_admin_who_is_not_the_last_one_leaves_by_their_own_hand(
    identity: Identity, here: Organization
) -> None:
    """R01, R07: self-deactivation ends the session that asked for it."""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    email = (await identity.user(second.user_id, here.admin))["email"]
    signed_in = await identity.sign_in(email)
    viewer = await identity.viewer(signed_in["accessToken"])

    done = await identity.mutate(
        DEACTIVATE, about(await identity.user(second.user_id, viewer)), viewer
    )

    assert (done["user"]["status"], done["advisory"]["clientAdmins"]) == ("DEACTIVATED", 1)
    with pytest.raises(Unauthenticated):
        await identity.viewer(signed_in["accessToken"])


async def test_a_mutation_that_races_a_deactivation_is_done_whole_or_not_at_all(
    identity: Identity, here: Organization
) -> None:
    """R07: in flight."""
    second = await identity.member(here, role("CLIENT_ADMIN"))
    member = await identity.member(here)
    user = await identity.user(second.user_id, here.admin)
    target = await identity.user(member.user_id, here.admin)

    gone, granted = await asyncio.gather(
        identity.mutate(DEACTIVATE, about(user), here.admin),
        identity.mutate(GRANT, about(target, **role("CALL_CENTRE")), second),
    )

    assert gone["__typename"] == "UserDeactivated"
    has = bool((await identity.user(member.user_id, here.admin))["grants"])
    assert has == (granted["__typename"] == "RoleGranted")
    assert granted.get("code", "ACCOUNT_DEACTIVATED") == "ACCOUNT_DEACTIVATED"


async def test_support_ends_an_account_with_a_reason_that_the_client_admins_read(
    identity: Identity, here: Organization
) -> None:
    """R07, R25: break-glass."""
    member = await identity.member(here, role("INSURANCE_MANAGER"), name="Ines Leaver")
    user = await identity.user(member.user_id, here.admin)
    address = (await identity.user(here.admin.user_id, here.admin))["email"]

    def as_support(reason: str, organization: object = here.id) -> dict[str, object]:
        return {"asSupport": {"organizationId": str(organization), "reason": reason}}

    without = await identity.mutate(DEACTIVATE, about(user, **as_support(" ")), identity.support)
    elsewhere = await identity.mutate(
        DEACTIVATE, about(user, **as_support("Ticket 7", uuid4())), identity.support
    )
    theirs = await identity.mutate(DEACTIVATE, about(user, **as_support("Ticket 7")), here.admin)
    done = await identity.mutate(
        DEACTIVATE, about(user, **as_support("Ticket 7")), identity.support
    )

    assert (without["code"], elsewhere["code"], theirs["code"]) == (
        "REASON_REQUIRED",
        "NOT_FOUND",
        "FORBIDDEN",
    )
    assert done["user"]["status"] == "DEACTIVATED"
    await identity.jobs()
    letter = identity.mailbox.to(address)[-1]
    assert "Support has deactivated Ines Leaver" in letter
    assert "Ticket 7" in letter
    kept = await identity.running.sql.fetchval(
        "SELECT act || ': ' || reason FROM support_acts WHERE user_id = $1", UUID(user["id"])
    )
    assert kept == "DEACTIVATE_USER: Ticket 7"
