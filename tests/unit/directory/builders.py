"""Nouns of the directory for pure tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Kind, Viewer
from services.directory.domain.nouns import (
    Group,
    GroupId,
    GroupState,
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    Placement,
    PlacementId,
    Provider,
    ProviderId,
    ProviderState,
    UserId,
)

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
OURS = OrganizationId(UUID(int=1))
THEIRS = OrganizationId(UUID(int=2))
VALID_NPI = "1234567893"


def user(organization: UUID = OURS, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
    """A signed-in user."""
    return Viewer(kind=Kind.USER, user_id=uuid4(), organization_id=organization, **grants)


def provider(**given: Any) -> Provider:  # noqa: ANN401 - any field
    """A draft."""
    fields: dict[str, Any] = {
        "id": ProviderId(uuid4()),
        "organization_id": OURS,
        "state": ProviderState.DRAFT,
        "npi": VALID_NPI,
        "first_name": "Sam",
        "last_name": "Sample",
        "credential": "MD",
        "phone": "",
        "specialty_codes": ("207RC0000X",),
        "proposed": None,
        "proposed_by": None,
        "added_by": UserId(uuid4()),
        "submitted_by": None,
        "approved_at": None,
        "rejection_reason": None,
        "fence": None,
        "offboarding": False,
        "state_before": None,
        "version": 1,
    }
    return Provider(**(fields | given))


def office(**given: Any) -> Office:  # noqa: ANN401 - any field
    """A planned office in Boston."""
    fields: dict[str, Any] = {
        "id": OfficeId(uuid4()),
        "organization_id": OURS,
        "name": "Main",
        "line1": "1 Sample Street",
        "line2": "",
        "city": "Boston",
        "region": "MA",
        "postal_code": "02139",
        "latitude": 42.36,
        "longitude": -71.06,
        "phone": "617 555 0100",
        "time_zone": "America/New_York",
        "group_only": False,
        "state": OfficeState.PLANNED,
        "go_live_on": date(2026, 3, 10),
        "lead_days": 8,
        "lead_reason": None,
        "live_at": None,
        "closed_at": None,
        "fence": None,
        "state_before": None,
        "version": 1,
    }
    return Office(**(fields | given))


def placement(first: date, until: date | None = None, **given: Any) -> Placement:  # noqa: ANN401
    """A placement."""
    fields: dict[str, Any] = {
        "id": PlacementId(uuid4()),
        "organization_id": OURS,
        "provider_id": ProviderId(uuid4()),
        "office_id": OfficeId(uuid4()),
        "effective_from": first,
        "effective_until": until,
        "accepting_new_patients": True,
        "version": 1,
    }
    return Placement(**(fields | given))


def group(**given: Any) -> Group:  # noqa: ANN401 - any field
    """An incomplete group that receives."""
    fields: dict[str, Any] = {
        "id": GroupId(uuid4()),
        "organization_id": OURS,
        "name": "Heart",
        "state": GroupState.INCOMPLETE,
        "may_send": False,
        "may_receive": True,
        "office_ids": (OfficeId(uuid4()),),
        "provider_ids": (),
        "staff_user_ids": (),
        "confirmed_staff": 0,
        "ready_at": None,
        "fence": None,
        "version": 1,
    }
    return Group(**(fields | given))
