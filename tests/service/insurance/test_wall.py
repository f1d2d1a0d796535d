"""Row-level security of insurance: with policy switched off, another organization finds what directory shows, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.insurance import policy
from tests.service.insurance.asking import ADD, VERIFY, a_plan, mutate, wanted
from tests.service.insurance.conftest import Insurance, Practice, new_practice
from tests.support import walls
from tests.support.walls import Attack

SINCE = "2024-02-29"
"""A day on which nothing else begins."""


async def a_row(insurance: Insurance, practice: Practice) -> dict[str, Any]:
    """A verified participation."""
    input_ = wanted(practice, await a_plan(insurance), SINCE)
    row = await mutate(insurance, ADD, input_, practice.manager)
    version = {"participationId": row["id"], "expectedVersion": row["version"]}
    verified = await mutate(insurance, VERIFY, version, practice.manager)
    return row | {"version": verified.get("version", row["version"])}


def attack(insurance: Insurance, practice: Practice, row: dict[str, Any], by: Practice) -> Attack:
    """Everything insurance offers, asked by another organization's client admin and insurance manager."""
    aim = {
        "participationId": row["id"],
        "participationIds": row["id"],
        "providerId": str(practice.provider_id),
        "officeId": str(practice.office_id),
        "organizationId": str(practice.organization_id),
        "providerIds": str(practice.provider_id),
        "planId": row["plan"]["id"],
        "planIds": row["plan"]["id"],
        "ID": row["id"],
        "id": row["id"],
        "expectedVersion": row["version"],
    }
    everything = replace(
        by.manager,
        client_admin=True,
        office_admin_of=frozenset({by.office_id, practice.office_id}),
    )
    return Attack(insurance.running, everything, [aim], [SINCE])


async def test_with_policy_switched_off_what_directory_does_not_show_is_not_told_or_changed(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z7."""
    row, other = await a_row(insurance, practice), new_practice(insurance)
    ids, not_of = [row["id"], str(practice.organization_id)], str(other.organization_id)
    before = await walls.rows_of(insurance.running, ids, not_of)
    walls.switch_off(monkeypatch, policy, eyes=lambda _: None)
    attacking = attack(insurance, practice, row, other)

    told = await attacking.told()

    assert told == []
    assert await walls.rows_of(insurance.running, ids, not_of) == before
    assert attacking.asked > 30


async def test_what_directory_shows_cannot_be_changed_with_policy_switched_off(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, other = await a_row(insurance, practice), new_practice(insurance)
    await insurance.show(practice)
    ids, not_of = [row["id"], str(practice.organization_id)], str(other.organization_id)
    before = await walls.rows_of(insurance.running, ids, not_of)
    walls.switch_off(monkeypatch, policy, eyes=lambda _: None)

    told = await attack(insurance, practice, row, other).told()

    assert any(one.startswith("query participations") for one in told)
    assert await walls.rows_of(insurance.running, ids, not_of) == before


async def test_without_the_wall_the_same_attack_finds_the_row(
    insurance: Insurance, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the first test proves something."""
    row = await a_row(insurance, practice)
    walls.switch_off(monkeypatch, policy, eyes=lambda _: None)
    walls.no_wall(monkeypatch)
    told = await attack(insurance, practice, row, new_practice(insurance)).told()
    assert any(one.startswith("query participations") for one in told)


async def test_each_table_shows_nothing_to_who_does_not_say_for_whom(
    insurance: Insurance, practice: Practice
) -> None:
    row = await a_row(insurance, practice)
    seen = await walls.rows_without_a_scope(insurance.running)
    there = await walls.rows_in_all(insurance.running, seen)
    assert row["version"] > 0
    assert {table for table, count in seen.items() if count} == set()
    assert there["participations"] > 0
