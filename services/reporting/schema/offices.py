"""What offices and groups of directory gain: their scorecard, and what was found out about them (R32)."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, TypeAlias
from uuid import UUID

import strawberry

from kit.graphql import Context, described
from kit.ids import parse_id
from services.reporting.actions import findings as actions
from services.reporting.actions.peers import Peers
from services.reporting.domain.findings import Finding as Found
from services.reporting.domain.scorecards import Result
from services.reporting.schema.scorecards import ScorecardResult

if TYPE_CHECKING:
    from services.reporting.schema.findings import Finding

Info: TypeAlias = strawberry.Info[Context[Peers], None]
_Finding = Annotated["Finding", strawberry.lazy("services.reporting.schema.findings")]


@strawberry.type
class Measured:
    """Something that has a scorecard."""

    id: strawberry.ID

    @described(
        "What the rules said of the week a day is in, or of the last that was measured: by client admins, and office admins of"
        " these offices, to be read. Null for others. A measure that is not there had nothing to count."
    )
    async def scorecard(
        self, info: Info, week_of: date | None = None
    ) -> list[ScorecardResult] | None:
        """A week's results (R32)."""

        async def load(ids: list[UUID]) -> list[list[Result] | None]:
            return await actions.scorecards_of(info.context.call, ids, week_of)

        told = await info.context.loader(f"scorecards {week_of}", load).load(self._uuid())
        return None if told is None else [ScorecardResult.of(one) for one in told]

    @described("What was found out about it and is not closed, for who reads its scorecard.")
    async def open_findings(self, info: Info) -> list[_Finding] | None:
        """Findings that are not closed (R32)."""
        from services.reporting.schema.findings import Finding  # noqa: PLC0415 - findings have offices

        async def load(ids: list[UUID]) -> list[list[Found] | None]:
            return await actions.open_findings(info.context.call, ids)

        told = await info.context.loader("open findings", load).load(self._uuid())
        return None if told is None else [Finding.of(info, one) for one in told]

    def _uuid(self) -> UUID:
        return parse_id(self.id, "id")


@strawberry.federation.type(keys=["id"])
class Office(Measured):
    """An office of directory, with what it is measured by."""

    id: strawberry.ID

    @classmethod
    def of(cls, id_: UUID) -> "Office":
        """The office with that id."""
        return cls(id=strawberry.ID(str(id_)))

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Office":
        """An office another subgraph names; what may be read is decided field by field."""
        return cls(id=id)
