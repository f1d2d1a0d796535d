"""What users and organizations of identity gain: what is left to read and to learn."""

from typing import TypeAlias
from uuid import UUID

import strawberry

from kit.graphql import Context, described
from kit.ids import parse_id
from services.reporting.actions import todo as actions
from services.reporting.actions.peers import Peers
from services.reporting.actions.todo import Summary
from services.reporting.store.todo import ToDo

Info: TypeAlias = strawberry.Info[Context[Peers], None]


@strawberry.federation.type(keys=["id"])
class User:
    """Somebody identity knows."""

    id: strawberry.ID

    @described(
        "Guides that are to be read. Everybody sees their own, client admins all, office admins those of who has a role at their"
        " offices; null for others."
    )
    async def unread_guides(self, info: Info) -> int | None:
        """R30."""
        told = await self._todo(info)
        return told.unread_guides if told else None

    @described("Trainings that are to be done, for who sees the guides.")
    async def training_due(self, info: Info) -> int | None:
        """R34."""
        told = await self._todo(info)
        return told.training_due if told else None

    async def _todo(self, info: Info) -> ToDo | None:
        async def load(ids: list[UUID]) -> list[ToDo | None]:
            return await actions.of_users(info.context.call, ids)

        return await info.context.loader("todo of users", load).load(parse_id(self.id, "id"))

    @classmethod
    def of(cls, id_: UUID) -> "User":
        """The user with that id."""
        return cls(id=strawberry.ID(str(id_)))

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "User":
        """A user another subgraph names; what may be read is decided field by field."""
        return cls(id=id)


@strawberry.federation.type(keys=["id"])
class Organization:
    """A customer that identity knows."""

    id: strawberry.ID

    @described("Findings that are not closed, for its client admins; null for others.")
    async def open_finding_count(self, info: Info) -> int | None:
        """R32."""
        told = await self._summary(info)
        return told.open_findings if told else None

    @described("Readings of guides that are missing, for its client admins; null for others.")
    async def unread_guides(self, info: Info) -> int | None:
        """R30."""
        told = await self._summary(info)
        return told.todo.unread_guides if told else None

    @described("Trainings that somebody has still to do, for its client admins; null for others.")
    async def training_due(self, info: Info) -> int | None:
        """R34."""
        told = await self._summary(info)
        return told.todo.training_due if told else None

    async def _summary(self, info: Info) -> Summary | None:
        async def load(ids: list[UUID]) -> list[Summary | None]:
            return [await actions.of_organization(info.context.call, id_) for id_ in ids]

        return await info.context.loader("summaries", load).load(parse_id(self.id, "id"))

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Organization":
        """An organization another subgraph names; what may be read is decided field by field."""
        return cls(id=id)
