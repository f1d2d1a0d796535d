"""Who is told what by mail (R02): whoever works there, or decides about it; judged when it happens, and again when the mail is made."""

from collections.abc import Callable, Mapping
from typing import Final

from kit.auth import Viewer
from kit.errors import Denied
from services.identity.domain import OrganizationId, Role, UserId
from services.identity.domain.notices import Member, Place, Topic

LOOKS_ON: Final = frozenset({Role.CLIENT_ADMIN, Role.REPORTING_ONLY})
INSURANCE: Final = frozenset({Role.CLIENT_ADMIN, Role.INSURANCE_MANAGER})
ADMINS: Final = frozenset({Role.CLIENT_ADMIN})


def _works_there(member: Member, place: Place) -> bool:
    """As in referrals: staff and admins of the office, staff of the group, and the user who is the provider."""
    if place.provider_id is not None and place.provider_id in member.provider_ids:
        return True
    offices = frozenset({place.office_id} if place.office_id else ())
    if member.works_at(offices, Role.OFFICE_ADMIN, Role.OFFICE_STAFF):
        return True
    return place.group is not None and member.user_id in place.group.staff


def _decides_there(member: Member, place: Place) -> bool:
    """Client admins, and office admins of the office."""
    offices = frozenset({place.office_id} if place.office_id else ())
    return member.has(*ADMINS) or member.works_at(offices, Role.OFFICE_ADMIN)


def _reads_reports(member: Member, place: Place) -> bool:
    """As in reporting: whoever sees the whole organization, and office admins of the office, or of the group's offices."""
    offices = frozenset({place.office_id} if place.office_id else ())
    offices |= place.group.office_ids if place.group else frozenset()
    return member.has(*LOOKS_ON) or member.works_at(offices, Role.OFFICE_ADMIN)


def _does_campaigns(member: Member, _: Place) -> bool:
    """As in insurance: insurance managers of the whole organization, which a campaign is of, and client admins where there is none."""
    return member.has(*ADMINS) or (Role.INSURANCE_MANAGER, None) in member.grants


def _reviews_plans(member: Member, _: Place) -> bool:
    """As in insurance: insurance managers, also those of some offices only, and client admins where nobody is one of them all."""
    return member.has(*INSURANCE)


def _oneself(_member: Member, _: Place) -> bool:
    """It is told to just the one it is about."""
    return True


def _client_admin(member: Member, _: Place) -> bool:
    return member.has(*ADMINS)


_TOLD: Final[Mapping[Topic, Callable[[Member, Place], bool]]] = {
    Topic.NEW_REFERRAL: _works_there,
    Topic.OVERDUE: _works_there,
    Topic.DECLINED: _works_there,
    Topic.CANCELLED: _works_there,
    Topic.ATTENDANCE: _works_there,
    Topic.OUTCOME: _works_there,
    Topic.CAMPAIGN: _does_campaigns,
    Topic.CAMPAIGN_HERE: _reviews_plans,
    Topic.CAMPAIGN_REMINDED: _reviews_plans,
    Topic.CAMPAIGN_ESCALATED: _client_admin,
    Topic.MANAGER_MISSING: _client_admin,
    Topic.GO_LIVE_MISSED: _decides_there,
    Topic.OFFICE_UNCOVERED: _client_admin,
    Topic.TASK: _decides_there,
    Topic.CASE_READY: _client_admin,
    Topic.REMOVED_AS_ASKED: _client_admin,
    Topic.REMOVAL_HELD_UP: _client_admin,
    Topic.REPORT: _reads_reports,
    Topic.REVIEW_DUE: _reads_reports,
    Topic.FINDING: _reads_reports,
    Topic.TRAINING: _oneself,
    Topic.TRAINING_DUE: _oneself,
    Topic.TRAINING_OVERDUE: _oneself,
    Topic.GUIDE: _oneself,
    Topic.INVITATION_BOUNCED: _decides_there,
    Topic.INVITATION_EXPIRED: _decides_there,
    Topic.AWAY_ENDED: _client_admin,
    Topic.ROLES_CHANGED: _oneself,
}

_BY_ROLE: Final[Mapping[Callable[[Member, Place], bool], frozenset[Role]]] = {
    _works_there: frozenset(),
    _decides_there: ADMINS,
    _reads_reports: LOOKS_ON,
    _does_campaigns: INSURANCE,
    _reviews_plans: INSURANCE,
    _client_admin: ADMINS,
    _oneself: frozenset(),
}


def is_told(topic: Topic, member: Member, place: Place) -> bool:
    """Whether somebody is told of this by mail, as far as it is not for them to choose."""
    return _TOLD[topic](member, place)


def roles_told(topic: Topic) -> frozenset[Role]:
    """The roles whose holders are told of it wherever it happens."""
    return _BY_ROLE[_TOLD[topic]]


def reads_reports(member: Member) -> bool:
    """Whether somebody is told of progress reports at all: of the organization's, or of an office's."""
    return member.has(*LOOKS_ON, Role.OFFICE_ADMIN)


def permit_notices(viewer: Viewer) -> tuple[OrganizationId, UserId]:
    """Whose preferences, and where: everybody's own, in the organization they are signed in to. Support gets no such mail."""
    here = OrganizationId(viewer.require_organization())
    if viewer.support:
        raise Denied("Organizations write no notices to support.")
    return here, UserId(viewer.require_user())
