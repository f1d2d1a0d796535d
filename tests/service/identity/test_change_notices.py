"""Letters about what directory tells: the call centre what has changed (R10), client admins what support has set up (R25)."""

from __future__ import annotations

from uuid import uuid4

from google.protobuf.message import Message

from proto.directory.v1.events_pb2 import (
    ChangeFeedEscalated,
    ChangeFeedExtended,
    GroupAdded,
    GroupOverridden,
)
from tests.service.identity.asking import DEACTIVATE, about, role
from tests.service.identity.conftest import Identity, Organization, new_organization
from tests.support.facts import Neighbours


async def _hear(identity: Identity, here: Organization, *facts: Message) -> None:
    said = Neighbours(identity.running)
    for fact in facts:
        now = identity.running.parts.clock.now()
        event = await said.say(fact, here.id, "change_feed", here.id, now)
        await said.repeat(event)
    await identity.jobs()


async def test_everybody_in_the_call_centre_gets_one_mail_that_says_how_much_and_not_what(
    identity: Identity, here: Organization
) -> None:
    """R10: PHI never in the notice; a fact that is heard twice is one mail."""
    there = await new_organization(identity)
    readers = [await identity.member(here, role("CALL_CENTRE")) for _ in range(2)]
    gone = await identity.member(here, role("CALL_CENTRE"))
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    stranger = await identity.member(there, role("CALL_CENTRE"))
    emails = {
        one.user_id: (await identity.user(one.user_id, admin))["email"]
        for one, admin in [
            *((each, here.admin) for each in (*readers, gone, staff)),
            (stranger, there.admin),
        ]
    }
    user = await identity.user(gone.user_id, here.admin)
    assert (await identity.mutate(DEACTIVATE, about(user), here.admin)).get("user")
    await _hear(identity, here, ChangeFeedExtended(items=3, item_ids=["a"]))
    got = {
        user_id: [one for one in identity.mailbox.to(email) if "feed of changes" in one]
        for user_id, email in emails.items()
    }

    assert [len(got[one.user_id]) for one in readers] == [1, 1]
    assert "There are 3 new entries" in got[readers[0].user_id][0]
    assert [len(got[one.user_id]) for one in (gone, staff, stranger)] == [0, 0, 0]


async def test_what_nobody_acknowledged_is_written_to_the_client_admins(
    identity: Identity, here: Organization
) -> None:
    """R10."""
    reader = await identity.member(here, role("CALL_CENTRE"))
    await _hear(identity, here, ChangeFeedEscalated(items=1))
    letters = [
        [
            one
            for one in identity.mailbox.to((await identity.user(who.user_id, here.admin))["email"])
            if "in 24 hours" in one
        ]
        for who in (here.admin, reader)
    ]

    assert [len(one) for one in letters] == [1, 0]


async def test_client_admins_are_told_at_once_that_support_lets_a_group_take_part(
    identity: Identity, here: Organization
) -> None:
    """R25: by name, once, and nobody else; why is not in the mail but with the group."""
    staff = await identity.member(here, role("OFFICE_STAFF", here.office))
    group, said = uuid4(), Neighbours(identity.running)
    overridden = GroupOverridden(
        group_id=str(group), name="Night Door", user_id=str(identity.support.user_id)
    )
    for fact in (GroupAdded(group_id=str(group), name="Night Door"), overridden):
        now = identity.running.parts.clock.now()
        await said.repeat(await said.say(fact, here.id, "group", group, now))
    await identity.jobs()
    letters = [
        [
            one
            for one in identity.mailbox.to((await identity.user(who.user_id, here.admin))["email"])
            if "Night Door" in one
        ]
        for who in (here.admin, staff)
    ]

    assert [len(one) for one in letters] == [1, 0]
    assert "of support lets the group Night Door send and receive" in letters[0][0].replace(
        "\n", " "
    )
