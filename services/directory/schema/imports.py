"""Imports of whole files: specialties and postal codes for the network, NPIs of the register, and how far an import has come."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, described, mutation
from services.directory.actions import imports, locating, provider_imports
from services.directory.domain import nouns
from services.directory.domain.imports import NoteResult, NoteStatus, NpiNote, Progress
from services.directory.schema.words import Info, NpiStatus
from services.directory.store.zips import Zip

NoteStatusWord = strawberry.enum(
    NoteStatus,
    name="NpiNoteStatus",
    description="NOT_HELD: no provider of the organization has this NPI.",
)


@strawberry.input
class SpecialtyInput:
    """A row of the NUCC provider taxonomy."""

    code: str
    grouping: str
    classification: str
    specialization: str = ""
    name: str = strawberry.field(
        default="", description="Left out: its specialization, or its classification."
    )

    def specialty(self) -> nouns.Specialty:
        """As the domain has it."""
        return nouns.Specialty(
            self.code, self.grouping, self.classification, self.specialization or None, self.name
        )


@strawberry.input
class ImportSpecialtiesInput:
    """ImportSpecialtiesInput."""

    rows: list[SpecialtyInput] = strawberry.field(description="1 to 500.")


@strawberry.type(description="What an import of specialties has done; none is ever taken away.")
class ImportedSpecialties:
    """ImportedSpecialties."""

    added: int
    changed: int


@strawberry.input
class ZipInput:
    """The middle of a postal code."""

    postal_code: str = strawberry.field(description="Five digits.")
    latitude: float
    longitude: float
    city: str = ""
    region: str = strawberry.field(default="", description="Two-letter state code.")

    def zip(self) -> Zip:
        """As the domain has it."""
        return Zip(self.postal_code, self.latitude, self.longitude, self.city, self.region)


@strawberry.input
class ImportZipsInput:
    """ImportZipsInput."""

    rows: list[ZipInput] = strawberry.field(description="1 to 1000.")


@strawberry.type(description="What an import of postal codes has done.")
class ImportedZips:
    """ImportedZips."""

    changed: int = strawberry.field(description="Codes that are new, or elsewhere than before.")
    offices_located: int = strawberry.field(
        description="Offices that stand elsewhere for it; those whose coordinates were given stay."
    )


@strawberry.input
class NpiNoteInput:
    """What the national register says of an NPI."""

    npi: str
    status: NpiStatus = strawberry.field(description="ACTIVE or DEACTIVATED.")  # type: ignore[valid-type]
    deactivated_on: date | None = None
    replaced_by: str | None = strawberry.field(default=None, description="The NPI in its place.")

    def note(self) -> NpiNote:
        """As the domain has it."""
        return NpiNote(self.npi, self.status, self.deactivated_on, self.replaced_by)


@strawberry.input
class NoteNpisInput:
    """NoteNpisInput."""

    idempotency_key: str
    rows: list[NpiNoteInput] = strawberry.field(description="1 to 1000.")
    dry_run: bool = strawberry.field(
        default=False, description="Only say what would become of them."
    )


@strawberry.type(description="What became of what the register says of one NPI.")
class NotedNpi:
    """NotedNpi."""

    row: int = strawberry.field(description="Which one, counted from 0.")
    status: NoteStatusWord  # type: ignore[valid-type]
    provider_id: strawberry.ID | None
    replaced_by_provider_id: strawberry.ID | None = strawberry.field(
        description="Who has the NPI in its place: most likely the same person, to be merged."
    )
    code: str | None
    message: str | None

    @classmethod
    def of(cls, place: int, row: NoteResult) -> "NotedNpi":
        """As GraphQL tells it."""
        return cls(
            row=place,
            status=row.status,
            provider_id=strawberry.ID(row.provider_id) if row.provider_id else None,
            replaced_by_provider_id=strawberry.ID(row.replaced_by_provider_id)
            if row.replaced_by_provider_id
            else None,
            code=row.code,
            message=row.message,
        )


@strawberry.type(description="What became of each row, in their order.")
class NotedNpis:
    """NotedNpis."""

    rows: list[NotedNpi]


@strawberry.input
class KeepImportProgressInput:
    """KeepImportProgressInput."""

    digest: str = strawberry.field(description="SHA-256 of the whole file, in hexadecimal digits.")
    kind: str = strawberry.field(description="What is imported from it, a word in capitals.")
    state: str = strawberry.field(description="Yours: where to go on. At most 4000 bytes.")
    finished: bool = False


@strawberry.type(description="How far an import of a file has come; it is kept for 30 days.")
class ImportProgress:
    """ImportProgress."""

    digest: str
    kind: str
    state: str = strawberry.field(description="As whoever imports kept it.")
    kept_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Progress) -> "ImportProgress":
        """As GraphQL tells it."""
        return cls(
            digest=row.digest,
            kind=row.kind,
            state=row.state,
            kept_at=row.kept_at,
            finished_at=row.finished_at,
        )


ImportSpecialtiesResult = Annotated[
    ImportedSpecialties | CommonProblems, strawberry.union("ImportSpecialtiesResult")
]
ImportZipsResult = Annotated[ImportedZips | CommonProblems, strawberry.union("ImportZipsResult")]
NoteNpisResult = Annotated[NotedNpis | CommonProblems, strawberry.union("NoteNpisResult")]
KeepImportProgressResult = Annotated[
    ImportProgress | CommonProblems, strawberry.union("KeepImportProgressResult")
]


@strawberry.type
class ImportMutation:
    """Verbs of imports."""

    @mutation
    async def import_specialties(
        self, info: Info, input: ImportSpecialtiesInput
    ) -> ImportSpecialtiesResult:
        """Keep specialties for the whole network: support only."""
        rows = [one.specialty() for one in input.rows]
        added, changed = await imports.import_specialties(info.context.call, rows)
        return ImportedSpecialties(added=added, changed=changed)

    @mutation
    async def import_zips(self, info: Info, input: ImportZipsInput) -> ImportZipsResult:
        """Keep where postal codes are, for the whole network: support only."""
        rows = [one.zip() for one in input.rows]
        changed, located = await locating.import_zips(info.context.call, rows)
        return ImportedZips(changed=changed, offices_located=located)

    @mutation
    async def note_npis(self, info: Info, input: NoteNpisInput) -> NoteNpisResult:
        """Keep what the national register says of NPIs of the organization (R11)."""
        rows = await provider_imports.note_npis(
            info.context.call,
            [one.note() for one in input.rows],
            key=input.idempotency_key,
            dry_run=input.dry_run,
        )
        return NotedNpis(rows=[NotedNpi.of(place, row) for place, row in enumerate(rows)])

    @mutation
    async def keep_import_progress(
        self, info: Info, input: KeepImportProgressInput
    ) -> KeepImportProgressResult:
        """Keep how far an import of a file has come, so that it goes on there."""
        kept = await imports.keep_progress(
            info.context.call, input.digest, input.kind, input.state, finished=input.finished
        )
        return ImportProgress.of(kept)


@strawberry.type
class ImportQuery:
    """How imports stand."""

    @described("How far the organization's import of a file has come; null: it begins anew.")
    async def import_progress(self, info: Info, digest: str, kind: str) -> ImportProgress | None:
        """For client admins."""
        found = await imports.progress(info.context.call, digest, kind)
        return ImportProgress.of(found) if found else None
