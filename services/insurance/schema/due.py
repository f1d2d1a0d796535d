"""What waits to be verified, beside the offices of directory."""

from typing import TypeAlias
from uuid import UUID

import strawberry

from kit.graphql import Context, described
from kit.ids import parse_id
from services.insurance.actions import Peers, verifying

Info: TypeAlias = strawberry.Info[Context[Peers], None]


@strawberry.type
class WithPlansDue:
    """A place whose lists are to be verified."""

    id: strawberry.ID

    @described(
        "How many participations listed there are stale or were never verified, for those who keep or watch them: insurance"
        " managers, client admins and admins of the office. Null for others, and where nothing is listed."
    )
    async def plans_due(self, info: Info) -> int | None:
        """R27."""

        async def load(ids: list[UUID]) -> list[int | None]:
            return await verifying.due_at(info.context.call, ids)

        return await info.context.loader("plans due", load).load(parse_id(self.id, "id"))
