"""What can be done with providers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from kit.graphql import CommonProblems, StalePreviewProblem, mutation
from kit.ids import parse_id
from services.directory.actions import awaiting, merging, provider_imports, removal
from services.directory.actions import providers as verbs
from services.directory.actions.peers import Call
from services.directory.domain import nouns
from services.directory.domain.imports import ImportResult, ImportStatus
from services.directory.schema.closing_inputs import RemoveProviderInput
from services.directory.schema.inputs import (
    AddProviderInput,
    ApproveProvidersInput,
    ChangeProviderInput,
    ImportProvidersInput,
    MergeProvidersInput,
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


@strawberry.type(description="What became of one of the providers that were to be approved.")
class ApprovedProvider:
    """ApprovedProvider."""

    provider_id: strawberry.ID
    approved: bool
    provider: Provider | None = strawberry.field(description="As it is now, once approved.")
    code: str | None = strawberry.field(description="Why it was refused.")
    message: str | None
    remedy: str | None

    @classmethod
    def of(cls, row: verbs.Decided) -> "ApprovedProvider":
        """As GraphQL tells it."""
        refusal = row.refusal
        return cls(
            provider_id=strawberry.ID(str(row.provider_id)),
            approved=row.provider is not None,
            provider=Provider.of(row.provider) if row.provider else None,
            code=refusal.code if refusal else None,
            message=refusal.message if refusal else None,
            remedy=refusal.remedy if refusal else None,
        )


@strawberry.type(description="What became of each, in their order.")
class ApprovedProviders:
    """ApprovedProviders."""

    approved: int
    refused: int
    results: list[ApprovedProvider]

    @classmethod
    def of(cls, rows: Sequence[verbs.Decided]) -> "ApprovedProviders":
        """As GraphQL tells it."""
        results = [ApprovedProvider.of(row) for row in rows]
        approved = sum(one.approved for one in results)
        return cls(approved=approved, refused=len(results) - approved, results=results)


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
ApproveProvidersResult = Annotated[
    ApprovedProviders | CommonProblems, strawberry.union("ApproveProvidersResult")
]
VerifyProviderResult = Annotated[
    Provider | CommonProblems, strawberry.union("VerifyProviderResult")
]
MergeProvidersResult = Annotated[
    Provider | InTheWayProblem | CommonProblems, strawberry.union("MergeProvidersResult")
]
RejectProviderResult = Annotated[
    Provider | CommonProblems, strawberry.union("RejectProviderResult")
]
StartOffboardingResult = Annotated[
    Provider | CommonProblems, strawberry.union("StartOffboardingResult")
]
KeepProviderResult = Annotated[Provider | CommonProblems, strawberry.union("KeepProviderResult")]
RemoveWhenEmptyResult = Annotated[
    Provider | StalePreviewProblem | CommonProblems, strawberry.union("RemoveWhenEmptyResult")
]
CallOffRemovalResult = Annotated[
    Provider | CommonProblems, strawberry.union("CallOffRemovalResult")
]
RemoveProviderResult = Annotated[
    Provider | InTheWayProblem | StalePreviewProblem | CommonProblems,
    strawberry.union("RemoveProviderResult"),
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
    async def approve_providers(
        self, info: Info, input: ApproveProvidersInput
    ) -> ApproveProvidersResult:
        """Approve up to 100, each by itself: what hinders one leaves the others as they are (R11)."""
        wanted = [(_id(one.provider_id), one.expected_version) for one in input.providers]
        return ApprovedProviders.of(await verbs.approve_providers(info.context.call, wanted))

    @mutation
    async def verify_provider(
        self, info: Info, input: ProviderVersionInput
    ) -> VerifyProviderResult:
        """Say that an approved profile was looked at and is right, for the next 90 days (R11)."""
        return await _of(info, verbs.verify_provider, input)

    @mutation
    async def merge_providers(self, info: Info, input: MergeProvidersInput) -> MergeProvidersResult:
        """Make two records of one person one; the old id answers the one that stays (R09). Where their NPIs differ, say which is
        right and why."""
        return Provider.of(
            await merging.merge_providers(
                info.context.call,
                parse_id(input.duplicate_id, "duplicateId"),
                parse_id(input.survivor_id, "survivorId"),
                (input.expected_version, input.survivor_version),
                input.right(),
            )
        )

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
    async def remove_provider(self, info: Info, input: RemoveProviderInput) -> RemoveProviderResult:
        """Remove a provider who has no open referral and works at no office, or leaves every office on the way (R12, R15)."""
        return Provider.of(
            await removal.remove_provider(
                info.context.call, _id(input.provider_id), input.expected_version, input.removal()
            )
        )

    @mutation
    async def remove_when_empty(
        self, info: Info, input: RemoveProviderInput
    ) -> RemoveWhenEmptyResult:
        """Have a provider removed by itself as soon as nothing is open: leaving from now on, the offices left on the way if that is
        said (R15). What is open may move after the preview; all else must stand."""
        return Provider.of(
            await awaiting.remove_when_empty(
                info.context.call, _id(input.provider_id), input.expected_version, input.removal()
            )
        )

    @mutation
    async def call_off_removal(
        self, info: Info, input: ProviderVersionInput
    ) -> CallOffRemovalResult:
        """Take back removeWhenEmpty: the provider goes on leaving, and is not removed by itself (R15)."""
        return await _of(info, awaiting.call_off, input)

    @mutation
    async def import_providers(
        self, info: Info, input: ImportProvidersInput
    ) -> ImportProvidersResult:
        """Add many profiles at once; each row has its own answer."""
        rows = await provider_imports.import_providers(
            info.context.call,
            [row.profile() for row in input.rows],
            how=input.how(),
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
