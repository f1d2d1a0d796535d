"""Who may do what with payers, plans and participations."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from kit.auth import Kind, Viewer
from kit.errors import Denied
from services.insurance.domain import (
    Campaign,
    CampaignAction,
    Item,
    ItemAction,
    ItemState,
    OfficeId,
    OrganizationId,
    Participation,
    ParticipationAction,
    UserId,
)

CALLERS = {
    "Accepts": frozenset({"referrals"}),
    "AcceptsMany": frozenset({"directory", "referrals"}),
    "Plans": frozenset({"reporting"}),
}
"""Which parts of the suite have business with which RPC; the door refuses the others."""


def permit_reading(viewer: Viewer) -> None:
    """Payers and plans are for every signed-in user of the network, and for our own services."""
    if viewer.kind is not Kind.SERVICE:
        viewer.require_user()


def eyes(viewer: Viewer) -> OrganizationId | None:
    """Whose eyes a reading is for: an organization sees its own, and of others what directory shows; None is left to the wall in
    the database, which shows our own services everything, and support what it shows the network and where it acts."""
    if viewer.kind is Kind.SERVICE:
        return None
    viewer.require_user()
    return None if viewer.support else OrganizationId(viewer.require_organization())


def permit_catalogue(viewer: Viewer) -> None:
    """Payers and plans are shared by the whole network, so support keeps them."""
    viewer.require_user()
    if not viewer.support:
        raise Denied(
            "Payers and plans are kept by support.",
            remedy="Ask support with requestSupport to add the payer or plan.",
        )


def _keeps_everywhere(viewer: Viewer) -> bool:
    """Keeps the plans of the whole organization (R26)."""
    return viewer.insurance_manager or viewer.client_admin


def _keeps_at(viewer: Viewer) -> frozenset[UUID]:
    """The offices whose plans the viewer keeps by a role at just those: as their insurance manager, or as office admin (R26)."""
    return viewer.insurance_manager_of | viewer.office_admin_of


def may_edit(viewer: Viewer, organization_id: OrganizationId, office_id: OfficeId) -> bool:
    """R26: insurance managers and client admins for the whole organization; office admins, and insurance managers of some offices,
    for those."""
    if not viewer.is_user or viewer.reporting_only or viewer.organization_id != organization_id:
        return False
    return _keeps_everywhere(viewer) or office_id in _keeps_at(viewer)


def permit_edit(viewer: Viewer, organization_id: OrganizationId, office_id: OfficeId) -> None:
    """Denied unless `may_edit` (R26)."""
    if not may_edit(viewer, organization_id, office_id):
        raise Denied(
            "You may not change the plans accepted at this office.",
            remedy="Ask an insurance manager, a client admin or an admin of the office.",
        )


def offices_to_answer_for(viewer: Viewer) -> tuple[OfficeId, ...] | None:
    """Of which offices the viewer keeps or watches what is accepted: None stands for all of the organization's. Denied for who
    answers for none (R26)."""
    viewer.require_organization()
    if _keeps_everywhere(viewer) or viewer.reporting_only:
        return None
    if own := _keeps_at(viewer):
        return tuple(OfficeId(one) for one in sorted(own))
    raise Denied(
        "This is for those who keep the plans that are accepted.",
        remedy="Ask an insurance manager, a client admin or an admin of the office.",
    )


def answered_for(viewer: Viewer, office_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these offices of which the viewer keeps or watches what is accepted; of none for who answers for none (R26)."""
    if not viewer.is_user or viewer.organization_id is None:
        return []
    if _keeps_everywhere(viewer) or viewer.reporting_only:
        return list(office_ids)
    own = _keeps_at(viewer)
    return [one for one in office_ids if one in own]


def permit_campaigns(viewer: Viewer) -> None:
    """Denied unless an insurance manager of the whole organization or a client admin: they open campaigns, hand them over and call
    them off (R29)."""
    viewer.require_organization()
    if not _keeps_everywhere(viewer):
        raise Denied(
            "Campaigns are opened and handed over by insurance managers of the organization and client admins.",
            remedy="Ask one of them.",
        )


def campaign_actions(viewer: Viewer, campaign: Campaign) -> tuple[CampaignAction, ...]:
    """What the viewer may do to the campaign now."""
    if not _keeps_everywhere(viewer) or viewer.reporting_only or campaign.closed_at is not None:
        return ()
    if campaign.year is not None:
        return (CampaignAction.ASSIGN,)
    return (CampaignAction.ASSIGN, CampaignAction.CALL_OFF)


def item_actions(viewer: Viewer, campaign: Campaign, item: Item) -> tuple[ItemAction, ...]:
    """What the viewer may do to the item now."""
    may = may_edit(viewer, item.organization_id, item.office_id)
    standing = item.state is ItemState.OPEN and campaign.closed_at is None
    return (ItemAction.ATTEST,) if may and standing else ()


def verifier_shown(viewer: Viewer, row: Participation) -> UserId | None:
    """Who verified a row last: shown within its own organization only."""
    return row.last_verified_by if viewer.organization_id == row.organization_id else None


def history_shown(viewer: Viewer, row: Participation) -> bool:
    """Whether the viewer sees who verified a row when: within its own organization."""
    return viewer.is_user and viewer.organization_id == row.organization_id


def allowed_actions(
    viewer: Viewer, row: Participation, today: date
) -> tuple[ParticipationAction, ...]:
    """What the viewer may do to the row now."""
    if row.past(today) or not may_edit(viewer, row.organization_id, row.office_id):
        return ()
    return (ParticipationAction.END, ParticipationAction.VERIFY)


def permit_audit(viewer: Viewer) -> OrganizationId:
    """The organization whose audit trail the viewer may read: for its client admins, and for support while it acts there."""
    organization_id = viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only or viewer.support):
        raise Denied(
            "The audit trail is for client admins.",
            remedy="Ask a client admin of your organization.",
        )
    return OrganizationId(organization_id)
