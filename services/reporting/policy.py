"""Who may read which report, and review it."""

from uuid import UUID

from kit.auth import Viewer
from kit.errors import Denied
from services.reporting.domain import Group, PublishedReport, ReportAction
from services.reporting.domain.findings import Finding, FindingAction, FindingState
from services.reporting.domain.guides import Guide, GuideAction, GuideState
from services.reporting.domain.performance import Scope
from services.reporting.domain.trainings import Training, TrainingAction


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
    if not _reads_some(viewer):
        raise not_yours()


def _reads_some(viewer: Viewer) -> bool:
    return viewer.client_admin or viewer.reporting_only or bool(viewer.office_admin_of)


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


def readable_offices(viewer: Viewer) -> frozenset[UUID] | None:
    """Whose numbers the viewer reads: None is the whole organization's; Denied for whoever reads no report at all (R31)."""
    permit_reading_some(viewer)
    return None if viewer.client_admin or viewer.reporting_only else viewer.office_admin_of


def measured(viewer: Viewer) -> Scope:
    """Whose deeds the viewer reads: as of other reports; who reads none of those and is a provider, the own (R31)."""
    if viewer.is_user and viewer.provider_id is not None and not _reads_some(viewer):
        viewer.require_organization()
        return Scope(provider_id=viewer.provider_id)
    offices = readable_offices(viewer)
    return Scope(None if offices is None else sorted(offices))


def sees_patients(viewer: Viewer, whose: Scope) -> bool:
    """Whether the viewer may open every referral behind it anyway: office admins, at their own offices, and providers their own.
    Nobody does by being a client admin."""
    if whose.provider_id is not None:
        return whose.provider_id == viewer.provider_id
    return whose.office_ids is not None and viewer.offices.issuperset(whose.office_ids)


def permit_insurance_reports(viewer: Viewer) -> frozenset[UUID] | None:
    """Whose numbers of insurance the viewer reads: as of other reports; insurance managers those of the whole organization, or of the
    offices whose plans they keep (R26)."""
    viewer.require_organization()
    if viewer.insurance_manager:
        return None
    if viewer.insurance_manager_of and not _reads_some(viewer):
        return viewer.insurance_manager_of
    offices = readable_offices(viewer)
    return None if offices is None else offices | viewer.insurance_manager_of


def permit_insurance_reviews(viewer: Viewer) -> None:
    """Denied but for client admins, who sees what they see, and insurance managers of the whole organization, which a review is of."""
    viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only or viewer.insurance_manager):
        raise Denied(
            "Insurance reviews are for client admins and insurance managers of the organization.",
            remedy="Ask one of them.",
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


# Best practice --------------------------------------------------------------------------------------------------------


def looks_on(viewer: Viewer, organization_id: UUID) -> bool:
    """Client admins of the organization, and who sees what they see."""
    own = viewer.is_user and viewer.organization_id == organization_id
    return own and (viewer.client_admin or viewer.reporting_only)


def permit_looking_on(viewer: Viewer) -> UUID:
    """The organization whose guides and trainings the viewer oversees: for client admins, and who sees what they see."""
    organization_id = viewer.require_organization()
    if not looks_on(viewer, organization_id):
        raise Denied("This is for client admins.", remedy="Ask a client admin.")
    return organization_id


def permit_practice(viewer: Viewer) -> UUID:
    """The organization whose guides, rules, findings and trainings the viewer keeps: for its client admins (R30, R32-R34)."""
    organization_id = viewer.require_organization()
    if not viewer.client_admin:
        raise Denied(
            "Guides, scorecard rules, findings and trainings are kept by client admins.",
            remedy="Ask a client admin.",
        )
    return organization_id


def may_read_guide(viewer: Viewer, guide: Guide, *, asked: bool) -> bool:
    """R30: a published guide is for who is asked to read it; client admins see every guide."""
    if looks_on(viewer, guide.organization_id):
        return True
    return asked and guide.state is GuideState.PUBLISHED


def guide_actions(
    viewer: Viewer, guide: Guide, *, has_draft: bool, unread: bool
) -> tuple[GuideAction, ...]:
    """What the viewer may do to the guide now. `unread`: it is asked of the viewer, who has not read the published version."""
    found: list[GuideAction] = []
    if viewer.client_admin and viewer.organization_id == guide.organization_id:
        found.append(GuideAction.CHANGE)
        if has_draft:
            found.append(GuideAction.PUBLISH)
        if guide.state is GuideState.PUBLISHED:
            found.append(GuideAction.WITHDRAW)
    if unread and not viewer.reporting_only:
        found.append(GuideAction.ACKNOWLEDGE)
    return tuple(found)


def may_read_practice(viewer: Viewer, organization_id: UUID, office_ids: frozenset[UUID]) -> bool:
    """R32: client admins, and who sees what they see, read every scorecard, finding and training; office admins those of their
    offices."""
    own = viewer.is_user and viewer.organization_id == organization_id
    return looks_on(viewer, organization_id) or (own and bool(viewer.office_admin_of & office_ids))


def sees_patients_at(viewer: Viewer, office_ids: frozenset[UUID]) -> bool:
    """Whether the viewer may open every referral at these offices, and so is told small cells of them: never by being a client
    admin."""
    return bool(office_ids) and viewer.offices >= office_ids


def finding_actions(viewer: Viewer, finding: Finding) -> tuple[FindingAction, ...]:
    """What the viewer may do to the finding now."""
    keeps = viewer.client_admin and viewer.organization_id == finding.organization_id
    if not keeps or finding.state is FindingState.CLOSED:
        return ()
    return tuple(FindingAction)


def permit_training(viewer: Viewer, *, asked: bool) -> None:
    """Denied unless the viewer was asked to do it (R34)."""
    viewer.require_organization()
    if not asked:
        raise Denied(
            "You were not asked to do this.", remedy="myTraining lists what you were asked to do."
        )


def training_actions(
    viewer: Viewer, training: Training, *, standing: bool, to_do: bool
) -> tuple[TrainingAction, ...]:
    """What the viewer may do to the training now. `to_do`: it is for them to say that they have done it."""
    found: list[TrainingAction] = []
    keeps = viewer.client_admin and viewer.organization_id == training.organization_id
    if to_do and not viewer.reporting_only:
        found.append(TrainingAction.COMPLETE)
    if keeps and standing:
        found.append(TrainingAction.CANCEL)
    return tuple(found)
