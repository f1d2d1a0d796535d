"""Acts 7 to 10: plans, the search for a receiver, and referrals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cli.journey.places import CARDIOLOGY, RIVERBEND_POINT
from cli.journey.stage import Live, Stage
from cli.network import Person

REFERRAL = "... on Referral { id version status hop receivingOrganization { id } }"
QUEUE = """
subscription($officeId: ID, $groupId: ID) {
  workQueueChanged(officeId: $officeId, groupId: $groupId) { happened referral { id status } }
}"""
SUGGEST = """
query($input: SuggestReceiversInput!) {
  suggestReceivers(input: $input) {
    on
    receivers {
      provider { id name } group { id name } office { name organization { id } }
      distanceKm planCertainty score factors { name score reason }
    }
  }
}"""
ACCEPTING = ("first cardiologist", "second cardiologist")
"""Who accepts the patient's plan."""

PATIENTS = ("Quillon", "Marchetti", "Abernathy")
"""Family names of the journey's patients: they may show up nowhere but in referrals."""


async def plans_are_recorded(stage: Stage) -> None:
    """Support adds a payer and a plan; the insurance manager records who accepts it (R26, R27)."""
    payer = await stage.support.do(
        "addPayer",
        {"name": "Prairie Mutual", "idempotencyKey": stage.key()},
        "... on Payer { id }",
    )
    given = {
        "payerId": payer["id"],
        "name": "Prairie Mutual Open PPO",
        "productType": "COMMPPO",
        "effectiveFrom": "2020-01-01",
        "idempotencyKey": stage.key(),
    }
    plan = await stage.support.do("addInsurancePlan", given, "... on InsurancePlan { id }")
    stage.ids["plan"] = plan["id"]
    manager = stage.people["A insurance manager"]
    for provider in ACCEPTING:
        row = {
            "providerId": stage.ids[provider],
            "officeId": stage.ids["A office"],
            "planId": plan["id"],
            "effectiveFrom": stage.today().isoformat(),
            "idempotencyKey": stage.key(),
        }
        await manager.do("addParticipation", row, "... on Participation { id }")
        stage.say(f"{manager.name} recorded that the {provider} accepts {given['name']}")


async def receivers_are_suggested(stage: Stage) -> None:
    """The sender sees who could see the patient, and why each stands where it stands (R28)."""
    sender = stage.people["B staff"]
    wanted = {
        "specialtyCode": CARDIOLOGY,
        "planId": stage.ids["plan"],
        "near": RIVERBEND_POINT,
        "on": (stage.today() + timedelta(days=3)).isoformat(),
    }

    async def ask() -> list[dict[str, Any]]:
        found = (await sender.ask(SUGGEST, input=wanted))["suggestReceivers"]["receivers"]
        return [one for one in found if _organization(one) == stage.ids["A organization"]]

    receivers = await stage.eventually(
        "the plan is known to the search",
        ask,
        lambda found: len(_accepting(found)) == len(ACCEPTING),
    )
    stage.expect(len(receivers) == 4, f"three providers and a group: {receivers}")  # noqa: PLR2004
    stage.expect(
        receivers[-1]["provider"] is not None
        and receivers[-1]["provider"]["id"] == stage.ids["third cardiologist"],
        f"who does not list the plan comes last: {receivers}",
    )
    for place, one in enumerate(receivers, start=1):
        name = (one["provider"] or one["group"])["name"]
        stage.say(f"{place}. {name}, {one['distanceKm']:.1f} km, plan {one['planCertainty']}")
        stage.say("   " + " ".join(factor["reason"] for factor in one["factors"]))


def _accepting(receivers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The providers among the receivers for whom the plan is listed."""
    return [one for one in receivers if one["provider"] and one["planCertainty"] == "ACCEPTED"]


def _organization(receiver: dict[str, Any]) -> str:
    organization: str = receiver["office"]["organization"]["id"]
    return organization


async def referrals_are_sent(stage: Stage) -> None:
    """Two to a provider, one to the group; the receiving staff see all of them arrive (R21)."""
    staff = stage.people["A staff"]
    queues = [
        await stage.watch("office queue", QUEUE, staff, officeId=stage.ids["A office"]),
        await stage.watch("group queue", QUEUE, staff, groupId=stage.ids["group"]),
    ]
    first = {"officeId": stage.ids["A office"], "providerId": stage.ids["first cardiologist"]}
    group = {"officeId": stage.ids["A office"], "groupId": stage.ids["group"]}
    stage.sent_on = stage.today()
    sends = (("kept referral", first), ("finished referral", first), ("group referral", group))
    for (label, receiver), patient in zip(sends, PATIENTS, strict=True):
        sent = await _send(stage, receiver, patient)
        stage.ids[label] = sent["id"]

    def seen(_: Live) -> bool:
        told = {one["data"]["workQueueChanged"]["referral"]["id"] for q in queues for one in q.told}
        return {stage.ids[label] for label, _ in sends} <= told

    for queue in queues:
        await queue.until("the referrals arrive", lambda live: seen(live) or bool(live.told))
    stage.expect(seen(queues[0]), f"not all referrals were seen live: {[q.told for q in queues]}")
    stage.say(f"{staff.name} saw all three arrive in the live work queue")


async def _send(stage: Stage, receiver: dict[str, str], patient: str) -> dict[str, Any]:
    sender = stage.people["B staff"]
    draft = {
        "sender": {"officeId": stage.ids["B office"], "providerId": stage.ids["family doctor"]},
        "patient": {"givenName": "Jordan", "familyName": patient, "bornOn": "1961-04-12"},
        "specialtyCode": CARDIOLOGY,
        "receiver": receiver,
        "planId": stage.ids["plan"],
    }
    sent = await sender.do(
        "sendReferral", {"idempotencyKey": stage.key(), "draft": draft}, REFERRAL
    )
    stage.expect(sent["status"] == "PENDING", f"a sent referral is pending: {sent}")
    stage.say(f"{sender.name} sent a referral; it is {sent['status']}")
    return sent


async def referrals_are_worked(stage: Stage) -> None:
    """One is scheduled, one is forwarded, one is scheduled and completed."""
    staff = stage.people["A staff"]
    for label, days in (("finished referral", 1), ("kept referral", 6)):
        at = (stage.now() + timedelta(days=days)).isoformat()
        scheduled = await act_on(stage, staff, label, "scheduleReferral", at=at)
        stage.expect(scheduled["status"] == "SCHEDULED", f"scheduling gave {scheduled}")
        stage.say(f"{staff.name} scheduled the {label}")
    elsewhere = {"officeId": stage.ids["B office"], "providerId": stage.ids["own cardiologist"]}
    onward = {"receiver": elsewhere, "outsidePlanReason": "NO_CAPACITY_IN_PLAN"}
    await act_on(stage, staff, "group referral", "forwardReferral", **onward)
    seen = await look(stage.people["B staff"], stage.ids["group referral"])
    stage.expect(seen is not None and seen["hop"] == 2, f"forwarding is a new hop: {seen}")  # noqa: PLR2004
    stage.say(f"{staff.name} forwarded the group referral to another cardiologist")
    await stage.move(2)
    seen = await look(staff, stage.ids["finished referral"])
    stage.expect(
        seen is not None and seen["status"] == "FOLLOW_UP",
        f"an appointment that passed unreported wants follow-up: {seen}",
    )
    done = await act_on(stage, staff, "finished referral", "completeReferral")
    stage.expect(done["status"] == "COMPLETED", f"completing gave {done}")
    stage.say(f"{staff.name} reported that the patient came; the referral is completed")


async def look(person: Person, referral_id: str) -> dict[str, Any] | None:
    """A referral as a person sees it; None when it is none of theirs."""
    query = "query($id: ID!) { referral(id: $id) { id version status hop allowedActions } }"
    seen: dict[str, Any] | None = (await person.ask(query, id=referral_id))["referral"]
    return seen


async def act_on(
    stage: Stage, person: Person, label: str, verb: str, **more: object
) -> dict[str, Any]:
    """Do something with a referral as it stands."""
    seen = await look(person, stage.ids[label])
    stage.expect(seen is not None, f"{person.name} cannot see the {label}")
    version = seen["version"] if seen else 0
    given = {"referralId": stage.ids[label], "expectedVersion": version, **more}
    return await person.do(verb, given, REFERRAL)
