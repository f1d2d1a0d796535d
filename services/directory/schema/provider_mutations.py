"""What can be done with providers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from kit.graphql import CommonProblems, mutation
from kit.ids import parse_id
from services.directory.actions import providers as verbs
from services.directory.actions import removal
from services.directory.actions.peers import Call
from services.directory.domain import nouns
from services.directory.domain.imports import ImportResult, ImportStatus
from services.directory.schema.inputs import (
    AddProviderInput,
    ChangeProviderInput,
    ImportProvidersInput,
    ProviderVersionInput,
    RejectProviderInput,
)
from services.directory.schema.problems import (
    DuplicateNpiProblem,
    IncompleteProblem,
    InTheWayProblem,
)
from services.directory.schema.things import Provider
from services.directory.schema.words import Info

ImportStatusWord = strawberry.enum(
    ImportStatus,
    name="ImportStatus",
    description="KNOWN: the organization has a provider with this NPI already.",
)


@strawberry.type(description="What became of one row of an import.")
class ImportedRow:
    """ImportedRow."""

    row: int = strawberry.field(description="Which one, counted from 0.")
    status: ImportStatusWord  # type: ignore[valid-type]
    provider_id: strawberry.ID | None
    code: str | None = strawberry.field(description="Why it was refused.")
    field: str | None
    message: str | None
    ignored_specialty_codes: list[str] = strawberry.field(
        description="Codes the directory does not know; the row was added without them."
    )


@strawberry.type(description="What became of each row of an import, in their order.")
class ImportedProviders:
    """ImportedProviders."""

    added: int
    known: int
    refused: int
    rows: list[ImportedRow]


AddProviderResult = Annotated[
    Provider | DuplicateNpiProblem | CommonProblems, strawberry.union("AddProviderResult")
]
ChangeProviderResult = Annotated[
    Provider | DuplicateNpiProblem | IncompleteProblem | CommonProblems,
    strawberry.union("ChangeProviderResult"),
]
SubmitProviderResult = Annotated[
    Provider | CommonProblems, strawberry.union("SubmitProviderResult")
]
ApproveProviderResult = Annotated[
    Provider | DuplicateNpiProblem | IncompleteProblem | CommonProblems,
    strawberry.union("ApproveProviderResult"),
]
RejectProviderResult = Annotated[
    Provider | CommonProblems, strawberry.union("RejectProviderResult")
]
StartOffboardingResult = Annotated[
    Provider | CommonProblems, strawberry.union("StartOffboardingResult")
]
KeepProviderResult = Annotated[Provider | CommonProblems, strawberry.union("KeepProviderResult")]
RemoveProviderResult = Annotated[
    Provider | InTheWayProblem | CommonProblems, strawberry.union("RemoveProviderResult")
]
ImportProvidersResult = Annotated[
    ImportedProviders | CommonProblems, strawberry.union("ImportProvidersResult")
]


@strawberry.type
class ProviderMutation:
    """Verbs of providers."""

    @mutation
    async def add_provider(self, info: Info, input: AddProviderInput) -> AddProviderResult:
        """Add a provider: client admins, and office admins who ask for one (R09)."""
        return Provider.of(
            await verbs.add_provider(
                info.context.call, input.profile(), submit=input.submit, key=input.idempotency_key
            )
        )

    @mutation
    async def change_provider(self, info: Info, input: ChangeProviderInput) -> ChangeProviderResult:
        """Change a profile; of an approved one it may have to wait for approval (R11)."""
        return Provider.of(
            await verbs.change_provider(
                info.context.call, _id(input.provider_id), input.expected_version, input.change()
            )
        )

    @mutation
    async def submit_provider(
        self, info: Info, input: ProviderVersionInput
    ) -> SubmitProviderResult:
        """Ask for approval."""
        return await _of(info, verbs.submit_provider, input)

    @mutation
    async def approve_provider(
        self, info: Info, input: ProviderVersionInput
    ) -> ApproveProviderResult:
        """Approve a submitted profile, or the change that waits on an approved one (R11)."""
        return await _of(info, verbs.approve_provider, input)

    @mutation
    async def reject_provider(self, info: Info, input: RejectProviderInput) -> RejectProviderResult:
        """Send a submitted profile back, or drop the change that waits on an approved one (R11)."""
        return Provider.of(
            await verbs.reject_provider(
                info.context.call, _id(input.provider_id), input.expected_version, input.reason
            )
        )

    @mutation
    async def start_offboarding(
        self, info: Info, input: ProviderVersionInput
    ) -> StartOffboardingResult:
        """Let nothing new be sent to the provider while the open referrals are worked off (R15)."""
        return await _of(info, removal.start_offboarding, input)

    @mutation
    async def keep_provider(self, info: Info, input: ProviderVersionInput) -> KeepProviderResult:
        """The provider stays after all."""
        return await _of(info, removal.keep_provider, input)

    @mutation
    async def remove_provider(
        self, info: Info, input: ProviderVersionInput
    ) -> RemoveProviderResult:
        """Remove a provider who works at no office and has no open referral (R12, R15)."""
        return await _of(info, removal.remove_provider, input)

    @mutation
    async def import_providers(
        self, info: Info, input: ImportProvidersInput
    ) -> ImportProvidersResult:
        """Add many profiles at once; each row has its own answer."""
        rows = await verbs.import_providers(
            info.context.call,
            [row.profile() for row in input.rows],
            submit=input.submit,
            key=input.idempotency_key,
        )
        return _imported(rows)


def _id(text: strawberry.ID) -> nouns.ProviderId:
    return nouns.ProviderId(parse_id(text, "providerId"))


_Verb = Callable[[Call, UUID, int], Awaitable[nouns.Provider]]


async def _of(info: Info, verb: _Verb, input: ProviderVersionInput) -> Provider:
    return Provider.of(
        await verb(info.context.call, _id(input.provider_id), input.expected_version)
    )


def _imported(rows: Sequence[ImportResult]) -> ImportedProviders:
    counts = {status: sum(row.status == status for row in rows) for status in ImportStatus}
    return ImportedProviders(
        added=counts[ImportStatus.ADDED],
        known=counts[ImportStatus.KNOWN],
        refused=counts[ImportStatus.REFUSED],
        rows=[
            ImportedRow(
                row=place,
                status=row.status,
                provider_id=strawberry.ID(row.provider_id) if row.provider_id else None,
                code=row.code,
                field=row.field,
                message=row.message,
                ignored_specialty_codes=list(row.ignored_specialty_codes),
            )
            for place, row in enumerate(rows)
        ],
    )
