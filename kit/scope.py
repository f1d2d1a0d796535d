"""On whose behalf a transaction works: all that the database's row-level security lets it see (docs/decisions/0004)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from kit.auth import Kind, Viewer

if TYPE_CHECKING:
    from typing import TypeAlias

    from asyncpg.pool import PoolConnectionProxy

    AsyncpgConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Connection: TypeAlias = AsyncpgConnection | PoolConnectionProxy[asyncpg.Record]
else:
    AsyncpgConnection = asyncpg.Connection

_NOWHERE = UUID(int=0)
"""The organization of those who act in none."""


class Reach(StrEnum):
    """How far a transaction sees: NOTHING; NETWORK, the own organization and what the network shows; SUITE, everything."""

    NOTHING = ""
    NETWORK = "network"
    SUITE = "suite"


@dataclass(frozen=True)
class Scope:
    """What a transaction may see and change. `organization_id` is its own organization, where the reach is NETWORK."""

    reach: Reach
    organization_id: UUID = _NOWHERE

    @cached_property
    def opening(self) -> str:
        """The statements that tell it to the database, for this transaction alone. Their values are an enum's and a UUID's."""
        if self.reach is Reach.NOTHING:
            return ""
        return (
            f"SET LOCAL suite.scope = '{self.reach}';"
            f"SET LOCAL suite.organization = '{UUID(int=self.organization_id.int)}'"
        )


NOTHING = Scope(Reach.NOTHING)
SUITE = Scope(Reach.SUITE)


def scope_of(viewer: Viewer) -> Scope:
    """Our own services see everything, a signed-in person the own organization and what the network shows. Nobody, and a
    session that can only set a password, see nothing."""
    if viewer.kind is Kind.SERVICE:
        return SUITE
    if not viewer.is_user:
        return NOTHING
    return Scope(Reach.NETWORK, viewer.organization_id or _NOWHERE)


class ScopedConnection(AsyncpgConnection):
    """A connection whose next transaction tells its scope in the message that begins it, and which is not cleaned when it has been
    lent for nothing but transactions that ended well: neither takes a round trip more.

    Should the driver one day begin in another way, then nothing is told, and nothing seen.
    """

    _opening = ""
    _clean = False

    def begin_as(self, scope: Scope) -> None:
        """Let the transaction that is begun right after this call have that scope."""
        self._opening = scope.opening

    def left_clean(self) -> None:
        """Let the pool have it back as it is: whoever borrowed it has done nothing but one transaction, which has ended. Nothing
        outlives a transaction but what a statement says of the session, which no statement in one may (tests/house/test_walls.py)."""
        self._clean = True

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:
        """As the driver's, with the scope behind BEGIN."""
        if self._opening and query.startswith("BEGIN"):
            query, self._opening = query + self._opening, ""
        return await super().execute(query, *args, timeout=timeout)

    def get_reset_query(self) -> str:
        """What cleans it on its way back to the pool: as the driver's, or nothing, once, when it was left clean."""
        clean, self._clean = self._clean, False
        return "" if clean else super().get_reset_query()


async def widen(tx: Connection) -> None:
    """Let the rest of this transaction see and change every organization's rows: for the moment at which something goes over to
    another organization, when all that decides whether it may has been read within the narrow scope."""
    await tx.execute(SUITE.opening)
