"""Who may see and do what in the directory: one small function per question."""

from collections.abc import Iterable
from datetime import date

from kit.auth import Kind, Viewer
from kit.errors import Denied, NotFound
from services.directory.domain.allowed import (
    FeedAction,
    GroupAction,
    OfficeAction,
    PlacementAction,
    ProviderAction,
    SuggestionAction,
    TaskAction,
)
from services.directory.domain.feed import FeedItem
from services.directory.domain.nouns import (
    Group,
    GroupState,
    Office,
    OfficeId,
    OfficeState,
    OrganizationId,
    Placement,
    Provider,
    ProviderState,
    Suggestion,
    UserId,
)
from services.directory.domain.tasks import Task

CALLERS = {
    "Receiver": frozenset({"referrals"}),
    "Suggest": frozenset({"referrals"}),
    "Sender": frozenset({"referrals"}),
    "Placements": frozenset({"insurance"}),
    "Offices": frozenset({"identity", "referrals"}),
    "Providers": frozenset({"identity", "reporting"}),
    "UserGroups": frozenset({"identity"}),
}
"""Which parts of the suite have business with which RPC; the door refuses the others."""


# Who --------------------------------------------------------------------------------------------------------------------


def acting(viewer: Viewer) -> OrganizationId:
    """The organization the viewer acts in; refused when nobody is signed in, or somebody without an organization."""
    return OrganizationId(viewer.require_organization())


def acting_user(viewer: Viewer) -> UserId:
    """The user who acts."""
    return UserId(viewer.require_user())


def is_own(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """Whether the thing belongs to the organization the viewer works for."""
    return viewer.is_user and viewer.organization_id == organization_id


def is_client_admin(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """Whether the viewer is a client admin of that organization."""
    return is_own(viewer, organization_id) and viewer.client_admin


def manages_any(
    viewer: Viewer, organization_id: OrganizationId, offices: Iterable[OfficeId]
) -> bool:
    """Client admins manage every office of the organization, office admins their own."""
    if is_client_admin(viewer, organization_id):
        return True
    return is_own(viewer, organization_id) and not viewer.office_admin_of.isdisjoint(offices)


def permit_client_admin(viewer: Viewer, organization_id: OrganizationId) -> None:
    """NotFound for another organization's thing, Denied for anybody but a client admin (R02)."""
    require_own(viewer, organization_id)
    _require(viewer.client_admin, "Only a client admin may do this.")


def _require(allowed: bool, message: str, ask: str = "a client admin of your organization") -> None:  # noqa: FBT001 - the question
    if not allowed:
        raise Denied(message, remedy=f"Ask {ask}.")


def permit_any_admin(viewer: Viewer, organization_id: OrganizationId) -> None:
    """R09: client admins, and office admins of any office, may ask for a new provider."""
    require_own(viewer, organization_id)
    allowed = viewer.client_admin or bool(viewer.office_admin_of)
    _require(
        allowed, "Only a client admin or an office admin may do this.", "an admin of your office"
    )


def permit_office(viewer: Viewer, organization_id: OrganizationId, *offices: OfficeId) -> None:
    """R09: client admins at every office, office admins at their own: here, at one of `offices`."""
    require_own(viewer, organization_id)
    allowed = manages_any(viewer, organization_id, offices)
    _require(allowed, "You do not manage this office.", "an admin of the office or a client admin")


def permit_support(viewer: Viewer) -> None:
    """What the whole network shares, specialties and postal codes, is kept by support."""
    viewer.require_user()
    if not viewer.support:
        raise Denied(
            "Specialties and postal codes are kept by support.",
            remedy="Ask support with requestSupport to import them.",
        )


def permit_override(viewer: Viewer, organization_id: OrganizationId) -> None:
    """R25: support, while it acts inside the organization (break-glass); Denied SUPPORT_ONLY for everybody else of it."""
    require_own(viewer, organization_id)
    if not viewer.support:
        raise Denied(
            "Only support may do this.",
            code="SUPPORT_ONLY",
            remedy="Ask support with requestSupport: code GROUP_NOT_STAFFED, verb overrideGroupStaffing, and the group's id.",
        )


def require_own(viewer: Viewer, organization_id: OrganizationId) -> None:
    """Another organization's thing answers exactly like one that never was."""
    if acting(viewer) != organization_id:
        raise unknown("thing")


def unknown(thing: str, field: str | None = None) -> NotFound:
    """The answer to an unknown id and to another organization's alike."""
    return NotFound(
        f"There is no such {thing}.", field=field, remedy="Check the id; it may have been removed."
    )


# Seeing -----------------------------------------------------------------------------------------------------------------


def permit_reading(viewer: Viewer) -> None:
    """The directory is open to every signed-in user of the network."""
    viewer.require_user()


def permit_asking(viewer: Viewer) -> None:
    """Our own services ask for themselves or for a signed-in user, never for nobody."""
    if viewer.kind is not Kind.SERVICE:
        viewer.require_user()


def may_ask_about(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """Our own services about everybody, users about their own organization."""
    return viewer.kind is Kind.SERVICE or is_own(viewer, organization_id)


def may_see_provider(viewer: Viewer, provider: Provider) -> bool:
    """Own ones in every state; others once they have been approved. A provider who left keeps a name for the other side."""
    return is_own(viewer, provider.organization_id) or provider.approved_at is not None


def may_see_office(viewer: Viewer, office: Office) -> bool:
    """Own ones in every state; others once they have been live (R16)."""
    return is_own(viewer, office.organization_id) or office.live_at is not None


def may_see_group(viewer: Viewer, group: Group) -> bool:
    """Own ones in every state; others once they have been ready (R23, R24: history keeps the name)."""
    return is_own(viewer, group.organization_id) or group.ready_at is not None


def may_find_group(viewer: Viewer, group: Group) -> bool:
    """In lists: own ones in every state; others while they are ready. One that was ready once keeps a name, and no more."""
    return is_own(viewer, group.organization_id) or group.state is GroupState.READY


def may_see_placement(
    viewer: Viewer, placement: Placement, provider: Provider, office: Office, today: date
) -> bool:
    """Own ones all; others where and when a patient can be seen."""
    if is_own(viewer, placement.organization_id):
        return True
    open_now = office.state in {OfficeState.LIVE, OfficeState.CLOSING}
    return provider.state is ProviderState.APPROVED and open_now and placement.covers(today)


def may_change_provider(viewer: Viewer, provider: Provider, offices: Iterable[OfficeId]) -> bool:
    """Client admins; office admins what they asked for themselves, and those who work at their offices (R09)."""
    if is_client_admin(viewer, provider.organization_id):
        return True
    if not is_own(viewer, provider.organization_id) or not viewer.office_admin_of:
        return False
    return provider.added_by == viewer.user_id or not viewer.office_admin_of.isdisjoint(offices)


def permit_change(
    viewer: Viewer, provider: Provider, offices: Iterable[OfficeId], *, asking: bool = False
) -> None:
    """Denied unless `may_change_provider`; who is only `asking` may be the provider as well (`may_ask_for_change`)."""
    require_own(viewer, provider.organization_id)
    asks = asking and may_ask_for_change(viewer, provider)
    if not asks and not may_change_provider(viewer, provider, offices):
        raise Denied(
            "You may not change this provider.",
            remedy="Ask a client admin, or an admin of an office where the provider works.",
        )


def may_ask_for_change(viewer: Viewer, provider: Provider) -> bool:
    """§2: of the own record, once it is approved; a client admin decides (R11)."""
    mine = is_own(viewer, provider.organization_id) and viewer.provider_id == provider.id
    return mine and provider.state is ProviderState.APPROVED


# What may be done now -----------------------------------------------------------------------------------------------------

_LIVING = frozenset(ProviderState) - {ProviderState.OFFBOARDING, ProviderState.REMOVED}


def provider_actions(
    viewer: Viewer, provider: Provider, offices: Iterable[OfficeId]
) -> tuple[ProviderAction, ...]:
    """What the viewer may do with the provider now; `offices` are those where the provider works."""
    if not may_change_provider(viewer, provider, offices):
        return _asking(viewer, provider)
    found = []
    if provider.state in _LIVING:
        found.append(ProviderAction.CHANGE)
    if provider.state in {ProviderState.DRAFT, ProviderState.REJECTED}:
        found.append(ProviderAction.SUBMIT)
    if provider.state is ProviderState.APPROVED:
        found.append(ProviderAction.VERIFY)
    if viewer.client_admin:
        found += _deciding(provider)
    if provider.state in _LIVING:
        found.append(ProviderAction.PLACE)
    return tuple(found)


def _asking(viewer: Viewer, provider: Provider) -> tuple[ProviderAction, ...]:
    """What is open to who may not change the provider: the own record, and placing at the own offices (R09)."""
    asks = [ProviderAction.CHANGE] if may_ask_for_change(viewer, provider) else []
    places = is_own(viewer, provider.organization_id) and viewer.office_admin_of
    return (*asks, *([ProviderAction.PLACE] if places and provider.state in _LIVING else []))


def _deciding(provider: Provider) -> list[ProviderAction]:
    if provider.state is ProviderState.REMOVED:
        return []
    found = []
    waits = provider.state is ProviderState.APPROVED and provider.proposed is not None
    if provider.state is ProviderState.SUBMITTED or waits:
        found += [ProviderAction.APPROVE, ProviderAction.REJECT]
    removing = [ProviderAction.REMOVE, ProviderAction.REMOVE_WHEN_EMPTY]
    if provider.state is not ProviderState.OFFBOARDING:
        return [*found, ProviderAction.MERGE, ProviderAction.START_OFFBOARDING, *removing]
    called_off = [ProviderAction.CALL_OFF_REMOVAL] if provider.removal_asked_at else []
    return [*found, ProviderAction.KEEP, *removing, *called_off]


def office_actions(viewer: Viewer, office: Office) -> tuple[OfficeAction, ...]:
    """What the viewer may do with the office now."""
    found = []
    is_open = office.state in {OfficeState.PLANNED, OfficeState.READY, OfficeState.LIVE}
    if is_open and manages_any(viewer, office.organization_id, [office.id]):
        found += [OfficeAction.ATTEST_ROSTER, OfficeAction.PLACE_PROVIDER]
    if not is_client_admin(viewer, office.organization_id):
        return tuple(found)
    if is_open:
        found.append(OfficeAction.CHANGE)
    if is_open and office.closes_on is None:
        found.append(OfficeAction.CLOSE)
    if office.state is OfficeState.CLOSING or (is_open and office.closes_on is not None):
        found.append(OfficeAction.KEEP)
    if office.state is OfficeState.CLOSED:
        found.append(OfficeAction.REOPEN)
    return tuple(found)


def placement_actions(
    viewer: Viewer, placement: Placement, today: date
) -> tuple[PlacementAction, ...]:
    """What the viewer may do with the placement now."""
    managed = manages_any(viewer, placement.organization_id, [placement.office_id])
    if not managed or not placement.remains(today):
        return ()
    return (PlacementAction.END, PlacementAction.SET_ACCEPTING_NEW_PATIENTS)


def group_actions(viewer: Viewer, group: Group) -> tuple[GroupAction, ...]:
    """What the viewer may do with the group now (R23: office admins keep members and staff at their offices)."""
    if group.state not in {GroupState.INCOMPLETE, GroupState.READY}:
        return ()
    if not manages_any(viewer, group.organization_id, group.office_ids):
        return ()
    both = (GroupAction.CHANGE_MEMBERS, GroupAction.CHANGE_STAFF)
    if not is_client_admin(viewer, group.organization_id):
        return both
    return (GroupAction.CHANGE_FLAGS, *both, GroupAction.REMOVE, *_overriding(viewer, group))


def _overriding(viewer: Viewer, group: Group) -> tuple[GroupAction, ...]:
    """R25: support overrides inside the organization; its client admins as well take that back."""
    if group.overridden_at is not None:
        return (GroupAction.END_OVERRIDE,)
    unstaffed = viewer.support and group.state is GroupState.INCOMPLETE
    return (GroupAction.OVERRIDE_STAFFING,) if unstaffed else ()


def suggestion_actions(viewer: Viewer, suggestion: Suggestion) -> tuple[SuggestionAction, ...]:
    """What the viewer may do with the suggestion now."""
    if suggestion.closed_at is not None or not is_client_admin(viewer, suggestion.organization_id):
        return ()
    return tuple(SuggestionAction)


def permit_audit(viewer: Viewer) -> OrganizationId:
    """The organization whose audit trail the viewer may read: for its client admins, and for support while it acts there."""
    organization_id = viewer.require_organization()
    allowed = viewer.client_admin or viewer.reporting_only or viewer.support
    _require(allowed, "The audit trail is for client admins.")
    return OrganizationId(organization_id)


def task_actions(viewer: Viewer, task: Task) -> tuple[TaskAction, ...]:
    """What the viewer may do with the task now."""
    if task.closed_at is not None or not is_client_admin(viewer, task.organization_id):
        return ()
    return (TaskAction.DISMISS,)


def task_offices(viewer: Viewer) -> frozenset[OfficeId] | None:
    """About which offices the viewer is shown tasks: client admins everything (None), office admins their own (R06, R23)."""
    permit_any_admin(viewer, acting(viewer))
    return None if viewer.client_admin else frozenset(map(OfficeId, viewer.office_admin_of))


def permit_figures(viewer: Viewer) -> OrganizationId:
    """The organization whose figures the viewer reads: for its client admins, and who looks on with them (§2, R06)."""
    own = acting(viewer)
    allowed = viewer.client_admin or viewer.reporting_only
    _require(allowed, "These figures are for client admins.")
    return own


def permit_feed(viewer: Viewer) -> OrganizationId:
    """The organization whose feed the viewer reads: for its call centre, its client admins, and who looks on with them (R10)."""
    own = acting(viewer)
    allowed = viewer.call_centre or viewer.client_admin or viewer.reporting_only
    _require(allowed, "The feed of changes is for the call centre and for client admins.")
    return own


def permit_acknowledging(viewer: Viewer) -> OrganizationId:
    """The organization whose feed the viewer takes note of: the call centre's own users, who have to know (R10)."""
    own = acting(viewer)
    ask = "somebody of the call centre"
    _require(viewer.call_centre, "Only users of the call centre acknowledge what has changed.", ask)
    return own


def feed_actions(viewer: Viewer, item: FeedItem) -> tuple[FeedAction, ...]:
    """What the viewer may do with what was told now (R10)."""
    if item.acknowledged_at is not None or not is_own(viewer, item.organization_id):
        return ()
    return (FeedAction.ACKNOWLEDGE,) if viewer.call_centre else ()
