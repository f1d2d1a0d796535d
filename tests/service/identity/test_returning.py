"""Coming back, and not having come yet."""

from datetime import timedelta
from uuid import uuid4

from tests.service.identity.asking import (
    BOUNCE,
    DEACTIVATE,
    PROPOSED,
    REACTIVATE,
    RESEND,
    UNCONFIRMED,
    about,
    role,
)
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization

HOUR = timedelta(hours=1)


async def gone(
    identity: Identity, here: Organization, *roles: dict[str, object]
) -> dict[str, object]:
    """A user who was deactivated, with nobody missed at an office."""
    for one in roles:
        if one["officeId"]:
            await identity.member(here, role("OFFICE_STAFF", here.office))
    member = await identity.member(here, *roles)
    user = await identity.user(member.user_id, here.admin)
    done = await identity.mutate(DEACTIVATE, about(user), here.admin)
    assert done["user"]["status"] == "DEACTIVATED", done
    found: dict[str, object] = done["user"]
    return found


async def test_what_a_user_had_is_proposed_and_nothing_of_it_comes_back_by_itself(
    identity: Identity, here: Organization
) -> None:
    """R07: reactivation re-confirms the provisioning."""
    user = await gone(identity, here, role("OFFICE_STAFF", here.office), role("CALL_CENTRE"))
    proposed = await identity.running.data(PROPOSED, {"id": user["id"]}, viewer=here.admin)

    back = await identity.mutate(REACTIVATE, about(user, roles=[role("CALL_CENTRE")]), here.admin)
    again = await identity.mutate(REACTIVATE, about(user, roles=[role("CALL_CENTRE")]), here.admin)

    assert user["grants"] == []
    assert [one["role"] for one in proposed["user"]["proposedRoles"]] == [
        "OFFICE_STAFF",
        "CALL_CENTRE",
    ]
    assert (back["user"]["status"], back["user"]["grants"]) == (
        "ACTIVE",
        [{"role": "CALL_CENTRE", "office": None}],
    )
    assert again == back, "coming back twice changes nothing"
    told = [name for name, data in await identity.told(here.id) if data.get("userId") == user["id"]]
    assert told[-2:] == ["user.reactivated.v1", "user.role_granted.v1"]
    after = await identity.running.data(PROPOSED, {"id": user["id"]}, viewer=here.admin)
    assert after["user"]["proposedRoles"] == []


async def test_who_comes_back_signs_in_with_the_password_they_had(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm(email)
    seen = await identity.user(user["id"], here.admin)
    left = await identity.mutate(DEACTIVATE, about(seen), here.admin)
    refused = await identity.sign_in(email)

    await identity.mutate(REACTIVATE, about(left["user"], roles=[]), here.admin)

    assert refused["code"] == "ACCOUNT_DEACTIVATED"
    assert (await identity.sign_in(email))["__typename"] == "SignedIn"
    await identity.jobs()
    assert "has added you" in identity.mailbox.to(email)[-1]


async def test_coming_back_asks_for_every_role_anew(identity: Identity, here: Organization) -> None:
    """R01, R07: no way up, no office of another organization, no stale version."""
    user = await gone(identity, here, role("OFFICE_STAFF", here.office))
    foreign = (await new_organization(identity, "Hillside Care")).office
    office_admin = await identity.member(here, role("OFFICE_ADMIN", identity.new_office(here.id)))
    attempts = [
        (about(user, roles=[role("CLIENT_ADMIN")]), here.admin, "SUPPORT_ONLY"),
        (about(user, roles=[role("OFFICE_STAFF", foreign)]), here.admin, "NOT_FOUND"),
        (
            about(user, roles=[role("REPORTING_ONLY"), role("CALL_CENTRE")]),
            here.admin,
            "ROLE_EXCLUSIVE",
        ),
        (about(user, roles=[role("OFFICE_STAFF", here.office)]), office_admin, "FORBIDDEN"),
        ({"userId": user["id"], "roles": [], "expectedVersion": 1}, here.admin, "STALE_VERSION"),
        ({"userId": str(uuid4()), "roles": [], "expectedVersion": 1}, here.admin, "NOT_FOUND"),
    ]

    for given, viewer, code in attempts:
        assert (await identity.mutate(REACTIVATE, given, viewer))["code"] == code


async def test_an_office_admin_brings_back_staff_of_the_own_office(
    identity: Identity, here: Organization
) -> None:
    """R07"""
    user = await gone(identity, here, role("OFFICE_STAFF", here.office))
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))

    back = await identity.mutate(
        REACTIVATE, about(user, roles=[role("OFFICE_STAFF", here.office)]), office_admin
    )

    assert back["user"]["status"] == "ACTIVE"


async def test_who_is_deactivated_here_goes_on_working_there_and_comes_back(
    identity: Identity, here: Organization
) -> None:
    """R03, R07: one account, two memberships."""
    email = an_email()
    there = await new_organization(identity, "Hillside Care")
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm(email)
    await identity.invite(there.admin, email)
    seen = await identity.user(user["id"], here.admin)

    left = await identity.mutate(DEACTIVATE, about(seen), here.admin)
    elsewhere = await identity.user(user["id"], there.admin)
    only = await identity.sign_in(email)
    await identity.mutate(REACTIVATE, about(left["user"], roles=[]), here.admin)
    choose = await identity.sign_in(email)

    assert elsewhere["status"] == "ACTIVE"
    assert only["organizationId"] == str(there.id)
    assert choose["code"] == "CHOOSE_ORGANIZATION"


async def test_who_has_not_confirmed_is_listed_with_age_and_hours_left(
    identity: Identity, here: Organization
) -> None:
    """R04: client admins see all, office admins those of their own offices, staff nobody."""
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    first = (await identity.invite(here.admin, an_email()))["user"]["id"]
    await identity.running.advance(24 * HOUR)
    mine = await identity.invite(here.admin, an_email(), role("OFFICE_STAFF", here.office))

    page = await identity.running.data(UNCONFIRMED, {"first": 1}, viewer=here.admin)
    cursor = page["unconfirmedUsers"]["pageInfo"]["endCursor"]
    rest = await identity.running.data(UNCONFIRMED, {"after": cursor}, viewer=here.admin)
    own = await identity.running.data(UNCONFIRMED, viewer=office_admin)
    none = await identity.running.gql(UNCONFIRMED, viewer=staff)

    listed = page["unconfirmedUsers"]["edges"] + rest["unconfirmedUsers"]["edges"]
    assert [one["node"]["id"] for one in listed] == [first, mine["user"]["id"]]
    assert listed[0]["node"]["invitationHoursLeft"] == 24
    assert listed[0]["node"]["invitedAt"] < listed[1]["node"]["invitedAt"]
    assert "RESEND_INVITATION" in listed[0]["node"]["allowedActions"], "the nudge"
    assert [one["node"]["id"] for one in own["unconfirmedUsers"]["edges"]] == [mine["user"]["id"]]
    assert none["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_that_an_invitation_ran_out_is_told_once_and_stays_visible(
    identity: Identity, here: Organization
) -> None:
    """R04: INVITE_EXPIRED, with the fact user.invite_expired."""
    invited = (await identity.invite(here.admin, an_email()))["user"]

    await identity.running.advance(48 * HOUR)
    await identity.jobs()
    seen = await identity.user(invited["id"], here.admin)

    assert (seen["status"], seen["invitationHoursLeft"]) == ("INVITE_EXPIRED", 0)
    assert "RESEND_INVITATION" not in seen["allowedActions"]
    told = [
        name for name, data in await identity.told(here.id) if data.get("userId") == invited["id"]
    ]
    assert told.count("user.invite_expired.v1") == 1


async def test_an_invitation_that_bounces_is_visible_and_told(
    identity: Identity, here: Organization
) -> None:
    """R03: INVITE_BOUNCED, when the mail server refuses the address for good."""
    email = an_email()
    identity.mailbox.bouncing.add(email)
    invited = (await identity.invite(here.admin, email))["user"]
    await identity.jobs()

    bounced = await identity.user(invited["id"], here.admin)
    identity.mailbox.bouncing.discard(email)
    resent = await identity.mutate(RESEND, {"userId": invited["id"]}, here.admin)
    await identity.jobs()

    assert (bounced["status"], bounced["invitationMail"]) == ("INVITE_BOUNCED", "BOUNCED")
    assert "RESEND_INVITATION" in bounced["allowedActions"]
    assert resent["status"] == "INVITED"
    assert len(identity.mailbox.to(email)) == 1
    told = [
        name for name, data in await identity.told(here.id) if data.get("userId") == invited["id"]
    ]
    assert told.count("user.invite_bounced.v1") == 1


async def test_support_reports_a_bounce_that_came_back_later(
    identity: Identity, here: Organization
) -> None:
    """R03: a server that took the mail first and refused it afterwards."""
    email = an_email()
    invited = (await identity.invite(here.admin, email))["user"]
    await identity.jobs()
    given = {
        "userId": invited["id"],
        "asSupport": {"organizationId": str(here.id), "reason": "returned by their server"},
    }

    refused = await identity.mutate(BOUNCE, given, here.admin)
    reported = await identity.mutate(BOUNCE, given, identity.support)
    again = await identity.mutate(BOUNCE, given, identity.support)

    assert refused["code"] == "FORBIDDEN"
    assert reported["status"] == again["status"] == "INVITE_BOUNCED"
    told = [
        name for name, data in await identity.told(here.id) if data.get("userId") == invited["id"]
    ]
    assert told.count("user.invite_bounced.v1") == 1
