"""Who may read which report, and review it."""

from uuid import UUID

from kit.auth import Viewer
from kit.errors import Denied
from services.reporting.domain import Group, PublishedReport, ReportAction


def may_read(viewer: Viewer, group: Group) -> bool:
    """R31: client admins, and who sees what they see, read the reports of the whole organization; office admins those of groups
    at their offices."""
    if not viewer.is_user or viewer.organization_id != group.organization_id:
        return False
    everywhere = viewer.client_admin or viewer.reporting_only
    return everywhere or bool(viewer.office_admin_of & group.office_ids)


def permit_reading_some(viewer: Viewer) -> None:
    """Denied for whoever reads no report at all; which ones the others read is `may_read`'s to say."""
    viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only or viewer.office_admin_of):
        raise not_yours()


def permit_reading(viewer: Viewer, group: Group) -> None:
    """Denied unless `may_read`, for a group of the viewer's own organization."""
    if not may_read(viewer, group):
        raise not_yours()


def not_yours() -> Denied:
    """The refusal of a report of the viewer's own organization."""
    return Denied(
        "Progress reports are for client admins, and for office admins of the group's offices.",
        remedy="Ask a client admin for the report.",
    )


def allowed_actions(
    viewer: Viewer, group: Group, report: PublishedReport
) -> tuple[ReportAction, ...]:
    """What the viewer may do to a published report now: whoever reads it, and does not only look, may review it, once."""
    if report.reviewed_at is not None or viewer.reporting_only or not may_read(viewer, group):
        return ()
    return (ReportAction.MARK_REVIEWED,)


def permit_audit(viewer: Viewer) -> UUID:
    """The organization whose audit trail the viewer may read: for its client admins, and for support while it acts there."""
    organization_id = viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only or viewer.support):
        raise Denied(
            "The audit trail is for client admins.",
            remedy="Ask a client admin of your organization.",
        )
    return organization_id
