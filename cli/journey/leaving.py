"""Acts 11 and 12: a provider leaves, and nothing is orphaned (R12 to R15)."""

from __future__ import annotations

from typing import Any

from cli.journey.care import act_on, look
from cli.journey.places import PROVIDER
from cli.journey.stage import Stage
from cli.network import Refused
from cli.trouble import Trouble

IN_THE_WAY = f"{PROVIDER} ... on InTheWayProblem {{ total officeIds referrals {{ referralId status side }} }}"
LOOKS = 20
"""As often the preview is looked at again."""

PREVIEW = "query($id: ID!) { providerRemovalPreview(providerId: $id) { token } }"
PLACED = """
query($id: ID!) { provider(id: $id) { version placements { id version office { id } } } }"""


async def _provider(stage: Stage) -> dict[str, Any]:
    seen: dict[str, Any] = (
        await stage.people["A admin"].ask(PLACED, id=stage.ids["first cardiologist"])
    )["provider"]
    return seen


async def _removal(stage: Stage) -> dict[str, Any]:
    """Remove the provider on what the preview shows now (R12); looked at again while what was done before still moves it."""
    for _ in range(LOOKS):
        try:
            return await _removal_as_seen(stage)
        except Refused as refusal:
            if refusal.code != "STALE_PREVIEW":
                raise
    raise Trouble("The preview of the removal never stands still.")


async def _removal_as_seen(stage: Stage) -> dict[str, Any]:
    admin, provider = stage.people["A admin"], stage.ids["first cardiologist"]
    seen = (await admin.ask(PREVIEW, id=provider))["providerRemovalPreview"]
    given = {"providerId": provider, "expectedVersion": (await _provider(stage))["version"]}
    return await admin.do("removeProvider", given | {"token": seen["token"]}, IN_THE_WAY)


async def provider_cannot_leave_yet(stage: Stage) -> None:
    """Removal is refused, and says what is in the way: referrals and offices."""
    problem = (await stage.refused("OPEN_REFERRALS", _removal(stage))).problem
    referrals = [one["referralId"] for one in problem["referrals"]]
    stage.expect(referrals == [stage.ids["kept referral"]], f"one referral is open: {problem}")
    stage.expect(problem["officeIds"] == [stage.ids["A office"]], f"one office: {problem}")
    stage.say(f"in the way: {problem['total']} referral and {len(problem['officeIds'])} office")


async def provider_leaves(stage: Stage) -> None:
    """Staff reassign, the office is ended, the provider is removed; access ends on one side only (R14)."""
    staff, sender = stage.people["A staff"], stage.people["B staff"]
    other = {"officeId": stage.ids["A office"], "providerId": stage.ids["second cardiologist"]}
    await act_on(stage, staff, "kept referral", "reassignReferral", receiver=other)
    stage.say(f"{staff.name} reassigned the open referral to a colleague")

    await stage.refused("OFFICES_REMAIN", _removal(stage))
    for placement in (await _provider(stage))["placements"]:
        given = {"placementId": placement["id"], "expectedVersion": placement["version"]}
        await stage.people["A office admin"].do("endPlacement", given, "... on Placement { id }")
    stage.say("the office admin ended the placement")
    removed = await _removal(stage)
    stage.expect(removed["state"] == "REMOVED", f"removal gave {removed}")
    stage.say("the provider is removed")

    async def still_seen() -> dict[str, Any] | None:
        return await look(staff, stage.ids["finished referral"])

    await stage.eventually("access ends", still_seen, lambda seen: seen is None)
    stage.say(f"{staff.name} can no longer read the provider's referral")
    counterpart = await look(sender, stage.ids["finished referral"])
    stage.expect(
        counterpart is not None and counterpart["status"] == "COMPLETED",
        f"the sender keeps access: {counterpart}",
    )
    stage.say(f"{sender.name}, who sent it, still can")
