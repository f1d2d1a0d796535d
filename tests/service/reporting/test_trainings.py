"""What is done about a finding: trainings (R34), and whether it helped (R33)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Viewer
from tests.service.reporting.conftest import Clinic
from tests.service.reporting.people import Somebody, office, staff
from tests.service.reporting.test_guides import acknowledge, change, published
from tests.service.reporting.test_scorecards import AFTER, DAY, MONDAY, Week, do, findings

WEEK = timedelta(weeks=1)
TRAINING = """id version title dueOn cancelledAt findingId allowedActions guide { id unread }
    tasks { user { id } state overdue endedAt }"""
PROBLEM = "... on Problem { code message field remedy }"
DUE = "2026-03-20"


async def verb(clinic: Clinic, name: str, given: dict[str, Any], by: Viewer | None = None) -> Any:  # noqa: ANN401 - JSON
    """What a mutation about trainings answers."""
    query = f"""mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        __typename ... on Training {{ {TRAINING} }} {PROBLEM} }} }}"""
    data = await clinic.reporting.running.data(query, {"input": given}, viewer=by or clinic.admin)
    return data[name]


async def assigned(clinic: Clinic, **more: Any) -> Any:  # noqa: ANN401 - JSON
    """A training for whoever works at the clinic's office."""
    given = {"officeIds": [str(clinic.office_id)], "dueOn": DUE, "idempotencyKey": uuid4().hex}
    return await verb(clinic, "assignTraining", given | more)


async def mine(clinic: Clinic, by: Viewer) -> list[dict[str, Any]]:
    data = await clinic.reporting.running.data(f"{{ myTraining {{ {TRAINING} }} }}", viewer=by)
    told: list[dict[str, Any]] = data["myTraining"]
    return told


async def told(clinic: Clinic, verb_: str) -> int:
    """How many facts of that verb were told."""
    found: int = await clinic.reporting.running.sql.fetchval(
        "SELECT count(*) FROM outbox WHERE organization_id = $1 AND subject LIKE '%.' || $2",
        clinic.organization_id,
        verb_,
    )
    return found


def states(training: dict[str, Any]) -> dict[str, str]:
    return {one["user"]["id"]: one["state"] for one in training["tasks"]}


async def a_finding(clinic: Clinic) -> dict[str, Any]:
    """A finding about the clinic's office: 6 of 10 first actions were late. It is the Monday after."""
    await office(clinic)
    week = Week(clinic, await clinic.group())
    await week.acted(late=6, in_time=4)
    await week.over()
    return next(one for one in await findings(clinic) if one["office"])


@pytest.fixture
async def found(clinic: Clinic) -> dict[str, Any]:
    """A finding, as above."""
    return await a_finding(clinic)


async def finding(clinic: Clinic, one: dict[str, Any]) -> dict[str, Any]:
    return next(other for other in await findings(clinic) if other["id"] == one["id"])


async def test_a_guide_assigned_because_of_a_finding_is_done_by_reading_it_and_then_something_was_done(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34: assign → tasks; done → finding ACTIONED."""
    people = [await staff(clinic) for _ in range(2)]
    guide = await published(clinic)

    training = await assigned(clinic, guideId=guide["id"], findingId=found["id"])

    assert states(training) == {str(one.user_id): "OPEN" for one in people}
    assert training["findingId"] == found["id"]
    (own,) = await mine(clinic, people[0].viewer)
    assert (own["guide"], len(own["tasks"]), own["allowedActions"]) == (
        {"id": guide["id"], "unread": True},
        1,
        [],
    )
    refused = await verb(
        clinic, "completeTraining", {"trainingId": training["id"]}, people[0].viewer
    )
    assert refused["code"] == "READ_THE_GUIDE"
    await acknowledge(clinic.reporting, guide, people[0].viewer)
    assert (await finding(clinic, found))["state"] == "OPEN"
    await acknowledge(clinic.reporting, guide, people[1].viewer)
    assert (await finding(clinic, found))["state"] == "ACTIONED"
    assert (await told(clinic, "finding.actioned"), await told(clinic, "training.completed")) == (
        1,
        2,
    )


async def test_a_module_with_a_title_is_completed_by_those_who_were_asked(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34"""
    learner, other = await staff(clinic), await staff(clinic, uuid4())

    training = await assigned(clinic, title="Telephone manners", findingId=found["id"])

    given = {"trainingId": training["id"]}
    (own,) = await mine(clinic, learner.viewer)
    assert (own["title"], own["allowedActions"]) == ("Telephone manners", ["COMPLETE"])
    assert await mine(clinic, other.viewer) == []
    assert (await verb(clinic, "completeTraining", given, other.viewer))["code"] == "FORBIDDEN"
    for _ in range(2):
        done = await verb(clinic, "completeTraining", given, learner.viewer)
        assert states(done) == {str(learner.user_id): "DONE"}
    assert (await finding(clinic, found))["state"] == "ACTIONED"
    assert await told(clinic, "training.completed") == 1


async def test_who_has_read_the_version_knows_it_and_who_leaves_need_not(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34: user deactivated; already completed current version."""
    reader, learner, leaver = [await staff(clinic) for _ in range(3)]
    guide = await published(clinic)
    await acknowledge(clinic.reporting, guide, reader.viewer)

    training = await assigned(clinic, guideId=guide["id"], findingId=found["id"])

    assert states(training) == {
        str(reader.user_id): "KNOWN",
        str(learner.user_id): "OPEN",
        str(leaver.user_id): "OPEN",
    }
    await leaver.deactivated()
    await acknowledge(clinic.reporting, guide, learner.viewer)
    (seen,) = (await finding_trainings(clinic, found))["trainings"]
    assert sorted(states(seen).values()) == ["DONE", "KNOWN", "LEFT"]
    assert (await finding(clinic, found))["state"] == "ACTIONED"
    again = await assigned(clinic, guideId=guide["id"], userIds=[str(reader.user_id)], officeIds=[])
    assert again["code"] == "ALREADY_TRAINED"
    gone = await assigned(clinic, title="T", userIds=[str(leaver.user_id)])
    assert (gone["code"], gone["field"]) == ("USER_NOT_ACTIVE", "userIds")
    assert (await assigned(clinic, title="T", officeIds=[]))["code"] == "NOBODY_TO_TRAIN"


async def finding_trainings(clinic: Clinic, one: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    query = f"""query($id: ID!) {{ finding(id: $id) {{ trainings {{ {TRAINING} }}
        roleProposals {{ change user {{ id }} role office {{ id }} verb appliedAt lastCoverage }} }} }}"""
    data = await clinic.reporting.running.data(query, {"id": one["id"]}, viewer=clinic.admin)
    return data["finding"]


async def test_who_has_not_done_it_is_reminded_once_and_once_told_to_be_late(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34: overdue → reminder."""
    learner = await staff(clinic)
    await assigned(clinic, title="Telephone manners")
    running = clinic.reporting.running

    for days, reminded, late in (
        (8, 0, 0),
        (9, 1, 0),
        (10, 1, 0),
        (11, 1, 0),
        (12, 1, 1),
        (13, 1, 1),
    ):
        await running.set_time(AFTER + days * DAY)
        facts = (await told(clinic, "training.reminded"), await told(clinic, "training.overdue"))
        assert facts == (reminded, late), days

    (own,) = await mine(clinic, learner.viewer)
    assert [one["overdue"] for one in own["tasks"]] == [True]
    assert found["state"] == "OPEN"


async def test_a_guide_that_is_not_theirs_is_asked_of_who_is_to_be_trained_by_it(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34"""
    boss = await (await Somebody(clinic).confirmed()).granted("OFFICE_ADMIN")
    guide = await published(clinic)
    user = {"userIds": [str(boss.user_id)], "officeIds": []}

    training = await assigned(clinic, guideId=guide["id"], findingId=found["id"], **user)

    read = await acknowledge(clinic.reporting, guide, boss.viewer)
    assert read["acknowledgedAt"] is not None
    assert (await finding(clinic, found))["state"] == "ACTIONED"
    assert training["version"] == 1


async def test_a_training_is_cancelled_by_client_admins_and_with_its_guide(clinic: Clinic) -> None:
    """R34"""
    await clinic.reporting.running.set_time(AFTER)
    await office(clinic)
    learner = await staff(clinic)
    guide = await published(clinic)
    first = await assigned(clinic, guideId=guide["id"])
    second = await assigned(clinic, title="Telephone manners")

    await change(clinic, "withdrawGuide", guide)
    given = {"trainingId": second["id"], "expectedVersion": 1}
    cancelled = await verb(clinic, "cancelTraining", given)

    assert set(states(cancelled).values()) == {"CANCELLED"}
    assert (await verb(clinic, "cancelTraining", given))["code"] == "STALE_VERSION"
    given["expectedVersion"] = 2
    assert (await verb(clinic, "cancelTraining", given))["code"] == "TRAINING_CANCELLED"
    done = await verb(clinic, "completeTraining", {"trainingId": second["id"]}, learner.viewer)
    assert done["code"] == "TRAINING_CANCELLED"
    own = await mine(clinic, learner.viewer)
    assert [set(states(one).values()) for one in own] == [{"CANCELLED"}] * 2
    assert own[0]["id"] == first["id"]
    assert (await assigned(clinic, guideId=guide["id"]))["code"] == "GUIDE_NOT_PUBLISHED"


async def test_who_assigns_and_sees_trainings(clinic: Clinic) -> None:
    """R34: client admins all, office admins those of people at their offices, staff their own."""
    await clinic.reporting.running.set_time(AFTER)
    elsewhere = await office(clinic, "Elsewhere", uuid4())
    await office(clinic)
    here, there = await staff(clinic), await staff(clinic, elsewhere)
    both = [str(clinic.office_id), str(elsewhere)]
    training = await assigned(clinic, title="Telephone manners", officeIds=both)
    query = f"{{ trainings {{ edges {{ node {{ {TRAINING} }} }} }} }}"

    async def seen(by: Viewer) -> list[set[str]]:
        data = await clinic.reporting.running.data(query, viewer=by)
        return [states(edge["node"]).keys() for edge in data["trainings"]["edges"]]

    boss = clinic.staff(office_admin_of=frozenset({elsewhere}))
    everybody = {str(here.user_id), str(there.user_id)}
    assert await seen(clinic.admin) == await seen(clinic.staff(reporting_only=True)) == [everybody]
    assert await seen(boss) == [{str(there.user_id)}]
    assert await seen(clinic.staff(office_admin_of=frozenset({uuid4()}))) == []
    refused = await clinic.reporting.running.gql(query, viewer=here.viewer)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    given = {"trainingId": training["id"], "expectedVersion": 1}
    assert (await verb(clinic, "cancelTraining", given, boss))["code"] == "FORBIDDEN"
    stranger = Clinic(clinic.reporting).admin
    assert (await verb(clinic, "cancelTraining", given, stranger))["code"] == "NOT_FOUND"


async def test_of_the_same_assignment_twice_there_is_one(clinic: Clinic) -> None:
    """R34"""
    await clinic.reporting.running.set_time(AFTER)
    await office(clinic)
    await staff(clinic)
    key = uuid4().hex

    made = await asyncio.gather(
        *(assigned(clinic, title="Telephone manners", idempotencyKey=key) for _ in range(3))
    )

    assert len({one["id"] for one in made}) == 1


# Whether it helped ----------------------------------------------------------------------------------------------------


async def test_whether_it_helped_is_measured_over_the_next_two_weeks_by_the_rule_that_was_missed(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33: effect measured next two weeks, whatever the rule is meanwhile."""
    learner = await staff(clinic)
    training = await assigned(clinic, title="Telephone manners", findingId=found["id"])
    rule = {"measure": "FIRST_ACTION_IN_TIME", "targetDays": 30, "expectedVersion": 1}
    await do(clinic, "changeScorecardRule", rule)
    await verb(clinic, "completeTraining", {"trainingId": training["id"]}, learner.viewer)
    week = Week(clinic, await clinic.group())
    begun = (await finding(clinic, found))["effect"]
    assert (begun["verdict"], begun["weeks"], begun["before"]) == (
        "MEASURING",
        [],
        {"percent": 40.0},
    )

    await week.acted(late=1, in_time=2, start=MONDAY + 2 * WEEK)
    await week.over(AFTER + 2 * WEEK)
    half = (await finding(clinic, found))["effect"]
    await week.acted(late=2, in_time=5, start=MONDAY + 3 * WEEK)
    await week.over(AFTER + 3 * WEEK)

    whole = (await finding(clinic, found))["effect"]
    assert (half["weeks"], half["verdict"]) == (["2026-03-16"], "MEASURING")
    assert whole["weeks"] == ["2026-03-16", "2026-03-23"]
    # two that came late to be heard of had waited beyond the target at the end of the first week as well
    assert whole["after"] == {"part": 7, "whole": 12, "percent": 58.3}
    assert whole["verdict"] == "BETTER"


async def test_of_those_who_finish_at_once_the_last_one_makes_it_done(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34"""
    people = [await staff(clinic) for _ in range(4)]
    training = await assigned(clinic, title="Telephone manners", findingId=found["id"])
    given = {"trainingId": training["id"]}

    done = await asyncio.gather(
        *(verb(clinic, "completeTraining", given, one.viewer) for one in people)
    )

    assert {one["__typename"] for one in done} == {"Training"}
    assert (await finding(clinic, found))["state"] == "ACTIONED"
    assert (await told(clinic, "finding.actioned"), await told(clinic, "training.completed")) == (
        1,
        4,
    )


async def test_whoever_leaves_while_a_training_is_assigned_has_not_to_do_it(clinic: Clinic) -> None:
    """R34: user deactivated, between who works there was read and the training was kept."""
    await clinic.reporting.running.set_time(AFTER)
    await office(clinic)
    leaver, parts = await staff(clinic), clinic.reporting.running.parts
    async with parts.db.transaction() as tx:
        await tx.execute("LOCK TABLE trainings IN SHARE MODE")
        assigning = asyncio.create_task(assigned(clinic, title="Telephone manners"))
        await waiting(clinic, 1)
        leaving = asyncio.create_task(leaver.deactivated())
        await asyncio.wait(
            [leaving, asyncio.create_task(waiting(clinic, 2))], return_when="FIRST_COMPLETED"
        )
    training = await assigning
    await leaving

    (own,) = await mine(clinic, leaver.viewer)
    assert (own["id"], states(own)) == (training["id"], {str(leaver.user_id): "LEFT"})


async def waiting(clinic: Clinic, many: int) -> None:
    """Until so many transactions wait for others."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while await clinic.reporting.running.sql.fetchval(waits) < many:
        await asyncio.sleep(0)


async def test_a_training_is_assigned_in_the_order_in_which_reading_its_guide_makes_it_done(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R34: first the guide, then the finding: the other way round two at once would wait for each other."""
    await staff(clinic)
    guide, parts = await published(clinic), clinic.reporting.running.parts
    async with parts.db.transaction() as tx:
        await tx.execute("SELECT FROM guides WHERE id = $1 FOR UPDATE", UUID(guide["id"]))
        more = {"guideId": guide["id"], "findingId": found["id"]}
        assigning = asyncio.create_task(assigned(clinic, **more))
        await waiting(clinic, 1)
        await tx.execute("SELECT FROM findings WHERE id = $1 FOR UPDATE NOWAIT", UUID(found["id"]))

    assert (await assigning)["__typename"] == "Training"
