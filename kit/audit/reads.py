"""What a request reads of patients: gathered while it is answered, written down before the answer leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from kit.audit.entries import saw

if TYPE_CHECKING:
    from kit.service import Call

TREATMENT = "TREATMENT"
"""Why whoever works a referral reads of its patient. There is no other way to it."""


class Reads:
    """The fields of patients' data that one request has read, by the thing they belong to."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[UUID, set[str]]] = {}

    def add(self, kind: str, about: UUID, field: str) -> None:
        """A field of a thing will be in the answer."""
        self._seen.setdefault(kind, {}).setdefault(about, set()).add(field)

    async def write_down(self, call: Call[Any]) -> None:
        """Write an entry for each thing that was read since the last time, in a transaction of its own. Raises what the database
        raises: then the answer must not leave."""
        if not self._seen:
            return
        seen, self._seen = self._seen, {}
        async with call.db.transaction() as tx:
            for kind, things in seen.items():
                await saw(
                    tx,
                    call.viewer,
                    things,
                    act=f"{kind}.seen",
                    kind=kind,
                    about=None,
                    organization_id=call.viewer.organization_id,
                    at=call.clock.now(),
                    purpose=TREATMENT,
                )
