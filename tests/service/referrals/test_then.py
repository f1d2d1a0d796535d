"""Who could see a referral at a moment, and who did: by the product's own policy over the state of then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import GroupStaffed
from tests.service.referrals.asking import Answer, act, at, do, draft, group_at, read, send
from tests.service.referrals.conftest import Practice, Role, World
from tests.service.referrals.test_offline import offline_receiver

ASK = """
query ($id: ID!, $on: DateTime!) {
  referralAccess(referralId: $id, on: $on) {
    on knownSince
    could { user { id } sight reasons { code } }
    did { user { id } firstAt lastAt times fields }
  }
}
"""
STEP = timedelta(hours=1)


@dataclass
class Story:
    """A world whose moments have names."""

    world: World
    moments: dict[str, datetime] = field(default_factory=dict)

    async def moment(self, name: str) -> None:
        """Give this moment a name, with an hour before and behind it in which nothing happens."""
        await self.world.service.running.advance(STEP)
        self.moments[name] = self.world.service.running.parts.clock.now()
        await self.world.service.running.advance(STEP)

    def grant(self, practice: Practice, kind: str, at_: UUID, viewer: Viewer | None = None) -> Role:
        """From now on somebody has a role."""
        user_id = (viewer or practice.somebody()).user_id
        assert user_id
        role = Role(user_id, practice.organization_id, kind, at_, self.now)
        self.world.service.identity.roles.append(role)
        return role

    @property
    def now(self) -> datetime:
        """The suite's time."""
        return self.world.service.running.parts.clock.now()

    async def ask(self, practice: Practice, referral: Answer, name: str) -> Answer | None:
        """What the practice's client admin is told about a moment."""
        return await ask(self.world, practice, referral, self.moments[name])

    async def could(self, practice: Practice, referral: Answer, name: str) -> dict[str, str]:
        """Who could see it then, and how much."""
        found = await self.ask(practice, referral, name)
        assert found is not None
        return {one["user"]["id"]: one["sight"] for one in found["could"]}


async def ask(
    world: World,
    practice: Practice,
    referral: Answer,
    on: datetime,
    **grants: Any,  # noqa: ANN401
) -> Answer | None:
    """As somebody of the practice, its client admin unless said."""
    viewer = practice.somebody(**(grants or {"client_admin": True}))
    given = {"id": referral["id"], "on": on.isoformat()}
    data = await world.service.running.data(ASK, given, viewer=viewer)
    answer: Answer | None = data["referralAccess"]
    return answer


@pytest.fixture
def story(world: World) -> Story:
    """Both offices have somebody on their staff."""
    made = Story(world)
    for practice in (world.sender, world.receiver):
        made.grant(practice, "OFFICE_STAFF", practice.office_id, practice.staff)
    return made


async def test_each_side_is_told_of_its_own_people_from_the_moment_they_could_see_it(
    story: Story,
) -> None:
    """R14."""
    world, written = story.world, draft(story.world.sender, at(story.world.receiver))
    await story.moment("before")
    made = await do(
        world, "createDraft", world.sender.staff, idempotencyKey=str(uuid4()), draft=written
    )
    await story.moment("draft")
    sent = await act(world, "sendReferral", world.sender.staff, made, idempotencyKey=str(uuid4()))
    await story.moment("sent")
    mine, theirs = str(world.sender.staff.user_id), str(world.receiver.staff.user_id)

    assert await story.could(world.sender, sent, "before") == {}
    assert await story.could(world.sender, sent, "draft") == {mine: "FULL"}
    assert await story.could(world.receiver, sent, "draft") == {}
    assert await story.could(world.sender, sent, "sent") == {mine: "FULL"}
    assert await story.could(world.receiver, sent, "sent") == {theirs: "FULL"}


async def test_who_was_reassigned_away_saw_it_only_until_then(story: Story) -> None:
    """R13, R14."""
    world, receiver = story.world, story.world.receiver
    other_office, other = world.office(receiver), uuid4()
    elsewhere = story.grant(receiver, "OFFICE_ADMIN", other_office)
    sent = await send(world)
    await story.moment("first")
    there = {"officeId": str(other_office), "providerId": str(other)}
    await act(world, "reassignReferral", receiver.staff, sent, receiver=there)
    await story.moment("second")

    assert await story.could(receiver, sent, "first") == {str(receiver.staff.user_id): "FULL"}
    assert await story.could(receiver, sent, "second") == {str(elsewhere.user_id): "FULL"}
    assert await read(world, receiver.staff, sent) is None


async def test_who_forwarded_it_sees_the_past_and_nobody_elses_people(story: Story) -> None:
    """R13, R14: also when it comes back."""
    world, third = story.world, story.world.practice()
    story.grant(third, "OFFICE_STAFF", third.office_id, third.staff)
    sent, first = await send(world), str(world.receiver.staff.user_id)
    await story.moment("first")
    gone = await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(third))
    await story.moment("second")
    onward = await read(world, third.staff, gone)
    assert onward
    back = {"receiver": at(world.receiver), "confirmLoop": True}
    await act(world, "forwardReferral", third.staff, onward, **back)
    await story.moment("third")

    told = {
        name: await story.could(world.receiver, sent, name) for name in ("first", "second", "third")
    }
    assert told == {"first": {first: "FULL"}, "second": {first: "PAST"}, "third": {first: "FULL"}}
    assert await story.could(third, sent, "first") == {}
    assert await story.could(third, sent, "second") == {str(third.staff.user_id): "FULL"}
    assert await story.could(third, sent, "third") == {str(third.staff.user_id): "PAST"}


async def test_access_before_a_removal_can_be_proven_after_it(story: Story) -> None:
    """R14: access before T is provable; after T nobody could."""
    world, receiver = story.world, story.world.receiver
    sent = await send(world)
    assert await read(world, receiver.staff, sent)
    await story.moment("before")
    await world.service.running.sql.execute(
        "INSERT INTO removed_providers VALUES ($1, $2, $3)",
        receiver.organization_id,
        receiver.provider_id,
        story.now,
    )
    await story.moment("after")

    assert await read(world, receiver.staff, sent) is None
    assert await story.could(receiver, sent, "before") == {str(receiver.staff.user_id): "FULL"}
    assert await story.could(receiver, sent, "after") == {}
    assert await story.could(world.sender, sent, "after") == {
        str(world.sender.staff.user_id): "FULL"
    }
    proven = await story.ask(receiver, sent, "after")
    assert proven
    assert [one["user"]["id"] for one in proven["did"]] == [str(receiver.staff.user_id)]


async def test_a_role_counts_while_it_was_held(story: Story) -> None:
    """R08, R14: one that expired, one that came later, and one elsewhere."""
    world, sender = story.world, story.world.sender
    expiring = story.grant(sender, "OFFICE_ADMIN", sender.office_id)
    story.grant(sender, "OFFICE_ADMIN", uuid4())
    doctor = story.grant(sender, "PROVIDER", sender.provider_id)
    sent = await send(world)
    await story.moment("early")
    expiring.until_at = story.now
    late = story.grant(sender, "OFFICE_STAFF", sender.office_id)
    await story.moment("late")
    always = {str(sender.staff.user_id), str(doctor.user_id)}

    assert set(await story.could(sender, sent, "early")) == always | {str(expiring.user_id)}
    assert set(await story.could(sender, sent, "late")) == always | {str(late.user_id)}


async def staff(story: Story, group: UUID, user: Viewer) -> None:
    """The receiver's group has one provider, and this user on its staff."""
    receiver = story.world.receiver
    fact = GroupStaffed(
        group_id=str(group),
        ready=True,
        staff_user_ids=[str(user.user_id)],
        provider_ids=[str(receiver.provider_id)],
    )
    neighbours = story.world.service.neighbours
    await neighbours.say(fact, receiver.organization_id, "group", group, story.now)


async def test_a_groups_staff_counts_while_it_was_on_it(story: Story) -> None:
    """R21, R14: by the facts about the group, as they were heard."""
    world, receiver, group = story.world, story.world.receiver, uuid4()
    first, second = receiver.somebody(), receiver.somebody()
    await staff(story, group, first)
    sent = await send(world, group_at(receiver, group))
    await story.moment("first")
    await staff(story, group, second)
    await story.moment("second")
    always = str(receiver.staff.user_id)

    assert set(await story.could(receiver, sent, "first")) == {always, str(first.user_id)}
    assert set(await story.could(receiver, sent, "second")) == {always, str(second.user_id)}


async def test_who_did_see_it_is_told_with_when_how_often_and_what(story: Story) -> None:
    """A1, R14: those of one's own organization, until that moment."""
    world, receiver = story.world, story.world.receiver
    sent = await send(world)
    await story.moment("unread")
    await read(world, receiver.staff, sent)
    await story.moment("once")
    await read(world, receiver.staff, sent)
    await story.moment("twice")
    told = {name: await story.ask(receiver, sent, name) for name in story.moments}

    assert all(told.values())
    did = {name: (one or {})["did"] for name, one in told.items()}
    assert did["unread"] == []
    assert [(one["user"]["id"], one["times"]) for one in did["once"]] == [
        (str(receiver.staff.user_id), 1)
    ]
    (twice,) = did["twice"]
    assert (twice["times"], twice["fields"]) == (2, ["patient"])
    assert twice["firstAt"] < twice["lastAt"]


async def test_it_is_for_client_admins_of_a_side(story: Story) -> None:
    """R02, R14: another organization's referral is one that never was."""
    world, sent = story.world, await send(story.world)
    await story.moment("now")
    on = story.moments["now"]
    foreign = await ask(world, world.practice(), sent, on)
    never = await ask(world, world.sender, {"id": str(uuid4())}, on)
    looks = await ask(world, world.sender, sent, on, reporting_only=True)

    assert foreign is never is None
    assert looks
    for grants in ({"office_staff_of": frozenset({world.sender.office_id})}, {"call_centre": True}):
        viewer = world.sender.somebody(**grants)
        given = {"id": sent["id"], "on": on.isoformat()}
        answer = await world.service.running.gql(ASK, given, viewer=viewer)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_is_not_known_is_said_and_not_guessed(story: Story) -> None:
    """R14: before the histories began, and ahead of now."""
    world, sql = story.world, story.world.service.running.sql
    await story.moment("old")
    sent = await send(world)
    long_ago = story.moments["old"] - timedelta(days=4000)
    await sql.execute("UPDATE referrals SET created_at = $2 WHERE id = $1", sent["id"], long_ago)
    told = await ask(world, world.sender, sent, long_ago + STEP)
    viewer = world.sender.somebody(client_admin=True)
    ahead = {"id": sent["id"], "on": (story.now + STEP).isoformat()}
    refused = await world.service.running.gql(ASK, ahead, viewer=viewer)

    assert told
    assert told["could"] is None
    assert datetime.fromisoformat(told["knownSince"]) > long_ago
    assert refused["errors"][0]["extensions"]["reason"] == "TIME_AHEAD"


@pytest.mark.parametrize(
    "on", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"]
)
async def test_a_moment_outside_of_all_calendars_or_without_a_zone_is_refused(
    world: World, on: str
) -> None:
    """R14."""
    sent = await send(world)
    viewer = world.sender.somebody(client_admin=True)
    asked = {"id": sent["id"], "on": on}

    refused = await world.service.running.gql(ASK, asked, viewer=viewer)

    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_first_moment_of_all_is_before_everything(world: World) -> None:
    """R14."""
    sent = await send(world)

    told = await ask(world, world.sender, sent, datetime.min.replace(tzinfo=UTC))

    assert told
    assert (told["could"], told["did"]) == ([], [])


async def test_what_an_offline_receiver_is_now_is_no_reason_why_it_was_seen_then(
    story: Story,
) -> None:
    """R14: and no office that is not one is named for it."""
    world = story.world
    await offline_receiver(world)
    sent = await send(world)
    await story.moment("sent")

    told = await story.ask(world.sender, sent, "sent")

    assert told
    reasons = [one["code"] for holder in told["could"] for one in holder["reasons"]]
    assert reasons == ["SENDING_OFFICE"]
