"""Partner systems."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.identity import actions, domain
from services.identity.domain import PartnerId
from services.identity.schema.types import Info, Partner

LONGEST_NAME = 100


@strawberry.type(description="A partner and the secret half of its key.")
class PartnerAdded:
    """PartnerAdded."""

    partner: Partner
    seed: str | None = strawberry.field(
        description="The seed of its NATS key, shown this once; null in the answer to a retry. Lost: add it anew."
    )


AddPartnerResult = Annotated[PartnerAdded | CommonProblems, strawberry.union("AddPartnerResult")]
RemovePartnerResult = Annotated[Partner | CommonProblems, strawberry.union("RemovePartnerResult")]


@strawberry.input
class AddPartnerInput:
    """A partner system; its name is for people."""

    name: str
    idempotency_key: str


@strawberry.input
class RemovePartnerInput:
    """Which partner to remove."""

    partner_id: strawberry.ID
    expected_version: int


@strawberry.type
class PartnerMutation:
    """Partners."""

    @mutation
    async def add_partner(self, info: Info, input: AddPartnerInput) -> AddPartnerResult:
        """Let a partner system hear the organization's facts on NATS."""
        name = domain.line(input.name, "name", LONGEST_NAME)
        new = await actions.add_partner(info.context.call, name, key=input.idempotency_key)
        return PartnerAdded(partner=Partner.of(new.partner), seed=new.seed)

    @mutation
    async def remove_partner(self, info: Info, input: RemovePartnerInput) -> RemovePartnerResult:
        """The partner hears nothing more, at once."""
        partner_id = PartnerId(parse_id(input.partner_id, "partnerId"))
        return Partner.of(
            await actions.remove_partner(info.context.call, partner_id, input.expected_version)
        )
