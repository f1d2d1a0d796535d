"""What offices and groups of directory gain: their scorecard, and what was found out about them (R32)."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, TypeAlias
from uuid import UUID

import strawberry

from kit.graphql import Context, described
from kit.ids import parse_id
from services.reporting.actions import findings as actions
from services.reporting.actions import todo
from services.reporting.actions.peers import Peers
from services.reporting.domain.findings import Finding as Found
from services.reporting.domain.results import Result
from services.reporting.schema.scorecards import ScorecardResult
from services.reporting.store.todo import ToDo

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

    @described(
        "Readings of guides that are missing of the people there, for who reads its scorecard; of a group, at its offices."
    )
    async def unread_guides(self, info: Info) -> int | None:
        """R30."""
        told = await self._todo(info)
        return told.unread_guides if told else None

    @described("Trainings that people there have still to do, for who reads its scorecard.")
    async def training_due(self, info: Info) -> int | None:
        """R34."""
        told = await self._todo(info)
        return told.training_due if told else None

    async def _todo(self, info: Info) -> ToDo | None:
        async def load(ids: list[UUID]) -> list[ToDo | None]:
            return await todo.at_places(info.context.call, ids)

        return await info.context.loader("todo at places", load).load(self._uuid())

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
