"""Offices that work outside of the suite, in GraphQL (§5.5 of the rules: externally managed receivers)."""

from functools import partial
from typing import Annotated, Union

import strawberry
from strawberry import ID

from kit.graphql import CommonProblems, described, mutation
from kit.ids import parse_id
from services.referrals import policy
from services.referrals.actions import offline
from services.referrals.domain import ExternalOffice, OfficeId
from services.referrals.schema.entities import Info, Office


@strawberry.type(
    description="Whether an office works outside of the suite: then whoever sends a referral there reports in its place."
)
class ExternalManagement:
    """Known to the network, because whoever sends must know."""

    office: Office | None
    externally_managed: bool
    version: int = strawberry.field(description="0: nobody ever said so.")

    @described(
        "Whether you may change it, if the office is your organization's: client admins and admins of the office may."
    )
    def may_change(self, info: Info) -> bool:
        """By the policy that decides it."""
        office = self.office
        viewer = info.context.call.viewer
        return office is not None and policy.may_say_external(viewer, _office_id(office.id))


@strawberry.input
class ChangeExternalManagementInput:
    """changeExternalManagement. It counts for what arrives at the office from now on."""

    office_id: ID
    expected_version: int
    externally_managed: bool


ChangeExternalManagementResult = Annotated[
    Union[ExternalManagement, CommonProblems],  # noqa: UP007 - strawberry flattens it
    strawberry.union("ChangeExternalManagementResult"),
]


@strawberry.type
class OfflineMutation:
    """What can be said of offices."""

    @mutation
    async def change_external_management(
        self, info: Info, input: ChangeExternalManagementInput
    ) -> ChangeExternalManagementResult:
        """Say whether an office of yours works outside of the suite; it counts for what arrives there from now on."""
        changed = await offline.change_external(
            info.context.call,
            _office_id(input.office_id),
            input.expected_version,
            externally_managed=input.externally_managed,
        )
        return _shown(changed)


async def management_of(info: Info, office_id: ID) -> ExternalManagement | None:
    """What is said of an office; None for who is in no organization."""
    load = partial(offline.external, info.context.call)
    key = _office_id(office_id)
    found = await info.context.loader("external offices", load).load(key)
    return None if found is None else _shown(found)


def _office_id(text: ID) -> OfficeId:
    return OfficeId(parse_id(text, "officeId"))


def _shown(it: ExternalOffice) -> ExternalManagement:
    return ExternalManagement(
        office=Office(id=ID(str(it.office_id))),
        externally_managed=it.externally_managed,
        version=it.version,
    )
