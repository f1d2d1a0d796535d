"""Act 16: a guide is published and read, a training is done, and one look shows how an office stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cli.journey.stage import Stage

GUIDE = "... on Guide { id version unreadCount published { number html } }"
MINE = "{ myGuides(unreadOnly: true) { id published { number title } } myTraining { id title allowedActions } }"
OFFICE = """
query($id: ID!) {
  office(id: $id) {
    name openReferralCount plansDue unreadGuides trainingDue
    roster { id } readiness { confirmedStaff }
    scorecard { measure verdict } openFindings { id }
  }
}"""


async def practice_is_good(stage: Stage) -> None:
    """Staff are asked to read what is published, whoever they are (R30), and to learn by a day (R34); and one query of the gateway
    asks every service how an office stands."""
    admin, staff = stage.people["A admin"], stage.people["A staff"]
    guide = await _published(stage)
    stage.say(
        f"{admin.name} published a guide, which {guide['unreadCount']} of the staff are asked to read"
    )
    given = {"guideId": guide["id"], "number": guide["published"]["number"]}
    read = await staff.do("acknowledgeGuide", given, "... on Guide { unread acknowledgedAt }")
    stage.expect(read["acknowledgedAt"] is not None, f"the guide is not read: {read}")
    stage.say(f"{staff.name} read it, and said so")
    await _learnt(stage)
    await _looked_at(stage)


async def _published(stage: Stage) -> dict[str, Any]:
    admin, staff = stage.people["A admin"], stage.people["A staff"]
    given = {
        "kind": "RECEIVING",
        "title": "How we receive",
        "text": "Answer within **seven days**.",
        "roles": ["OFFICE_STAFF"],
        "idempotencyKey": stage.key(),
    }
    draft = await admin.do("addGuide", given, GUIDE)
    order = {"guideId": draft["id"], "expectedVersion": draft["version"]}
    guide = await admin.do("publishGuide", order, GUIDE)
    html = "<p>Answer within <strong>seven days</strong>.</p>\n"
    stage.expect(guide["published"]["html"] == html, f"the guide reads otherwise: {guide}")

    async def asked() -> list[str]:
        return [one["id"] for one in (await staff.ask(MINE))["myGuides"]]

    await stage.eventually("the guide is asked", asked, lambda seen: seen == [guide["id"]])
    return guide


async def _learnt(stage: Stage) -> None:
    admin, staff = stage.people["A admin"], stage.people["A staff"]
    given = {
        "title": "Telephone manners",
        "userIds": [staff.user_id],
        "dueOn": (stage.today() + timedelta(days=14)).isoformat(),
        "idempotencyKey": stage.key(),
    }
    await admin.do("assignTraining", given, "... on Training { id }")
    (training,) = (await staff.ask(MINE))["myTraining"]
    order = {"trainingId": training["id"]}
    done = await staff.do("completeTraining", order, "... on Training { tasks { state } }")
    stage.expect(done["tasks"] == [{"state": "DONE"}], f"the training is not done: {done}")
    stage.say(f"{staff.name} was asked to learn {training['title']!r}, and did")


async def _looked_at(stage: Stage) -> None:
    """Directory, referrals, insurance and reporting, in one query."""
    seen = await stage.people["A admin"].ask(OFFICE, id=stage.ids["A office"])
    office = seen["office"]
    missing = [name for name, told in office.items() if told is None]
    stage.expect(not missing, f"nobody told {missing} of the office")
    stage.expect(office["trainingDue"] == 0, f"there is training left: {office}")
    stage.say(
        f"one look at {office['name']}: {office['openReferralCount']} referrals open,"
        f" {office['readiness']['confirmedStaff']} staff confirmed, {office['plansDue']} plans due,"
        f" {office['unreadGuides']} guides unread, {len(office['openFindings'])} findings"
    )
