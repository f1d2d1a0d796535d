"""Support that is inside an organization sets a group up against a rule, as its client admins see it through the gateway (R25)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from cli.network import Postbox
from tests.e2e.clinic import Clinic
from tests.e2e.test_glass import inside

GROUP = "... on Group { id version state }"
SEEN = """query($id: ID!) { group(id: $id) { version state allowedActions
    override { by { id } reason supportRequestId } } }"""
REASON = "Go-live tonight."


async def _bare_group(clinic: Clinic) -> dict[str, str]:
    """A group for which nobody works."""
    given = {
        "name": "North",
        "address": {"line1": "1 A", "city": "Chicago", "region": "IL", "postalCode": "60601"},
        "coordinates": {"latitude": 41.9, "longitude": -87.6},
        "phone": "312-555-0177",
        "timeZone": "America/Chicago",
        "goLiveOn": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
        "idempotencyKey": secrets.token_hex(8),
    }
    office = await clinic.admin.do("addOffice", given, "... on Office { id }")
    group = {"name": "Night Door", "officeIds": [office["id"]], "maySend": True}
    group["idempotencyKey"] = secrets.token_hex(8)
    made: dict[str, str] = await clinic.admin.do("addGroup", group, GROUP)
    return made


async def test_client_admins_read_at_once_that_support_set_a_group_up_and_take_it_back(
    clinic: Clinic,
) -> None:
    """R25: asked for with requestSupport, done inside, told by mail, seen with the group."""
    organization = (await clinic.admin.ask("{ organization { id } }"))["organization"]["id"]
    group = await _bare_group(clinic)
    asked = {"code": "GROUP_NOT_STAFFED", "verb": "overrideGroupStaffing", "subjectId": group["id"]}
    asked["idempotencyKey"] = secrets.token_hex(8)
    request = await clinic.admin.do("requestSupport", asked, "... on SupportRequest { id }")
    insider = await inside(clinic, organization)
    given = {"groupId": group["id"], "expectedVersion": group["version"], "reason": REASON}
    given["supportRequestId"] = request["id"]
    done = await insider.person.do("overrideGroupStaffing", given, GROUP)
    letter = await Postbox(clinic.system.folder.mail).letter(
        clinic.admin.email, lambda one: "Night Door" in one.text
    )
    seen = (await clinic.admin.ask(SEEN, id=group["id"]))["group"]
    back = {"groupId": group["id"], "expectedVersion": seen["version"]}
    ended = await clinic.admin.do("endGroupOverride", back, GROUP)

    assert (group["state"], done["state"], ended["state"]) == ("INCOMPLETE", "READY", "INCOMPLETE")
    assert "of support lets the group" in " ".join(letter.text.split())
    assert seen["override"]["reason"] == REASON
    assert seen["override"]["supportRequestId"] == request["id"]
    assert "END_OVERRIDE" in seen["allowedActions"]
