"""Changes of roles that are proposed because of a finding (R33)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.service.reporting.conftest import Clinic
from tests.service.reporting.people import Somebody, office, staff
from tests.service.reporting.test_scorecards import MONDAY
from tests.service.reporting.test_trainings import (
    PROBLEM,
    a_finding,
    finding,
    finding_trainings,
    told,
)

WEEK = timedelta(weeks=1)


@pytest.fixture
async def found(clinic: Clinic) -> dict[str, Any]:
    """A finding about the clinic's office."""
    return await a_finding(clinic)


def role(
    change_: str, somebody: Somebody, office_id: UUID, role_: str = "OFFICE_STAFF"
) -> dict[str, str]:
    return {
        "change": change_,
        "userId": str(somebody.user_id),
        "role": role_,
        "officeId": str(office_id),
    }


async def preview(clinic: Clinic, wanted: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    query = """query($change: RoleChangeInput!) { roleChangePreview(change: $change) {
        confirmedBefore confirmedAfter openReferrals otherOffices { id } blocked token } }"""
    data = await clinic.reporting.running.data(query, {"change": wanted}, viewer=clinic.admin)
    return data["roleChangePreview"]


async def propose(clinic: Clinic, one: dict[str, Any], wanted: dict[str, str], token: str) -> Any:  # noqa: ANN401 - JSON
    query = f"""mutation($input: ProposeRoleChangeInput!) {{ proposeRoleChange(input: $input) {{
        __typename ... on Finding {{ id state }} {PROBLEM} ... on StalePreviewProblem {{ moved }} }} }}"""
    given = {"findingId": one["id"], "change": wanted, "token": token}
    data = await clinic.reporting.running.data(query, {"input": given}, viewer=clinic.admin)
    return data["proposeRoleChange"]


async def test_a_proposed_change_of_roles_is_linked_once_identity_has_told_of_it(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33: apply proposal → roster changed, finding linked."""
    await staff(clinic)
    helper = await staff(clinic, await office(clinic, "Elsewhere", uuid4()))
    wanted = role("GRANT", helper, clinic.office_id)

    shown = await preview(clinic, wanted)
    done = await propose(clinic, found, wanted, shown["token"])

    assert (shown["confirmedBefore"], shown["confirmedAfter"], shown["blocked"]) == (1, 2, False)
    assert (shown["openReferrals"], len(shown["otherOffices"])) == (10, 1)
    assert done["state"] == "OPEN"
    assert (await propose(clinic, found, wanted, shown["token"]))["code"] == "ALREADY_PROPOSED"
    (proposal,) = (await finding_trainings(clinic, found))["roleProposals"]
    assert (proposal["verb"], proposal["appliedAt"]) == ("grantRole", None)
    await helper.granted("OFFICE_STAFF", clinic.office_id, MONDAY + WEEK)
    (proposal,) = (await finding_trainings(clinic, found))["roleProposals"]
    assert proposal["appliedAt"] is not None
    assert (await finding(clinic, found))["state"] == "ACTIONED"
    assert await told(clinic, "finding.role_change_applied") == 1
    again = await propose(clinic, found, wanted, (await preview(clinic, wanted))["token"])
    assert again["code"] == "NOTHING_TO_CHANGE"


async def test_a_proposal_is_refused_once_the_roster_is_another_than_its_preview_showed(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33: proposal stale → 409."""
    leaver = await staff(clinic)
    await staff(clinic)
    wanted = role("REVOKE", leaver, clinic.office_id)
    shown = await preview(clinic, wanted)
    await staff(clinic)

    stale = await propose(clinic, found, wanted, shown["token"])

    assert (stale["code"], stale["moved"]) == ("STALE_PREVIEW", ["coverage"])
    assert (await finding_trainings(clinic, found))["roleProposals"] == []


async def test_the_last_coverage_of_an_office_cannot_be_proposed_away(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33: would remove last coverage → blocked."""
    last = await staff(clinic)
    await (await Somebody(clinic).invited()).granted("OFFICE_STAFF")
    wanted = role("REVOKE", last, clinic.office_id)

    shown = await preview(clinic, wanted)
    refused = await propose(clinic, found, wanted, shown["token"])

    assert (shown["confirmedAfter"], shown["blocked"]) == (0, True)
    assert refused["code"] == "LAST_COVERAGE"


async def test_an_office_admin_covers_an_office_as_identity_counts_it(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33: who is admin and staff there covers it until neither is left; who is neither, and of a group, does not."""
    both = await staff(clinic)
    await both.granted("OFFICE_ADMIN", clinic.office_id)
    one_role = await preview(clinic, role("REVOKE", both, clinic.office_id))
    await both.revoked("OFFICE_STAFF", clinic.office_id)

    last = role("REVOKE", both, clinic.office_id, "OFFICE_ADMIN")
    shown = await preview(clinic, last)
    refused = await propose(clinic, found, last, shown["token"])

    assert (one_role["confirmedAfter"], one_role["blocked"]) == (1, False)
    assert (shown["confirmedBefore"], shown["blocked"]) == (1, True)
    assert refused["code"] == "LAST_COVERAGE"


async def test_a_proposal_says_that_identity_would_refuse_it_once_the_others_have_left(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33: would remove last coverage → blocked, also when that came about later."""
    leaver, other = await staff(clinic), await staff(clinic)
    wanted = role("REVOKE", leaver, clinic.office_id)
    await propose(clinic, found, wanted, (await preview(clinic, wanted))["token"])

    async def blocked() -> bool:
        (proposal,) = (await finding_trainings(clinic, found))["roleProposals"]
        return bool(proposal["lastCoverage"])

    before = await blocked()
    await other.revoked("OFFICE_STAFF", clinic.office_id)
    meanwhile = await blocked()
    await leaver.revoked("OFFICE_STAFF", clinic.office_id)

    assert (before, meanwhile, await blocked()) == (False, True, False)


async def test_only_client_admins_propose_and_nothing_of_others_is_previewed(
    clinic: Clinic, found: dict[str, Any]
) -> None:
    """R33"""
    somebody = await staff(clinic)
    wanted = role("GRANT", somebody, clinic.office_id, "OFFICE_ADMIN")
    query = "query($change: RoleChangeInput!) { roleChangePreview(change: $change) { blocked } }"
    boss = clinic.staff(office_admin_of=frozenset({clinic.office_id}))
    for viewer, code in ((boss, "FORBIDDEN"), (Clinic(clinic.reporting).admin, "NOT_FOUND")):
        answer = await clinic.reporting.running.gql(query, {"change": wanted}, viewer=viewer)
        assert answer["errors"][0]["extensions"]["code"] == code
    shown = await preview(clinic, wanted)
    assert (shown["confirmedBefore"], shown["confirmedAfter"]) == (1, 1)
    assert (await propose(clinic, found, wanted, shown["token"]))["__typename"] == "Finding"
