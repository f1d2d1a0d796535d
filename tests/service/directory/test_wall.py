"""Row-level security of directory: with policy switched off, another organization finds what the network shows, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from proto.identity.v1 import events_pb2 as identity_facts
from services.directory import policy
from tests.service.directory.world import Directory, Organization
from tests.support import walls
from tests.support.walls import Attack

HIDDEN = ("Canary-Provider", "Canary-Office", "Canary-Group", "Canary-Reason")


async def hidden(organization: Organization) -> dict[str, str]:
    """What the network does not show: a draft provider at a planned office, in a group nobody works for, with its staff."""
    provider = await organization.add_provider(lastName=HIDDEN[0])
    office = await organization.add_office(name=HIDDEN[1], groupOnly=True)
    placement = await organization.place(provider, office)
    staff = await organization.user()
    group = await organization.add_group(
        name=HIDDEN[2], officeIds=[office["id"]], providerIds=[provider["id"]]
    )
    return {
        "providerId": provider["id"],
        "providerIds": provider["id"],
        "officeId": office["id"],
        "officeIds": office["id"],
        "groupId": group["id"],
        "placementId": placement["id"],
        "userId": staff,
        "organizationId": str(organization.id),
        "ID": provider["id"],
    }


def attack(directory: Directory, by: Organization, aim: Mapping[str, str]) -> Attack:
    """Everything directory offers, asked by a client admin of another organization."""
    aims = [
        {**aim, "ID": aim[name], "id": aim[name]} for name in ("providerId", "officeId", "groupId")
    ]
    return Attack(directory.running, by.admin, aims, HIDDEN)


async def test_with_policy_switched_off_nothing_hidden_is_told_or_changed(
    directory: Directory,
    organization: Organization,
    other: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Z7."""
    aim = await hidden(organization)
    ids, not_of = [*aim.values(), str(organization.id)], str(other.id)
    before = await walls.rows_of(directory.running, ids, not_of)
    walls.switch_off(monkeypatch, policy)
    attacking = attack(directory, other, aim)

    told = await attacking.told()

    assert told == []
    assert await walls.rows_of(directory.running, ids, not_of) == before
    assert attacking.asked > 100


async def test_without_the_wall_the_same_attack_finds_and_changes_much(
    directory: Directory,
    organization: Organization,
    other: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So the test above proves something."""
    aim = await hidden(organization)
    walls.switch_off(monkeypatch, policy)
    walls.no_wall(monkeypatch)
    assert await attack(directory, other, aim).told() != []


async def test_what_the_network_shows_cannot_be_changed_with_policy_switched_off(
    directory: Directory,
    organization: Organization,
    other: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = await organization.approved()
    office = await organization.live_office()
    placement = await organization.place(provider, office)
    aim = {
        "providerId": provider["id"],
        "officeId": office["id"],
        "groupId": provider["id"],
        "placementId": placement["id"],
        "organizationId": str(organization.id),
    }
    ids, not_of = [*aim.values(), str(organization.id)], str(other.id)
    before = await walls.rows_of(directory.running, ids, not_of)
    walls.switch_off(monkeypatch, policy)

    await attack(directory, other, aim).told()

    assert await walls.rows_of(directory.running, ids, not_of) == before


async def test_each_table_shows_nothing_to_who_does_not_say_for_whom(
    directory: Directory, organization: Organization
) -> None:
    await hidden(organization)
    shown = await organization.approved()
    user = uuid4()
    fact = identity_facts.UserConfirmed(user_id=str(user))
    await directory.neighbours.say(
        fact, organization.id, "user", user, directory.running.parts.clock.now()
    )
    seen = await walls.rows_without_a_scope(directory.running)
    there = await walls.rows_in_all(directory.running, seen)
    assert UUID(shown["id"])
    assert {table for table, count in seen.items() if count} == set()
    assert sum(count > 0 for count in there.values()) > 8
