"""Where a role makes somebody work. Not every role that is granted at an office does: who keeps an office's plans is none of its staff."""

from __future__ import annotations

from typing import Final
from uuid import UUID

WORKING_ROLES: Final = frozenset({"OFFICE_ADMIN", "OFFICE_STAFF"})
"""The roles whose holders work at the office they are granted at."""


def workplace(role: str, office_id: str) -> UUID | None:
    """The office at which a role that identity tells of makes its holder work: there they cover, have a queue and see its referrals.
    None for a role in the whole organization, and for an insurance manager of just that office (R26)."""
    return UUID(office_id) if office_id and role in WORKING_ROLES else None
