"""Row-level security of referrals: with policy switched off, an organization finds what it sends or receives, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from kit.auth import Viewer
from services.referrals import policy
from services.referrals.domain import Side
from services.referrals.policy import Seen, Sight
from tests.service.referrals.asking import act, at, do, draft, read, send
from tests.service.referrals.conftest import Practice, World
from tests.support import walls
from tests.support.walls import Attack

SECRETS = ("Canarina", "Zeta-Canary", "canary-note", "canary-comment", "1961-02-03")


def switch_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody sees everything of everything, and may do it."""

    def seen(_viewer: Viewer, _access: object, referral: Any, hops: Any, _now: object) -> Seen:  # noqa: ANN401 - nouns
        return Seen(referral, Sight.FULL, frozenset(Side), (), hops)

    def permit(
        _viewer: Viewer,
        _access: object,
        referral: Any,  # noqa: ANN401 - nouns
        _hops: object,
        _action: object,
    ) -> Any:  # noqa: ANN401
        if referral is None:
            raise policy.unknown_referral()
        return referral

    walls.switch_off(
        monkeypatch, policy, seen=seen, permit=permit, sides=lambda *_: frozenset(Side)
    )


def attack(world: World, by: Practice, referral: dict[str, Any]) -> Attack:
    """Everything referrals offers, asked by staff and client admin of a third organization."""
    theirs = world.receiver
    aim = {
        "referralId": referral["id"],
        "referralIds": referral["id"],
        "officeId": str(theirs.office_id),
        "providerId": str(theirs.provider_id),
        "ID": referral["id"],
        "id": referral["id"],
        "organizationId": str(theirs.organization_id),
        "expectedVersion": referral["version"],
        "reasonCode": "NO_CAPACITY",
        "familyName": "Zeta-Canary",
        "bornOn": "1961-02-03",
    }
    sender = {**aim, "officeId": str(world.sender.office_id)}
    offices = frozenset({by.office_id, theirs.office_id, world.sender.office_id})
    everything = by.somebody(office_staff_of=offices, office_admin_of=offices, client_admin=True)
    values = {"at": "2099-01-01T00:00:00Z"}
    return Attack(world.service.running, everything, [aim, sender], SECRETS, values)


@pytest.fixture
async def referral(world: World) -> dict[str, Any]:
    """Sent, scheduled, with a comment in its trail; about a patient nobody else should know."""
    sent = await send(world)
    await act(
        world,
        "declineReferral",
        world.receiver.staff,
        sent,
        reasonCode="AGE",
        comment="canary-comment",
    )
    found = await read(world, world.sender.staff, sent)
    assert found is not None
    return found


async def test_with_policy_switched_off_no_referral_of_others_is_told_or_changed(
    world: World, referral: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z7."""
    third = world.practice()
    await do(
        world,
        "createDraft",
        world.sender.staff,
        idempotencyKey="k",
        draft=draft(world.sender, at(world.receiver)),
    )
    ids = [referral["id"], str(world.sender.organization_id), str(world.receiver.organization_id)]
    before = await walls.rows_of(world.service.running, ids, str(third.organization_id))
    switch_off(monkeypatch)
    attacking = attack(world, third, referral)

    told = await attacking.told()

    assert told == []
    assert await walls.rows_of(world.service.running, ids, str(third.organization_id)) == before
    assert attacking.asked > 40


async def test_without_the_wall_the_same_attack_reads_the_patient(
    world: World, referral: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above proves something."""
    switch_off(monkeypatch)
    walls.no_wall(monkeypatch)
    assert await attack(world, world.practice(), referral).told() != []


async def test_a_past_receiver_sees_no_more_than_that_it_was_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R12: also with policy switched off, nothing of the patient and nothing later."""
    sent, next_ = await send(world), world.practice()
    forwarded = await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(next_))
    assert forwarded["__typename"] == "Referral", forwarded
    switch_off(monkeypatch)

    found = await world.service.running.data(
        "query ($id: ID!) { referral(id: $id) { id status patient { familyName } hops { hop } history { version } } }",
        {"id": sent["id"]},
        viewer=world.receiver.staff,
    )

    past = found["referral"]
    assert past["status"] == "PENDING"
    assert past["patient"] is None
    assert [hop["hop"] for hop in past["hops"]] == [1]
    assert past["history"] == []


async def test_a_draft_is_nothing_to_its_receiver(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = await do(
        world,
        "createDraft",
        world.sender.staff,
        idempotencyKey="d",
        draft=draft(world.sender, at(world.receiver)),
    )
    switch_off(monkeypatch)
    assert await read(world, world.receiver.staff, written) is None
    assert await read(world, world.sender.staff, written) is not None


async def test_each_table_shows_nothing_to_who_does_not_say_for_whom(
    world: World, referral: dict[str, Any]
) -> None:
    seen = await walls.rows_without_a_scope(world.service.running)
    there = await walls.rows_in_all(world.service.running, seen)
    assert referral["status"] == "DECLINED"
    assert {table for table, count in seen.items() if count} == set()
    assert sum(count > 0 for count in there.values()) > 4
