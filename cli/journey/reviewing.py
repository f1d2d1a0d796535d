"""Act 13: the contract with a payer has changed, and somebody says of every provider at every office what still holds."""

from __future__ import annotations

from typing import Any

from cli.journey.stage import Stage

CAMPAIGN = """
... on Campaign {
  id dueOn closedBecause assignedTo { id } progress { total open attested }
  items { edges { node { id token provider { id } participations { id plan { name } } } } }
}"""
ATTESTED = (
    "... on CampaignItemsAttested { attested outcomes { item { state } problem { code message } } }"
)
EVIDENCE = "query($id: ID!) { campaignEvidence(campaignId: $id) { items csv } campaign(id: $id) { closedBecause } }"
CERTAINTY = """
query($office: ID!) { participations(officeId: $office) { edges { node { certainty verifyBy effectiveUntil } } } }"""


async def plans_are_reviewed(stage: Stage) -> None:
    """A declared major change asks of whoever still accepts the payer's plans, and of nobody else (R29)."""
    manager = stage.people["A insurance manager"]
    given = {
        "reason": "Prairie Mutual has a new contract",
        "planIds": [stage.ids["plan"]],
        "idempotencyKey": stage.key(),
    }
    campaign = await manager.do("declareMajorChange", given, CAMPAIGN)
    items = [edge["node"] for edge in campaign["items"]["edges"]]
    asked = [one["provider"]["id"] for one in items]
    stage.expect(
        asked == [stage.ids["second cardiologist"]],
        f"who has left is asked no more, who stays is: {campaign}",
    )
    stage.expect(
        campaign["assignedTo"] == {"id": manager.user_id}, f"not {manager.name}'s: {campaign}"
    )
    stage.say(
        f"{manager.name} declared a major change: {len(items)} to review by {campaign['dueOn']}"
    )
    await _attest(stage, items)
    told = await manager.ask(EVIDENCE, id=campaign["id"])
    stage.expect(told["campaign"]["closedBecause"] == "DONE", f"the campaign goes on: {told}")
    _, line = told["campaignEvidence"]["csv"].splitlines()
    stage.expect("Prairie Mutual Open PPO" in line, f"the evidence says something else: {line}")
    stage.say("the campaign is done, and the evidence names who said what, and when")


async def _attest(stage: Stage, items: list[dict[str, Any]]) -> None:
    manager = stage.people["A insurance manager"]
    wanted = [{"itemId": one["id"], "token": one["token"]} for one in items]
    done = await manager.do("attestCampaignItems", {"items": wanted}, ATTESTED)
    stage.expect(done["attested"] == len(items), f"not everything was attested: {done}")
    rows = (await manager.ask(CERTAINTY, office=stage.ids["A office"]))["participations"]["edges"]
    held = [one["node"] for one in rows if one["node"]["effectiveUntil"] is None]
    stage.expect(bool(held) and held[0]["certainty"] == "VERIFIED", f"not verified: {rows}")
    stage.say(
        f"{manager.name} attested what is listed; it is to be verified again by {held[0]['verifyBy']}"
    )
