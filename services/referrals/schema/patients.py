"""Patients in GraphQL: found again by exact words; and the keys that keep their data closed."""

from datetime import date
from functools import partial
from typing import Annotated, Union

import strawberry
from strawberry import ID

from kit.graphql import (
    CommonProblems,
    Connection,
    after_id,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.referrals.actions import patients
from services.referrals.domain import (
    OrganizationId,
    ReferralId,
    by_member_number,
    by_name,
    by_phone,
)
from services.referrals.policy import Seen
from services.referrals.schema.entities import Info
from services.referrals.schema.nodes import Referral, show


@strawberry.input(
    description="By what a patient is found: a family name with the day of birth (and a given name), a phone number, or a"
    " member number. Each as a whole; case, spaces and separators do not matter."
)
class PatientSearchInput:
    """Exactly one of the three."""

    family_name: str | None = None
    given_name: str | None = None
    born_on: date | None = None
    phone: str | None = None
    member_number: str | None = None


@strawberry.input
class RenewPatientKeyInput:
    """renewPatientKey."""

    organization_id: ID
    reason: str


@strawberry.type(
    description="A new key seals from now on; what older ones hold is sealed anew by and by."
)
class PatientKeyRenewed:
    """Its number only."""

    number: int


RenewPatientKeyResult = Annotated[
    Union[PatientKeyRenewed, CommonProblems],  # noqa: UP007 - strawberry flattens it
    strawberry.union("RenewPatientKeyResult"),
]


@strawberry.type
class PatientQuery:
    """What can be asked of patients."""

    @described("Referrals you see in full whose patient is found so, newest first.")
    async def patient_referrals(
        self,
        info: Info,
        search: PatientSearchInput,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Referral]:
        """Both sides."""
        page = page_of(first, after)
        position = after_id(page)
        where = (ReferralId(position) if position else None, page.limit + 1)
        found = await patients.find(info.context.call, _words(search), where)
        return connection(found, page, key=_key, node=partial(_found, info))


@strawberry.type
class PatientMutation:
    """What can be done to the keys of patients' data."""

    @mutation
    async def renew_patient_key(
        self, info: Info, input: RenewPatientKeyInput
    ) -> RenewPatientKeyResult:
        """Give an organization a new key for patients' data: support only, with a reason."""
        organization_id = OrganizationId(parse_id(input.organization_id, "organizationId"))
        number = await patients.renew_key(info.context.call, organization_id, input.reason)
        return PatientKeyRenewed(number=number)


def _found(info: Info, view: Seen) -> Referral:
    """That a referral is this patient's is told by finding it."""
    info.context.reads.add("referral", view.referral.id, "patientReferrals")
    return show(view)


def _words(told: PatientSearchInput) -> list[str | None]:
    named = told.family_name is not None and told.born_on is not None
    return [
        by_name(told.family_name or "", told.born_on, told.given_name)
        if named and told.born_on
        else None,
        by_phone(told.phone or ""),
        by_member_number(told.member_number or ""),
    ]


def _key(view: Seen) -> list[str]:
    return [str(view.referral.id)]
