"""What identity follows when directory changes what grants are about: offices that are planned anew, providers that are merged."""

from __future__ import annotations

from typing import Any

from proto.directory.v1.events_pb2 import (
    OfficeClosed,
    OfficeReopened,
    ProviderMerged,
    ProviderRemoved,
)
from tests.service.identity.asking import GRANT, about, provider, role
from tests.service.identity.conftest import Identity, Organization
from tests.support.facts import Neighbours


async def grants(identity: Identity, here: Organization, user_id: object) -> list[dict[str, Any]]:
    """What the user is granted, with the provider."""
    query = "query($id: ID!) { user(id: $id) { grants { role provider { id } grantedAt } } }"
    data = await identity.running.data(query, {"id": str(user_id)}, viewer=here.admin)
    found: list[dict[str, Any]] = data["user"]["grants"]
    return found


async def test_an_office_that_is_planned_anew_has_staff_again(
    identity: Identity, here: Organization
) -> None:
    """R08, R19: what lapsed with its closing does not come back by itself."""
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    neighbours, now = Neighbours(identity.running), identity.running.parts.clock.now()
    closed = OfficeClosed(office_id=str(here.office))
    await neighbours.say(closed, here.id, "office", here.office, now)
    reopened = OfficeReopened(office_id=str(here.office), go_live_on="2027-01-04")
    event = await neighbours.say(reopened, here.id, "office", here.office, now)
    user = await identity.user(staff.user_id, here.admin)

    granted = await identity.mutate(
        GRANT, about(user, **role("OFFICE_STAFF", here.office)), here.admin
    )

    assert user["grants"] == []
    assert granted["__typename"] == "RoleGranted", granted
    assert not await neighbours.repeat(event)


async def test_who_is_a_provider_that_was_merged_is_the_one_that_stays(
    identity: Identity, here: Organization
) -> None:
    """R08, R11: by whom and since when it was granted, nobody has to say again."""
    duplicate, survivor = identity.new_provider(here.id), identity.new_provider(here.id)
    viewer = await identity.member(here, provider(duplicate))
    neighbours, now = Neighbours(identity.running), identity.running.parts.clock.now()
    fact = ProviderMerged(provider_id=str(duplicate), survivor_id=str(survivor))
    event = await neighbours.say(fact, here.id, "provider", duplicate, now)
    again = await neighbours.repeat(event)

    (grant,) = await grants(identity, here, viewer.user_id)
    told = [
        (name, data["providerId"])
        for name, data in await identity.told(here.id)
        if data.get("role") == "PROVIDER"
    ]
    by = await identity.running.sql.fetch(
        "SELECT granted_by, ended_because FROM grants WHERE provider_id = ANY($1) ORDER BY granted_at",
        [duplicate, survivor],
    )

    assert not again
    assert grant["provider"] == {"id": str(survivor)}
    assert told == [
        ("user.role_granted.v1", str(duplicate)),
        ("user.role_revoked.v1", str(duplicate)),
        ("user.role_granted.v1", str(survivor)),
    ]
    assert [(row["granted_by"], row["ended_because"]) for row in by] == [
        (here.admin.user_id, "PROVIDER_REMOVED"),
        (here.admin.user_id, None),
    ]


async def test_two_users_are_not_one_provider_because_theirs_were_merged(
    identity: Identity, here: Organization
) -> None:
    """R08: a provider's record is about one person; who is the one that stays, is it still."""
    duplicate, survivor = identity.new_provider(here.id), identity.new_provider(here.id)
    one = await identity.member(here, provider(duplicate))
    other = await identity.member(here, provider(survivor))
    neighbours, now = Neighbours(identity.running), identity.running.parts.clock.now()
    fact = ProviderMerged(provider_id=str(duplicate), survivor_id=str(survivor))
    await neighbours.say(fact, here.id, "provider", duplicate, now)

    assert await grants(identity, here, one.user_id) == []
    (kept,) = await grants(identity, here, other.user_id)
    assert kept["provider"] == {"id": str(survivor)}


async def test_a_merge_that_is_heard_before_the_one_into_it_leaves_nobody_behind(
    identity: Identity, here: Organization
) -> None:
    """R08, R11: facts of two providers come in any order."""
    first, second, last = (identity.new_provider(here.id) for _ in range(3))
    viewer = await identity.member(here, provider(first))
    neighbours, now = Neighbours(identity.running), identity.running.parts.clock.now()
    for gone, stays in ((second, last), (first, second)):
        fact = ProviderMerged(provider_id=str(gone), survivor_id=str(stays))
        await neighbours.say(fact, here.id, "provider", gone, now)

    (grant,) = await grants(identity, here, viewer.user_id)
    assert grant["provider"] == {"id": str(last)}


async def test_nobody_becomes_a_provider_that_was_gone_by_the_time_it_was_granted(
    identity: Identity, here: Organization
) -> None:
    """R08: directory was asked a moment before it told; what is merged into one that has left since is nobody either."""
    leaver, duplicate = identity.new_provider(here.id), identity.new_provider(here.id)
    neighbours, now = Neighbours(identity.running), identity.running.parts.clock.now()
    gone = ProviderRemoved(provider_id=str(leaver))
    await neighbours.say(gone, here.id, "provider", leaver, now)
    merged = await identity.member(here, provider(duplicate))
    fact = ProviderMerged(provider_id=str(duplicate), survivor_id=str(leaver))
    await neighbours.say(fact, here.id, "provider", duplicate, now)
    user = await identity.user((await identity.member(here)).user_id, here.admin)

    answers = [
        await identity.mutate(GRANT, about(user, **provider(one)), here.admin)
        for one in (leaver, duplicate)
    ]

    assert [one["code"] for one in answers] == ["PROVIDER_GONE"] * 2
    assert await grants(identity, here, merged.user_id) == []
