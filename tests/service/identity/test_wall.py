"""Row-level security of identity: with policy switched off, another organization finds names of organizations, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from kit.auth import Viewer
from services.identity import policy
from services.identity.domain import OrganizationId
from tests.service.identity import asking
from tests.service.identity.asking import role
from tests.service.identity.conftest import Identity, Organization, an_email, new_organization
from tests.support import walls
from tests.support.walls import Attack

NAME = "Canary Person"
PARTNER = "Canary-Partner"
ISSUER = "https://canary-issuer.example"


async def theirs(identity: Identity, here: Organization) -> dict[str, Any]:
    """An invited user with a role, and a partner."""
    email = an_email()
    invited = await identity.invite(here.admin, email, role("OFFICE_STAFF", here.office), name=NAME)
    assert invited["__typename"] == "UserInvited", invited
    added = await identity.mutate(
        asking.ADD_PARTNER, {"name": PARTNER, "idempotencyKey": email}, here.admin
    )
    await identity.running.sql.execute(
        "INSERT INTO sign_in_services (organization_id, issuer, client_id, sealed_client_secret, changed_at, changed_by)"
        " VALUES ($1, $2, 'client', 'sealed', now(), $3)",
        here.id,
        ISSUER,
        here.admin.user_id,
    )
    return {"user": invited["user"]["id"], "partner": added["partner"]["id"], "email": email}


def switch_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may do everything, wherever they say."""

    def where(viewer: Viewer, asked: OrganizationId | None) -> OrganizationId:
        return asked or OrganizationId(viewer.require_organization())

    walls.switch_off(monkeypatch, policy, scope=where, permit_sign_in_rules=where)


def attack(identity: Identity, here: Organization, by: Viewer, known: dict[str, Any]) -> Attack:
    """Everything identity offers, asked by another organization's client admin."""
    aim = {
        "userId": known["user"],
        "fromUserId": known["user"],
        "organizationId": str(here.id),
        "partnerId": known["partner"],
        "officeId": str(here.office),
        "ID": known["user"],
        "id": known["user"],
        "support": {"organizationId": str(here.id), "reason": "because"},
        "newPassword": "the lighthouse keeper reads at noon",
    }
    return Attack(identity.running, by, [aim], [NAME, PARTNER, ISSUER, known["email"]])


async def test_with_policy_switched_off_no_user_or_partner_of_others_is_told_or_changed(
    identity: Identity, here: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z7."""
    known = await theirs(identity, here)
    other = await new_organization(identity, "Other House")
    ids, not_of = [known["user"], known["partner"], str(here.id)], str(other.id)
    before = await walls.rows_of(identity.running, ids, not_of)
    switch_off(monkeypatch)
    attacking = attack(identity, here, other.admin, known)

    told = await attacking.told()

    assert told == []
    assert await walls.rows_of(identity.running, ids, not_of) == before
    assert attacking.asked > 40


async def test_without_the_wall_the_same_attack_finds_the_person(
    identity: Identity, here: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above proves something."""
    known = await theirs(identity, here)
    other = await new_organization(identity, "Another House")
    switch_off(monkeypatch)
    walls.no_wall(monkeypatch)
    assert await attack(identity, here, other.admin, known).told() != []


async def test_each_table_shows_nothing_to_who_does_not_say_for_whom(
    identity: Identity, here: Organization
) -> None:
    await theirs(identity, here)
    seen = await walls.rows_without_a_scope(identity.running)
    there = await walls.rows_in_all(identity.running, seen)
    assert {table for table, count in seen.items() if count} == set()
    assert sum(count > 0 for count in there.values()) > 3
