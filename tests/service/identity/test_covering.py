"""Who alone covers an office: no single act leaves it to nobody, and what ends by itself is told (R07, R18, R33)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from proto.identity.v1.identity_pb2 import CoverageRequest
from tests.service.identity.asking import DEACTIVATE, GRANT, REVOKE, about, role
from tests.service.identity.conftest import Identity, Organization
from tests.service.identity.noticing import FIVE_MINUTES
from tests.support.eventually import eventually


async def revoke(
    identity: Identity,
    here: Organization,
    user_id: object,
    wanted: dict[str, object],
    **more: object,
) -> dict[str, Any]:
    """Take a role back, as a client admin."""
    user = await identity.user(user_id, here.admin)
    return await identity.mutate(REVOKE, about(user, **wanted, **more), here.admin)


async def covered_by(identity: Identity, here: Organization) -> int:
    """How many cover the office, as siblings are told."""
    asked = CoverageRequest(organization_id=str(here.id), office_ids=[str(here.office)])
    (office,) = (await identity.ask("Coverage", asked)).offices
    found: int = office.confirmed_staff
    return found


async def test_the_last_role_at_an_office_is_taken_back_only_with_a_successor(
    identity: Identity, here: Organization
) -> None:
    """R33: would remove last coverage → blocked."""
    here_staff = role("OFFICE_STAFF", here.office)
    last = await identity.member(here, here_staff)
    heir = {"successorId": str((await identity.member(here, role("CALL_CENTRE"))).user_id)}

    refused = await revoke(identity, here, last.user_id, here_staff)
    half = [
        await revoke(identity, here, last.user_id, here_staff, **more)
        for more in ({"acknowledgeUncovered": True}, heir)
    ]
    own = {"acknowledgeUncovered": True, "successorId": str(last.user_id)}
    oneself = await revoke(identity, here, last.user_id, here_staff, **own)
    still = await covered_by(identity, here)
    done = await revoke(identity, here, last.user_id, here_staff, acknowledgeUncovered=True, **heir)
    again = await revoke(identity, here, last.user_id, here_staff)

    assert (refused["__typename"], refused["officeIds"]) == (
        "SoleCoverageProblem",
        [str(here.office)],
    )
    assert [one["field"] for one in half] == ["successorId", "acknowledgeUncovered"]
    assert oneself["code"] == "SUCCESSOR_UNABLE"
    assert still == 1
    assert done["__typename"] == "RoleRevoked"
    assert await covered_by(identity, here) == 1
    grants = (await identity.user(heir["successorId"], here.admin))["grants"]
    assert {"role": "OFFICE_STAFF", "office": {"id": str(here.office)}} in grants
    assert again["__typename"] == "RoleRevoked", "who has it no more leaves nothing"


async def test_who_has_both_roles_at_an_office_covers_it_until_neither_is_left(
    identity: Identity, here: Organization
) -> None:
    """R18, R33"""
    roles = [role("OFFICE_STAFF", here.office), role("OFFICE_ADMIN", here.office)]
    both = await identity.member(here, *roles)

    first = await revoke(identity, here, both.user_id, roles[0])
    second = await revoke(identity, here, both.user_id, roles[1])

    assert first["__typename"] == "RoleRevoked"
    assert second["code"] == "SOLE_COVERAGE"


async def test_what_covers_no_office_is_taken_back_freely(
    identity: Identity, here: Organization
) -> None:
    """R18: an invitation covers nothing, nor does a role of the whole organization."""
    manager = role("INSURANCE_MANAGER")
    last = await identity.member(here, role("OFFICE_STAFF", here.office), manager)
    invited = await identity.invite(
        here.admin, "a.waiting@example.org", role("OFFICE_STAFF", here.office)
    )

    whole = await revoke(identity, here, last.user_id, manager)
    waiting = await revoke(identity, here, invited["user"]["id"], role("OFFICE_STAFF", here.office))

    assert [one["__typename"] for one in (whole, waiting)] == ["RoleRevoked"] * 2


@pytest.mark.parametrize(
    "verbs", [(REVOKE, REVOKE), (REVOKE, DEACTIVATE)], ids=["both", "one leaves"]
)
async def test_of_two_who_give_up_an_office_at_once_exactly_one_succeeds(
    identity: Identity, here: Organization, verbs: tuple[str, str]
) -> None:
    """R33: last-staff invariant under concurrency."""
    wanted = role("OFFICE_STAFF", here.office)
    for _ in range(5):
        pair = [await identity.member(here, wanted) for _ in range(2)]
        users = [await identity.user(one.user_id, here.admin) for one in pair]
        given = [
            about(user, **(wanted if verb == REVOKE else {}))
            for user, verb in zip(users, verbs, strict=True)
        ]

        answers = await asyncio.gather(
            *(
                identity.mutate(verb, one, here.admin)
                for verb, one in zip(verbs, given, strict=True)
            )
        )

        assert [one["__typename"] for one in answers].count("SoleCoverageProblem") == 1
        assert await covered_by(identity, here) == 1
        here.office = identity.new_office(here.id)
        wanted = role("OFFICE_STAFF", here.office)


async def test_an_office_admin_gives_up_no_office_of_theirs_to_nobody(
    identity: Identity, here: Organization
) -> None:
    """R33: the rule is everybody's."""
    elsewhere = identity.new_office(here.id)
    boss = await identity.member(here, role("OFFICE_ADMIN", elsewhere))
    await identity.mutate(
        GRANT,
        about(await identity.user(boss.user_id, here.admin), **role("OFFICE_ADMIN", here.office)),
        here.admin,
    )
    (found,) = {one["role"] for one in (await identity.user(boss.user_id, here.admin))["grants"]}
    last = await revoke(identity, here, boss.user_id, role("OFFICE_ADMIN", here.office))

    assert found == "OFFICE_ADMIN"
    assert last["code"] == "SOLE_COVERAGE"


async def test_a_grant_for_a_time_ends_and_the_client_admins_are_told_that_nobody_is_left(
    identity: Identity, here: Organization
) -> None:
    """R08, R18: powers end when they were said to end, whoever covers the office then."""
    ends = identity.running.parts.clock.now() + timedelta(hours=1)
    wanted = role("OFFICE_ADMIN", here.office) | {"expiresAt": ends.isoformat()}
    boss = await identity.member(here, wanted)
    identity.directory.names[here.office] = "Elm Street"
    before = await covered_by(identity, here)

    await identity.running.advance(timedelta(hours=1))
    await eventually(lambda: waiting(identity, here))
    after = await covered_by(identity, here)
    await identity.running.advance(FIVE_MINUTES)

    assert (before, after) == (1, 0)
    address = (await identity.user(here.admin.user_id, here.admin))["email"]
    assert "Elm Street: 1 office is covered by nobody any more." in identity.mailbox.to(address)[-1]
    other = (await identity.user(boss.user_id, here.admin))["email"]
    assert not any("covered by nobody" in one for one in identity.mailbox.to(other))


async def test_ninety_days_leave_an_office_to_nobody_and_the_client_admins_are_told(
    identity: Identity, here: Organization
) -> None:
    """R07, R18: who is away is no cover, and an account nobody looks after is not kept for it."""
    elsewhere = identity.new_office(here.id)
    away = await identity.member(
        here, role("OFFICE_STAFF", here.office), role("OFFICE_STAFF", elsewhere)
    )
    address = (await identity.user(here.admin.user_id, here.admin))["email"]
    identity.directory.names |= {here.office: "Elm Street", elsewhere: "Oak Street"}
    for _ in range(2):
        await identity.running.advance(timedelta(days=80))
        await identity.sign_in(address)

    async def both() -> bool:
        return await waiting(identity, here) == 2

    await eventually(both)
    status = (await identity.user(away.user_id, here.admin))["status"]
    await identity.running.advance(FIVE_MINUTES)

    assert status == "DEACTIVATED"
    letter = identity.mailbox.to(address)[-1]
    for street in ("Elm Street", "Oak Street"):
        assert f"{street}: 1 office is covered by nobody any more." in letter


async def test_an_office_that_somebody_covers_again_is_told_of_to_nobody(
    identity: Identity, here: Organization
) -> None:
    """R18"""
    ends = identity.running.parts.clock.now() + timedelta(hours=1)
    await identity.member(here, role("OFFICE_ADMIN", here.office) | {"expiresAt": ends.isoformat()})
    heir = await identity.member(here)
    await identity.running.advance(timedelta(hours=1))
    await eventually(lambda: waiting(identity, here))
    user = await identity.user(heir.user_id, here.admin)
    await identity.mutate(GRANT, about(user, **role("OFFICE_STAFF", here.office)), here.admin)

    async def settled() -> bool:
        return await waiting(identity, here) == 0

    await eventually(settled)


async def waiting(identity: Identity, here: Organization) -> int:
    """How many notices of offices without anybody wait."""
    count: int = await identity.running.sql.fetchval(
        "SELECT count(*) FROM notices WHERE organization_id = $1 AND topic = 'OFFICE_UNCOVERED'"
        " AND settled_at IS NULL",
        here.id,
    )
    return count
