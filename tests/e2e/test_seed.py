"""The demo world, asked for through the gateway: it has what is promised, and making it again changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import seed
from cli.network import Client, Person
from cli.seed import building
from cli.seed.stories import ENDS
from cli.system import System
from cli.trouble import Trouble
from tests.e2e.conftest import FreshSystem
from tests.support.eventually import eventually

COUNTS = """
{ organization { providers(first: 100) { edges { node { npi state credential } } }
                 offices(first: 100) { edges { node { state } } }
                 groups(first: 100) { edges { node { id name state maySend mayReceive } } } }
  payers(first: 100) { edges { node { id } } }
  insurancePlans(first: 100) { edges { node { id selfPay } } } }
"""
QUEUE = """
query($office: ID!, $kind: WorkQueueKind!) { workQueue(kind: $kind, officeId: $office, first: 100) {
  edges { node { id status sentAt createdAt sides } } } }
"""
REPORT = """
query($week: Date!) { groupProgressReports(weekOf: $week, first: 100) { edges { node {
  group { name } figures { reconciles received { count } closing { count } }
  published { publishedAt } } } } }
"""


@dataclass(frozen=True)
class World:
    """A system with the demo world in it, and its sign-ins."""

    system: System
    client: Client
    accounts: list[dict[str, str]]

    def people(self, role: str) -> list[Person]:
        """Whoever has this role, of both organizations."""
        return [
            Person(self.client, one["email"], one["email"], one["password"])
            for one in self.accounts
            if one["role"] == role
        ]


@pytest.fixture(scope="module")
async def world(fresh_system: FreshSystem) -> AsyncIterator[World]:
    """It is interrupted once while it is made, as Ctrl-C would."""
    async with fresh_system() as system:
        with pytest.raises(Interrupted):
            await asyncio.wait_for(_interrupted(system), 120)
        assert not system.folder.accounts.exists()
        await seed.run(system.url, system.folder.path)
        client = Client(system.url)
        yield World(system, client, json.loads(system.folder.accounts.read_text()))
        client.close()


class Interrupted(Exception):  # noqa: N818 - not an error
    """Somebody has had enough."""


async def _interrupted(system: System) -> None:
    """Make a part of the world: until somebody has worked for a week."""
    with pytest.MonkeyPatch.context() as patch:
        steps = 0
        go = building.Site.at

        async def at(site: building.Site, moment: datetime, *people: Person) -> None:
            nonlocal steps
            steps += 1
            if steps == 7:
                raise Interrupted
            await go(site, moment, *people)

        patch.setattr(building.Site, "at", at)
        await seed.run(system.url, system.folder.path)


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


async def test_it_has_two_organizations_with_everything_that_is_promised(world: World) -> None:
    answers = [await admin.ask(COUNTS) for admin in world.people("client admin")]
    providers, offices, groups = (
        [node for answer in answers for node in nodes(answer["organization"][what])]
        for what in ("providers", "offices", "groups")
    )

    assert len(answers) == 2
    assert len(providers) == 30
    assert {one["state"] for one in providers} == {"APPROVED"}
    assert all(one["credential"].endswith("(sample)") for one in providers)
    assert [one["state"] for one in offices] == ["LIVE"] * 8
    assert [one["state"] for one in groups] == ["READY"] * 5
    assert sum(one["maySend"] and not one["mayReceive"] for one in groups) == 1
    assert len(nodes(answers[0]["payers"])) == 5
    assert sum(not one["selfPay"] for one in nodes(answers[0]["insurancePlans"])) == 12


async def test_it_has_eighty_referrals_in_every_status_of_the_last_five_weeks(world: World) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for staff in world.people("office staff"):
        query = "{ organization { offices(first: 100) { edges { node { id } } } } }"
        for office in nodes((await staff.ask(query))["organization"]["offices"]):
            for kind in ("REQUIRES_REVIEW", "SENT", "RECEIVED", "ARCHIVE"):
                queue = (await staff.ask(QUEUE, office=office["id"], kind=kind))["workQueue"]
                seen |= {one["id"]: one for one in nodes(queue)}

    assert len(seen) == 80
    assert Counter(one["status"] for one in seen.values()) == ENDS
    made = [datetime.fromisoformat(one["createdAt"]) for one in seen.values()]
    assert datetime.now(UTC) - min(made) < timedelta(days=39)
    assert max(made) < datetime.now(UTC)


async def test_one_of_every_role_can_sign_in_in_each_organization(world: World) -> None:
    roles = Counter(one["role"] for one in world.accounts)

    assert roles == dict.fromkeys(
        (
            "client admin", "office admin", "office staff", "insurance manager", "office insurance", "call centre",
            "provider",
        ),
        2,
    )  # fmt: skip
    query = "{ viewer { organization { name } user { grants { role } } } }"
    for role in roles:
        for person in world.people(role):
            viewer = (await person.ask(query))["viewer"]
            assert {one["role"] for one in viewer["user"]["grants"]} == {
                role.replace("office insurance", "insurance manager").upper().replace(" ", "_")
            }
            assert viewer["organization"]["name"].endswith("(Sample)")


async def test_the_sign_ins_are_private_and_the_notes_are_gone(world: World) -> None:
    folder = world.system.folder

    assert folder.accounts.stat().st_mode & 0o777 == 0o600
    assert not (folder.path / "demo.json").exists()


async def test_last_weeks_reports_were_published_and_reconcile(world: World) -> None:
    """R31"""
    last_week = (datetime.now(UTC) - timedelta(days=7)).date().isoformat()
    reports = [
        report
        for admin in world.people("client admin")
        for report in nodes((await admin.ask(REPORT, week=last_week))["groupProgressReports"])
    ]

    assert len(reports) == 5
    assert all(one["figures"]["reconciles"] for one in reports)
    assert sum(one["figures"]["received"]["count"] for one in reports) > 0


async def test_the_clock_is_right_again(world: World) -> None:
    (staff, *_) = world.people("office staff")
    session = await world.client.do(
        "signIn",
        {"email": staff.email, "password": staff.password},
        "... on SignedIn { expiresAt }",
    )
    ends = datetime.fromisoformat(session["expiresAt"])

    assert abs(ends - timedelta(minutes=5) - datetime.now(UTC)) < timedelta(seconds=30)


async def test_a_second_world_is_refused_with_the_sign_ins_of_the_first(world: World) -> None:
    with pytest.raises(Trouble, match="has a demo world already"):
        seed.seed(world.system.folder.path)


async def test_a_system_that_has_a_world_made_elsewhere_is_told_so(world: World) -> None:
    """Its data folder was lost: nobody knows the passwords any more."""
    folder = world.system.folder
    kept = folder.accounts.read_text()
    folder.accounts.unlink()
    try:
        with pytest.raises(Trouble, match="made from another data folder"):
            await seed.run(world.system.url, folder.path)
    finally:
        folder.accounts.write_text(kept)
        (folder.path / "demo.json").unlink(missing_ok=True)
    assert await eventually(lambda: _offset_is_zero(world))


async def _offset_is_zero(world: World) -> bool:
    await test_the_clock_is_right_again(world)
    return True


async def test_everybody_is_asked_to_read_how_to_send_and_to_receive(world: World) -> None:
    """R30"""
    for staff in world.people("office staff"):
        told = await staff.ask("{ myGuides(unreadOnly: true) { kind published { html } } }")
        assert sorted(one["kind"] for one in told["myGuides"]) == ["RECEIVING", "SENDING"]
        assert all("<h2>" in one["published"]["html"] for one in told["myGuides"])


async def test_offices_were_measured_last_week(world: World) -> None:
    """R32"""
    query = """{ organization { unreadGuides offices(first: 100) { edges { node {
        scorecard { measure verdict figure { part whole } } } } } } }"""
    for admin in world.people("client admin"):
        told = (await admin.ask(query))["organization"]
        rows = [row for edge in told["offices"]["edges"] for row in edge["node"]["scorecard"]]
        assert {row["measure"] for row in rows} >= {"PLANS_VERIFIED"}
        assert told["unreadGuides"] > 0
