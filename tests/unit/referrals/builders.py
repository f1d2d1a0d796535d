"""Referrals for pure tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from kit.auth import Kind, Viewer
from services.referrals import domain
from services.referrals.domain import (
    Draft,
    GroupId,
    Hop,
    OfficeId,
    OrganizationId,
    Party,
    ProviderId,
    Reason,
    ReasonKind,
    Referral,
    ReferralId,
    Target,
    Urgency,
)

NOW = datetime(2030, 5, 6, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def party(*, group: bool = False, provider: bool = True) -> Party:
    """An end of a referral, in an organization of its own."""
    return Party(
        OrganizationId(uuid4()),
        OfficeId(uuid4()),
        ProviderId(uuid4()) if provider else None,
        GroupId(uuid4()) if group else None,
    )


def draft(sender: Party | None = None) -> Draft:
    """What a sender writes down."""
    target = Target(OfficeId(uuid4()), ProviderId(uuid4()))
    return Draft(sender or party(), target, "207RC0000X", Urgency.ROUTINE, None, None)


def drafted(sender: Party | None = None) -> Referral:
    """A draft."""
    return domain.drafted(ReferralId(uuid4()), draft(sender), NOW)


def sent(sender: Party | None = None, receiver: Party | None = None) -> Referral:
    """A pending referral to a provider."""
    return domain.sent(drafted(sender), receiver or party(), None, NOW)


def to_group() -> Referral:
    """A pending referral to a group."""
    return sent(receiver=party(group=True, provider=False))


def scheduled(receiver: Party | None = None) -> Referral:
    """A referral with an appointment three days ahead."""
    return domain.scheduled(sent(receiver=receiver), LATER, NOW)


def reason(kind: ReasonKind = ReasonKind.DECLINE) -> Reason:
    """A reason that is valid for ever."""
    return Reason(kind, "NO_CAPACITY", "No capacity", date(2000, 1, 1), None)


def hop(referral: Referral, number: int, receiver: Party, *, left: bool) -> Hop:
    """One receiver of a referral."""
    return Hop(
        referral.id,
        number,
        receiver.organization_id,
        receiver.office_id,
        receiver.provider_id,
        receiver.group_id,
        NOW,
        NOW if left else None,
        domain.HopEnd.FORWARDED if left else None,
        None,
    )


def user(organization_id: OrganizationId, **grants: Any) -> Viewer:  # noqa: ANN401 - any field of a viewer
    """A signed-in user."""
    return Viewer(kind=Kind.USER, user_id=uuid4(), organization_id=organization_id, **grants)


def staff_of(end: Party) -> Viewer:
    """Office staff of an end."""
    return user(end.organization_id, office_staff_of=frozenset({end.office_id}))


def removed(referral: Referral, **fields: Any) -> Referral:  # noqa: ANN401 - any field of a referral
    """The referral with other fields."""
    return replace(referral, **fields)
