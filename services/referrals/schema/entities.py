"""Things of other services that a referral points at; to some of them referrals adds how much open work they have."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar
from uuid import UUID

import strawberry
from strawberry import ID
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kit.graphql import Context, described
from kit.ids import parse_id
from services.referrals.actions import looking
from services.referrals.actions.peers import Peers
from services.referrals.domain import Subject

if TYPE_CHECKING:
    from services.referrals.schema.cases import OffboardingCase
    from services.referrals.schema.offline import ExternalManagement

Info = strawberry.Info[Context[Peers], None]
_Management: TypeAlias = Annotated[
    "ExternalManagement", strawberry.lazy("services.referrals.schema.offline")
]
_Case: TypeAlias = Annotated["OffboardingCase", strawberry.lazy("services.referrals.schema.cases")]


_COUNT = (
    "Open referrals in which it takes part for your own organization. Null when you may not know."
)


async def _open(info: Info, kind: Subject, id_: ID) -> int | None:
    load = partial(looking.open_counts, info.context.call, kind)
    return await info.context.loader(f"open {kind}", load).load(parse_id(id_, "id"))


@strawberry.federation.type(keys=["id"], description="A person who gives care; see directory.")
class Provider:
    """Directory's, with open work."""

    id: ID

    @described(_COUNT)
    async def open_referral_count(self, info: Info) -> int | None:
        """R12."""
        return await _open(info, Subject.PROVIDER, self.id)

    @described(
        "What it has open while it leaves: the latest case. Null when there was none, or you may not know."
    )
    async def offboarding_case(self, info: Info) -> _Case | None:
        """R13."""
        from services.referrals.schema.cases import case_of  # noqa: PLC0415 - it shows providers

        return await case_of(info, self.id)

    @classmethod
    def resolve_reference(cls, id: ID) -> "Provider":
        """Directory decides whether it exists."""
        return cls(id=id)


@strawberry.federation.type(keys=["id"], description="A place where care is given; see directory.")
class Office:
    """Directory's, with open work."""

    id: ID

    @described(_COUNT)
    async def open_referral_count(self, info: Info) -> int | None:
        """R19."""
        return await _open(info, Subject.OFFICE, self.id)

    @described("Whether it works outside of the suite.")
    async def external_management(self, info: Info) -> _Management | None:
        """Null for who is in no organization."""
        from services.referrals.schema.offline import management_of  # noqa: PLC0415 - it shows offices

        return await management_of(info, self.id)

    @classmethod
    def resolve_reference(cls, id: ID) -> "Office":
        """Directory decides whether it exists."""
        return cls(id=id)


@strawberry.federation.type(keys=["id"], description="A named set of providers; see directory.")
class Group:
    """Directory's, with open work."""

    id: ID

    @described(_COUNT)
    async def open_referral_count(self, info: Info) -> int | None:
        """R24."""
        return await _open(info, Subject.GROUP, self.id)

    @classmethod
    def resolve_reference(cls, id: ID) -> "Group":
        """Directory decides whether it exists."""
        return cls(id=id)


_STUB = [Key(fields=FieldSet("id"), resolvable=False)]


@strawberry.federation.type(keys=_STUB, description="A customer of the network; see identity.")
class Organization:
    """Identity's."""

    id: ID


@strawberry.federation.type(keys=_STUB, description="A person who signs in; see identity.")
class User:
    """Identity's."""

    id: ID


@strawberry.federation.type(keys=_STUB, description="A product of a payer; see insurance.")
class InsurancePlan:
    """Insurance's."""

    id: ID


StubT = TypeVar("StubT", Provider, Office, Group, Organization, User, InsurancePlan)


def stub(kind: type[StubT], id_: UUID | None) -> StubT | None:
    """The entity with that id, if there is one."""
    return None if id_ is None else kind(id=ID(str(id_)))
