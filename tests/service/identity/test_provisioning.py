"""Who may be what: lookers, providers, office admins for a time, copies, and client admins made by support."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from proto.directory.v1.events_pb2 import ProviderRemoved
from proto.identity.v1.identity_pb2 import CoverageRequest, UsersRequest
from tests.service.identity.asking import (
    ADVICE,
    COPY,
    COPY_PREVIEW,
    DEACTIVATE,
    GRANT,
    INVITE,
    REFRESH,
    REQUEST_PASSWORD,
    REVOKE,
    SIGN_IN,
    SIGN_OUT,
    TITLE,
    about,
    provider,
    role,
)
from tests.service.identity.conftest import (
    PASSWORD,
    Identity,
    Organization,
    an_email,
    new_organization,
)
from tests.support.facts import Neighbours, eventually

HOUR = timedelta(hours=1)


def as_support(
    here: Organization, reason: str = "Ticket 12: their admin left"
) -> dict[str, object]:
    return {"asSupport": {"organizationId": str(here.id), "reason": reason}}


# Who only looks -------------------------------------------------------------------------------------------------------


async def test_a_reporting_only_client_admin_sees_and_changes_nothing(
    identity: Identity, here: Organization
) -> None:
    """R02: any mutation is FORBIDDEN, with REPORTING_ONLY; signing out is not about others."""
    looker = await identity.member(here, role("REPORTING_ONLY"))
    member = await identity.member(here)
    user = await identity.user(member.user_id, looker)

    answers = [
        await identity.mutate(GRANT, about(user, **role("CALL_CENTRE")), looker),
        await identity.mutate(DEACTIVATE, about(user), looker),
        await identity.mutate(
            INVITE,
            {"email": an_email(), "name": "X", "roles": [], "idempotencyKey": str(uuid4())},
            looker,
        ),
        await identity.mutate(TITLE, about(user, title="Chief"), looker),
    ]
    out = await identity.mutate(SIGN_OUT, None, looker)

    assert looker.reporting_only
    assert not looker.client_admin
    assert user["email"] is not None
    assert user["allowedActions"] == []
    assert {(one["__typename"], one["code"]) for one in answers} == {
        ("DeniedProblem", "REPORTING_ONLY")
    }
    assert out["__typename"] == "SignedOut"


async def test_who_only_looks_stays_signed_in_like_everybody(
    identity: Identity, here: Organization
) -> None:
    """R02: clients send the access token along with whatever they ask."""
    email = an_email()
    await identity.invite(here.admin, email, role("REPORTING_ONLY"))
    looker = await identity.confirm(email)
    token = (await identity.sign_in(email))["refreshToken"]

    refreshed = await identity.mutate(REFRESH, {"refreshToken": token}, looker)
    anew = await identity.mutate(SIGN_IN, {"email": email, "password": PASSWORD}, looker)
    asked = await identity.mutate(REQUEST_PASSWORD, {"email": email}, looker)

    assert refreshed["__typename"] == anew["__typename"] == "SignedIn", refreshed
    assert asked["__typename"] == "NewPasswordRequested"


async def test_reporting_only_goes_with_no_other_role(
    identity: Identity, here: Organization
) -> None:
    """R02"""
    looker = await identity.member(here, role("REPORTING_ONLY"))
    other = await identity.member(here, role("CALL_CENTRE"))
    both = [role("REPORTING_ONLY"), role("CALL_CENTRE")]

    answers = [
        await identity.mutate(
            GRANT,
            about(await identity.user(one.user_id, here.admin), **role(wanted)),
            here.admin,
        )
        for one, wanted in ((looker, "CALL_CENTRE"), (other, "REPORTING_ONLY"))
    ] + [await identity.invite(here.admin, an_email(), *both)]

    assert [one["code"] for one in answers] == ["ROLE_EXCLUSIVE"] * 3


# Providers ------------------------------------------------------------------------------------------------------------


async def test_a_user_is_one_provider_of_the_organization(
    identity: Identity, here: Organization
) -> None:
    """R02: the provider's own sign-in knows whose record is theirs; directory knows the provider."""
    known, second = identity.new_provider(here.id), identity.new_provider(here.id)
    left = identity.new_provider(here.id, "REMOVED")
    foreign = identity.new_provider((await new_organization(identity, "Hillside Care")).id)
    other = await identity.member(here)

    async def grant(to: object, which: UUID) -> dict[str, object]:
        user = await identity.user(to, here.admin)
        return await identity.mutate(GRANT, about(user, **provider(which)), here.admin)

    viewer = await identity.member(here, provider(known))
    answers = [
        await grant(other.user_id, known),
        await grant(other.user_id, left),
        await grant(other.user_id, foreign),
        await grant(other.user_id, uuid4()),
        await grant(viewer.user_id, second),
    ]

    assert viewer.provider_id == known
    assert viewer.offices == frozenset()
    assert [one["code"] for one in answers] == [
        "PROVIDER_TAKEN",
        "PROVIDER_GONE",
        "NOT_FOUND",
        "NOT_FOUND",
        "PROVIDER_LINKED",
    ]
    assert answers[2] == answers[3], "no existence leak"
    request = UsersRequest(organization_id=str(here.id), user_ids=[str(viewer.user_id)])
    (told,) = (await identity.ask("Users", request)).users
    assert told.provider_id == str(known)


async def test_a_provider_who_has_left_is_nobody_s_own_record_any_more(
    identity: Identity, here: Organization
) -> None:
    """R15"""
    known = identity.new_provider(here.id)
    viewer = await identity.member(here, provider(known))
    now = identity.running.parts.clock.now()
    fact = ProviderRemoved(provider_id=str(known))
    await Neighbours(identity.running).say(fact, here.id, "provider", known, now)

    async def grants() -> list[object]:
        found: list[object] = (await identity.user(viewer.user_id, here.admin))["grants"]
        return found

    await eventually(grants, lambda found: found == [])
    revoked = [
        data for name, data in await identity.told(here.id) if name == "user.role_revoked.v1"
    ]
    assert {"role": "PROVIDER", "providerId": str(known)}.items() <= revoked[-1].items()


# For a time -----------------------------------------------------------------------------------------------------------


async def test_an_office_admin_for_a_time_is_none_from_that_very_moment(
    identity: Identity, here: Organization
) -> None:
    """R08: at once for the viewer and for coverage, and told by a job, once."""
    email = an_email()
    user = (await identity.invite(here.admin, email))["user"]
    await identity.confirm(email)
    session = await identity.sign_in(email)
    clock = identity.running.parts.clock
    seen = await identity.user(user["id"], here.admin)
    ends = {"expiresAt": (clock.now() + HOUR / 60).isoformat()}
    granted = await identity.mutate(
        GRANT, about(seen, **role("OFFICE_ADMIN", here.office), **ends), here.admin
    )
    before = await identity.viewer(session["accessToken"])

    # moved behind the jobs' back: no job has run when the viewer is looked at
    await identity.running.sql.execute(
        "UPDATE grants SET expires_at = granted_at + interval '1 microsecond'"
        " WHERE expires_at IS NOT NULL AND ended_at IS NULL"
    )
    after = await identity.viewer(session["accessToken"])
    request = CoverageRequest(organization_id=str(here.id), office_ids=[str(here.office)])
    (covered,) = (await identity.ask("Coverage", request)).offices
    untold = [name for name, _ in await identity.told(here.id)]
    await asyncio.gather(identity.jobs(), identity.jobs())
    told = [name for name, _ in await identity.told(here.id)]

    assert granted["__typename"] == "RoleGranted"
    assert before.office_admin_of == frozenset({here.office})
    assert after.office_admin_of == frozenset()
    assert covered.confirmed_staff == 0
    assert "user.role_revoked.v1" not in untold
    assert told.count("user.role_revoked.v1") == 1
    again = await identity.user(user["id"], here.admin)
    anew = await identity.mutate(
        GRANT, about(again, **role("OFFICE_ADMIN", here.office)), here.admin
    )
    assert anew["user"]["grants"] == [{"role": "OFFICE_ADMIN", "office": {"id": str(here.office)}}]


async def test_only_office_admins_are_made_for_a_time_and_only_for_one_that_lies_ahead(
    identity: Identity, here: Organization
) -> None:
    """R08"""
    member = await identity.member(here)
    user = await identity.user(member.user_id, here.admin)
    now = identity.running.parts.clock.now()

    past = await identity.mutate(
        GRANT,
        about(user, **role("OFFICE_ADMIN", here.office), expiresAt=(now - HOUR).isoformat()),
        here.admin,
    )
    other = await identity.mutate(
        GRANT, about(user, **role("CALL_CENTRE"), expiresAt=(now + HOUR).isoformat()), here.admin
    )

    assert (past["code"], other["code"]) == ("END_PASSED", "END_NOT_WANTED")


# Copying --------------------------------------------------------------------------------------------------------------


async def test_copying_only_adds_and_says_before_what(
    identity: Identity, here: Organization
) -> None:
    """R08: nobody becomes client admin or another's provider by it, and nothing is taken away."""
    office = identity.new_office(here.id)
    source = await identity.member(
        here,
        role("OFFICE_ADMIN", here.office),
        role("OFFICE_STAFF", office),
        role("CLIENT_ADMIN"),
        role("CALL_CENTRE"),
        provider(identity.new_provider(here.id)),
    )
    target = await identity.member(here, role("CALL_CENTRE"), role("INSURANCE_MANAGER"))
    ids = {"from": str(source.user_id), "to": str(target.user_id)}

    shown = (await identity.running.data(COPY_PREVIEW, ids, viewer=here.admin))["roleCopyPreview"]
    given = {"fromUserId": ids["from"], "toUserId": ids["to"], "token": shown["token"]}
    done = await identity.mutate(COPY, given, here.admin)
    stale = await identity.mutate(COPY, given, here.admin)

    assert {one["role"] for one in shown["added"]} == {"OFFICE_ADMIN", "OFFICE_STAFF"}
    assert {(one["role"]["role"], one["because"]) for one in shown["leftOut"]} == {
        ("CLIENT_ADMIN", "SUPPORT_ONLY"),
        ("CALL_CENTRE", "HAS_IT"),
        ("PROVIDER", "PERSONAL"),
    }
    assert {one["role"] for one in done["user"]["grants"]} == {
        "OFFICE_ADMIN",
        "OFFICE_STAFF",
        "CALL_CENTRE",
        "INSURANCE_MANAGER",
    }
    assert (stale["code"], stale["moved"]) == ("STALE_PREVIEW", ["target"])


async def test_only_client_admins_copy_and_only_within_the_organization(
    identity: Identity, here: Organization
) -> None:
    """R02, R08"""
    office_admin = await identity.member(here, role("OFFICE_ADMIN", here.office))
    member = await identity.member(here)
    foreign = (await new_organization(identity, "Hillside Care")).admin.user_id

    async def code(source: object, target: object, by: object) -> str:
        ids = {"from": str(source), "to": str(target)}
        answer = await identity.running.gql(COPY_PREVIEW, ids, viewer=by)  # type: ignore[arg-type]
        found: str = answer["errors"][0]["extensions"]["code"]
        return found

    assert await code(office_admin.user_id, member.user_id, office_admin) == "FORBIDDEN"
    assert await code(foreign, member.user_id, here.admin) == "NOT_FOUND"
    assert await code(uuid4(), member.user_id, here.admin) == "NOT_FOUND"
    assert await code(member.user_id, member.user_id, here.admin) == "BAD_USER_INPUT"


# Client admins --------------------------------------------------------------------------------------------------------


async def test_a_user_becomes_client_admin_by_support_alone(
    identity: Identity, here: Organization
) -> None:
    """R01: upgrade of an existing account is support-only; inviting the address once more is no way around."""
    email = an_email()
    await identity.invite(here.admin, email, name="Una Upgrade")
    member = await identity.confirm(email)
    user = await identity.user(member.user_id, here.admin)
    wanted = about(user, **role("CLIENT_ADMIN"))

    refused = await identity.mutate(GRANT, wanted, here.admin)
    around = await identity.invite(here.admin, email, role("CLIENT_ADMIN"))
    no_reason = await identity.mutate(GRANT, wanted | as_support(here, ""), identity.support)
    done = await identity.mutate(GRANT, wanted | as_support(here), identity.support)

    assert (refused["code"], around["code"]) == ("SUPPORT_ONLY", "SUPPORT_ONLY")
    assert no_reason["code"] == "REASON_REQUIRED"
    assert {one["role"] for one in done["user"]["grants"]} == {"CLIENT_ADMIN"}
    await identity.jobs()
    address = (await identity.user(here.admin.user_id, here.admin))["email"]
    letters = identity.mailbox.to(address)[-2:]
    assert any("Una Upgrade is now a client admin" in one for one in letters)
    assert any("Ticket 12: their admin left" in one for one in letters)


async def test_the_number_of_client_admins_is_advised_on_at_none_one_and_more_than_two(
    identity: Identity, here: Organization
) -> None:
    """R01: ADVISORY_CA_COUNT, for client admins, lookers and support; staff are not told."""
    looker = await identity.member(here, role("REPORTING_ONLY"))
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))

    async def advice(by: object) -> object:
        data = await identity.running.data(ADVICE, {"id": str(here.id)}, viewer=by)  # type: ignore[arg-type]
        return data["organization"]["clientAdminAdvice"]

    one = await advice(here.admin)
    await identity.member(here, role("CLIENT_ADMIN"))
    two = await advice(here.admin)
    await identity.member(here, role("CLIENT_ADMIN"))
    three = await advice(looker)
    await identity.running.sql.execute(
        "UPDATE memberships SET deactivated_at = now() WHERE organization_id = $1", here.id
    )

    assert one == {"code": "ADVISORY_CA_COUNT", "clientAdmins": 1}
    assert two is None
    assert three == {"code": "ADVISORY_CA_COUNT", "clientAdmins": 3}
    assert await advice(identity.support) == {"code": "ADVISORY_CA_COUNT", "clientAdmins": 0}
    assert await advice(staff) is None


async def test_of_two_client_admins_who_end_each_other_at_once_one_stays_whatever_the_verb(
    identity: Identity,
) -> None:
    """R01: revoking and deactivating race, ten times."""
    for _ in range(10):
        there = await new_organization(identity, "Race Care")
        second = await identity.member(there, role("CLIENT_ADMIN"))
        mine = await identity.user(there.admin.user_id, there.admin)
        theirs = await identity.user(second.user_id, there.admin)

        answers = await asyncio.gather(
            identity.mutate(REVOKE, about(theirs, **role("CLIENT_ADMIN")), there.admin),
            identity.mutate(DEACTIVATE, about(mine), second),
        )

        done = [one for one in answers if one["__typename"] in {"RoleRevoked", "UserDeactivated"}]
        refused = [one["code"] for one in answers if one not in done]
        assert len(done) == 1
        assert refused[0] in {"FORBIDDEN", "ACCOUNT_DEACTIVATED", "LAST_CLIENT_ADMIN"}


async def test_a_title_is_the_admins_to_give(identity: Identity, here: Organization) -> None:
    """R08: what a user is called helps to find office admins."""
    member = await identity.member(here, role("OFFICE_STAFF", here.office))
    user = await identity.user(member.user_id, here.admin)

    own = await identity.mutate(TITLE, about(user, title="Boss"), member)
    forged = await identity.mutate(TITLE, about(user, title="Lead\r\nBcc: all"), here.admin)
    given = await identity.mutate(TITLE, about(user, title=" Practice manager "), here.admin)
    stale = await identity.mutate(TITLE, about(user, title="Other"), here.admin)
    taken = await identity.mutate(TITLE, about(given, title=None), here.admin)

    assert (own["code"], forged["code"], stale["code"]) == (
        "FORBIDDEN",
        "BAD_TEXT",
        "STALE_VERSION",
    )
    assert (given["title"], taken["title"]) == ("Practice manager", None)
