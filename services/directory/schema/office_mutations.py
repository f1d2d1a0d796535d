"""What can be done with offices and placements."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, StalePreviewProblem, mutation
from kit.ids import parse_id
from services.directory.actions import closing, offices, placements, staying
from services.directory.schema.closing_inputs import CloseOfficeInput, ReopenOfficeInput
from services.directory.schema.inputs import (
    AddOfficeInput,
    AddPlacementInput,
    AttestRosterInput,
    ChangeOfficeInput,
    EndPlacementInput,
    OfficeVersionInput,
    SetAcceptingNewPatientsInput,
)
from services.directory.schema.problems import (
    AppointmentsAfterClosingProblem,
    DuplicateOfficeProblem,
    ItemsRefusedProblem,
    LeadTimeShortProblem,
    ProvidersOrphanedProblem,
    RosterDiffersProblem,
)
from services.directory.schema.things import Office, Placement
from services.directory.schema.words import Info, ids

AddOfficeResult = Annotated[
    Office | LeadTimeShortProblem | DuplicateOfficeProblem | ItemsRefusedProblem | CommonProblems,
    strawberry.union("AddOfficeResult"),
]
ChangeOfficeResult = Annotated[
    Office | LeadTimeShortProblem | DuplicateOfficeProblem | CommonProblems,
    strawberry.union("ChangeOfficeResult"),
]
AttestRosterResult = Annotated[
    Office | ItemsRefusedProblem | RosterDiffersProblem | CommonProblems,
    strawberry.union("AttestRosterResult"),
]
CloseOfficeResult = Annotated[
    Office
    | ProvidersOrphanedProblem
    | AppointmentsAfterClosingProblem
    | ItemsRefusedProblem
    | StalePreviewProblem
    | CommonProblems,
    strawberry.union("CloseOfficeResult"),
]
ReopenOfficeResult = Annotated[
    Office | LeadTimeShortProblem | DuplicateOfficeProblem | CommonProblems,
    strawberry.union("ReopenOfficeResult"),
]
KeepOfficeResult = Annotated[Office | CommonProblems, strawberry.union("KeepOfficeResult")]
AddPlacementResult = Annotated[Placement | CommonProblems, strawberry.union("AddPlacementResult")]
EndPlacementResult = Annotated[Placement | CommonProblems, strawberry.union("EndPlacementResult")]
SetAcceptingNewPatientsResult = Annotated[
    Placement | CommonProblems, strawberry.union("SetAcceptingNewPatientsResult")
]


@strawberry.type
class OfficeMutation:
    """Verbs of offices and placements."""

    @mutation
    async def add_office(self, info: Info, input: AddOfficeInput) -> AddOfficeResult:
        """Add an office and place its providers from its first day, all or nothing (R16, R17)."""
        return Office.of(
            await offices.add_office(info.context.call, input.office(), key=input.idempotency_key)
        )

    @mutation
    async def change_office(self, info: Info, input: ChangeOfficeInput) -> ChangeOfficeResult:
        """Change what an office says, and its first day until it is live (R16)."""
        return Office.of(
            await offices.change_office(
                info.context.call,
                parse_id(input.office_id, "officeId"),
                input.expected_version,
                input.change(),
            )
        )

    @mutation
    async def attest_roster(self, info: Info, input: AttestRosterInput) -> AttestRosterResult:
        """Say that just these users work for the office: client admins, and its office admins (R18)."""
        return Office.of(
            await offices.attest_roster(
                info.context.call,
                parse_id(input.office_id, "officeId"),
                input.expected_version,
                ids(input.user_ids, "userIds"),
                parse_id(input.referral_owner_id, "referralOwnerId")
                if input.referral_owner_id
                else None,
            )
        )

    @mutation
    async def close_office(self, info: Info, input: CloseOfficeInput) -> CloseOfficeResult:
        """Close an office on a day: until its cut-off it goes on, then it is CLOSING, and closes by itself when its day has come and
        its open referrals are done (R19)."""
        return Office.of(
            await closing.close_office(
                info.context.call,
                parse_id(input.office_id, "officeId"),
                input.expected_version,
                input.closing(),
            )
        )

    @mutation
    async def reopen_office(self, info: Info, input: ReopenOfficeInput) -> ReopenOfficeResult:
        """Plan a closed office anew, by the rules of a new one (R16, R19)."""
        return Office.of(
            await staying.reopen_office(
                info.context.call,
                parse_id(input.office_id, "officeId"),
                input.expected_version,
                input.reopening(),
            )
        )

    @mutation
    async def keep_office(self, info: Info, input: OfficeVersionInput) -> KeepOfficeResult:
        """An office that is closing, or is to close, stays open after all. Who was placed elsewhere because of it stays placed there
        (R19)."""
        return Office.of(
            await staying.keep_office(
                info.context.call, parse_id(input.office_id, "officeId"), input.expected_version
            )
        )

    @mutation
    async def add_placement(self, info: Info, input: AddPlacementInput) -> AddPlacementResult:
        """Place a provider at an office: client admins, and office admins at their own (R09)."""
        return Placement.of(
            await placements.add_placement(
                info.context.call, input.placement(), key=input.idempotency_key
            )
        )

    @mutation
    async def end_placement(self, info: Info, input: EndPlacementInput) -> EndPlacementResult:
        """End a placement, from today on."""
        return Placement.of(
            await placements.end_placement(
                info.context.call,
                parse_id(input.placement_id, "placementId"),
                input.expected_version,
                input.effective_until,
            )
        )

    @mutation
    async def set_accepting_new_patients(
        self, info: Info, input: SetAcceptingNewPatientsInput
    ) -> SetAcceptingNewPatientsResult:
        """Say whether the provider accepts new patients at the office (R10)."""
        return Placement.of(
            await placements.set_accepting_new_patients(
                info.context.call,
                parse_id(input.placement_id, "placementId"),
                input.expected_version,
                accepting=input.accepting,
            )
        )
