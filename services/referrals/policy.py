"""Who may see and do what with referrals. The only service with patients' data: everything not said here is refused."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kit.auth import Kind, Viewer
from kit.errors import Denied, NotFound
from services.referrals.domain import (
    MOVES,
    Action,
    ActionExplained,
    Because,
    CaseAction,
    CaseState,
    Explained,
    GroupId,
    Hop,
    OfficeId,
    OrganizationId,
    Party,
    ProviderId,
    Queue,
    Referral,
    Side,
    hindrance,
    possible,
    takers,
)

CALLERS = {
    "RaiseFence": frozenset({"directory"}),
    "LowerFence": frozenset({"directory"}),
    "OpenWork": frozenset({"directory"}),
    "EndAccess": frozenset({"directory"}),
    "HandOver": frozenset({"directory"}),
    "UserWork": frozenset({"identity"}),
}
"""Which parts of the suite have business with which RPC; the door refuses the others."""


class Sight(StrEnum):
    """How much of a referral a viewer sees.

    FULL: everything, the patient included. PAST: that it was here, and its status now; the receiver forwarded it or the sender
    took it elsewhere, so nothing later and nothing about the patient.
    """

    FULL = "FULL"
    PAST = "PAST"


@dataclass(frozen=True, slots=True)
class Access:
    """What the tables know of the viewer now: the groups worked for, and the providers whose referrals the viewer's
    organization has lost (R14)."""

    groups: frozenset[GroupId] = frozenset()
    removed: frozenset[ProviderId] = frozenset()


def works_for(viewer: Viewer, access: Access, party: Party) -> bool:
    """Whether the viewer is staff or admin of the end's office, staff of its group, or its provider, in its organization.

    Client admins, insurance managers and the call centre have no queue as such. Nobody of an organization works for a
    provider that was removed from it (R14).
    """
    if not viewer.is_user or viewer.organization_id != party.organization_id:
        return False
    if party.provider_id in access.removed:
        return False
    oneself = party.provider_id is not None and party.provider_id == viewer.provider_id
    return oneself or party.office_id in viewer.offices or party.group_id in access.groups


def sides(viewer: Viewer, access: Access, referral: Referral) -> frozenset[Side]:
    """The sides on which the viewer works with the referral. What was never sent has no receiving side."""
    found = set[Side]()
    if works_for(viewer, access, referral.sender):
        found.add(Side.SENDING)
    receiver = referral.receiver
    if referral.sent_at is not None and receiver and works_for(viewer, access, receiver):
        found.add(Side.RECEIVING)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Seen:
    """A referral as one viewer sees it: with PAST sight, everything later than the viewer's own hop is gone from it."""

    referral: Referral
    sight: Sight
    sides: frozenset[Side]
    allowed: tuple[Action, ...]
    hops: tuple[Hop, ...]


def seen(
    viewer: Viewer, access: Access, referral: Referral, hops: tuple[Hop, ...], now: datetime
) -> Seen | None:
    """What the viewer sees of the referral now; None when nothing."""
    mine = sides(viewer, access, referral)
    if mine:
        allowed = allowed_actions(viewer, access, referral, now)
        return Seen(referral, Sight.FULL, mine, allowed, hops)
    past = [hop for hop in hops if hop.left_at and works_for(viewer, access, hop.party)]
    if not past:
        return None
    return Seen(_as_it_left(referral, past[-1]), Sight.PAST, mine, (), tuple(past))


def out_of_sight(referral: Referral, left: Party) -> Seen:
    """What is told to who has just moved a referral to an office the viewer does not work for: that it left."""
    stamp = referral.sent_at or referral.created_at
    hop = Hop(
        referral.id, referral.hop, left.organization_id, left.office_id, left.provider_id,
        left.group_id, stamp, referral.changed_at, None, None,
    )  # fmt: skip
    return Seen(_as_it_left(referral, hop), Sight.PAST, frozenset(), (), (hop,))


def _as_it_left(referral: Referral, hop: Hop) -> Referral:
    """Who sent it, the hop's own receiver, and the status now: nothing of the patient, of where it went and what was done there."""
    return replace(
        referral,
        receiving_organization_id=hop.organization_id,
        receiving_office_id=hop.office_id,
        receiving_provider_id=hop.provider_id,
        receiving_group_id=hop.group_id,
        plan_id=None,
        second_plan_id=None,
        plan_acceptance=None,
        plan_asked=0,
        plan_accepting=0,
        outside_plan_reason=None,
        externally_managed=False,
        authorization=None,
        hop=hop.hop,
        claimed_by=None,
        callback_at=None,
        appointment_at=None,
        reason_kind=None,
        reason_code=None,
        outcome=None,
        outcome_at=None,
        received_at=hop.received_at,
        status_since=hop.left_at or hop.received_at,
        changed_at=hop.left_at or hop.received_at,
    )


def explained(
    viewer: Viewer, access: Access, referral: Referral | None, hops: Iterable[Hop]
) -> tuple[Explained, ...]:
    """Why the viewer sees the referral, or does not. What is another organization's, or lost to it (R14), is UNKNOWN like what
    never was; within the organization it is said at which office it is."""
    if referral is None:
        return (Explained(Because.UNKNOWN),)
    ends = [(referral.sender, _SENDING)]
    if referral.sent_at is not None and referral.receiver is not None:
        ends.append((referral.receiver, _RECEIVING))
    found = [
        Explained(_because(viewer, access, end, words), end.office_id)
        for end, words in ends
        if works_for(viewer, access, end)
    ]
    past = [hop.party for hop in hops if hop.left_at]
    if not found:
        was = [end for end in past if works_for(viewer, access, end)]
        found = [Explained(Because.PAST_RECEIVER, end.office_id) for end in was[-1:]]
    if not found:
        here = [end for end, _ in ends if _of_own(viewer, access, end)]
        found = [Explained(Because.NOT_ON_STAFF, end.office_id) for end in here]
    reports = referral.externally_managed and Side.SENDING in sides(viewer, access, referral)
    if reports:
        found.append(Explained(Because.EXTERNALLY_MANAGED, referral.receiving_office_id))
    return tuple(found) or (Explained(Because.UNKNOWN),)


_SENDING = (Because.SENDING_OFFICE, Because.SENDING_GROUP, Because.SENDING_PROVIDER)
_RECEIVING = (Because.RECEIVING_OFFICE, Because.RECEIVING_GROUP, Because.RECEIVING_PROVIDER)


def _because(
    viewer: Viewer, access: Access, end: Party, words: tuple[Because, Because, Because]
) -> Because:
    """By what the viewer works for the end: an office before a group, and either before being the provider."""
    at_office, for_group, as_provider = words
    if end.office_id in viewer.offices:
        return at_office
    return for_group if end.group_id in access.groups else as_provider


def _of_own(viewer: Viewer, access: Access, end: Party) -> bool:
    own = viewer.is_user and viewer.organization_id == end.organization_id
    return own and end.provider_id not in access.removed


def explained_actions(
    viewer: Viewer, access: Access, referral: Referral, now: datetime
) -> tuple[ActionExplained, ...]:
    """For each action whether a viewer who sees the referral may take it now, and why not."""
    mine = sides(viewer, access, referral)
    return tuple(
        ActionExplained(
            action,
            hindrance(referral, action, now)
            if takers(referral, action) & mine
            else wrong_side(action),
        )
        for action in Action
    )


def allowed_actions(
    viewer: Viewer, access: Access, referral: Referral, now: datetime
) -> tuple[Action, ...]:
    """What the viewer may do to this version of the referral now; never to be cached."""
    mine = sides(viewer, access, referral)
    able = {action for side in mine for action in possible(referral, side, now)}
    return tuple(action for action in Action if action in able)


def permit(
    viewer: Viewer, access: Access, referral: Referral | None, hops: Iterable[Hop], action: Action
) -> Referral:
    """The referral, if the viewer's side may take the action: only the current receiver changes a status, only the sender
    cancels. NotFound where the viewer sees nothing, exactly as for an unknown id."""
    if referral is None:
        raise unknown_referral()
    mine = sides(viewer, access, referral)
    if not mine and not any(works_for(viewer, access, hop.party) for hop in hops if hop.left_at):
        raise unknown_referral()
    if not takers(referral, action) & mine:
        raise wrong_side(action)
    return referral


def wrong_side(action: Action) -> Denied:
    """The refusal of what only the other side may do."""
    return Denied(
        f"Only the {MOVES[action].side.value.lower()} side may do this.",
        code="WRONG_SIDE",
        remedy="Choose one of the referral's allowedActions.",
    )


def unknown_referral() -> NotFound:
    """One answer for what never was, what is another organization's, and what is lost (R14)."""
    return NotFound("There is no such referral.", field="referralId")


def unknown_attachment(code: str = "NOT_FOUND") -> NotFound:
    """One answer for what never was, what is another organization's, and what is lost (R14)."""
    return NotFound("There is no such attachment.", code=code, field="attachmentId")


def permit_sending_as(viewer: Viewer, access: Access, sender: Party) -> None:
    """Denied unless the viewer works for the sending office or group, or is the provider. An office of another organization
    answers as any office the viewer does not work for."""
    viewer.require_organization()
    if not works_for(viewer, access, sender):
        raise Denied(
            "You do not work for that office or group.",
            field="sender",
            remedy="Send from an office you are staff of, or a group you work for.",
        )


def has_queue(viewer: Viewer, access: Access, queue: Queue) -> bool:
    """Whether the viewer works for the queue's office or group, or is its provider (unless removed: R14). Client admins as such
    have no queue."""
    if queue.provider_id is not None:
        return queue.provider_id == viewer.provider_id and queue.provider_id not in access.removed
    return queue.office_id in viewer.offices or queue.group_id in access.groups


def permit_queue(viewer: Viewer, access: Access, queue: Queue) -> None:
    """Denied unless `has_queue`."""
    viewer.require_organization()
    if not has_queue(viewer, access, queue):
        raise Denied(
            "You have no work queue there.",
            remedy="Ask an office admin for a place on its staff.",
        )


def may_count(viewer: Viewer, access: Access) -> bool:
    """Whether the viewer may know how much open work there is (numbers only): client admins, who sees what they see, and
    whoever works referrals."""
    if not viewer.is_user or viewer.organization_id is None:
        return False
    looks_on = viewer.client_admin or viewer.reporting_only
    return looks_on or bool(viewer.offices) or bool(access.groups)


def permit_counting(viewer: Viewer, access: Access) -> None:
    """Denied unless `may_count`."""
    viewer.require_organization()
    if not may_count(viewer, access):
        raise Denied("Open work is shown to client admins and to those who work referrals.")


def cases_of(viewer: Viewer, access: Access) -> tuple[Collection[UUID], Collection[GroupId]] | None:
    """Whose items of a leaving provider's case the viewer is shown: None, everybody's, for client admins and who sees what they
    see; for others those of the own offices and groups (R13)."""
    if viewer.client_admin or viewer.reporting_only:
        return None
    return viewer.offices, access.groups


def case_actions(viewer: Viewer, state: CaseState) -> tuple[CaseAction, ...]:
    """What directory does for the viewer about a provider whose case stands so: to client admins, removal once nothing is open,
    or the wish for it before."""
    if not viewer.client_admin or state is CaseState.CLOSED:
        return ()
    ready = state is CaseState.READY
    removing = CaseAction.REMOVE_PROVIDER if ready else CaseAction.REMOVE_WHEN_EMPTY
    return CaseAction.KEEP_PROVIDER, removing


def permit_targets(viewer: Viewer) -> OrganizationId:
    """The targets of an organization are its client admins' to change."""
    organization_id = viewer.require_organization()
    if not viewer.client_admin:
        raise Denied(
            "Only a client admin may change the targets.",
            remedy="Ask a client admin of your organization.",
        )
    return OrganizationId(organization_id)


def permit_external(viewer: Viewer, office_id: OfficeId) -> OrganizationId:
    """Whether an office works in the suite or outside of it is for its client admins and its own admins to say."""
    organization_id = viewer.require_organization()
    if not may_say_external(viewer, office_id):
        raise Denied(
            "Only a client admin or an admin of the office may say so.",
            remedy="Ask a client admin of your organization.",
        )
    return OrganizationId(organization_id)


def may_say_external(viewer: Viewer, office_id: OfficeId) -> bool:
    """Whether `permit_external` lets the viewer, for an office of the own organization."""
    return viewer.is_user and (viewer.client_admin or office_id in viewer.office_admin_of)


def permit_keys(viewer: Viewer) -> None:
    """New keys for patients' data are support's to make."""
    viewer.require_user()
    if not viewer.support:
        raise Denied("Only support may do this.", remedy="Ask support with requestSupport.")


def unknown_organization() -> NotFound:
    """One answer for what never was and what has sent nothing."""
    return NotFound("There is no such organization.", field="organizationId")


def permit_directory(viewer: Viewer) -> None:
    """Fences and open work are told to directory and nobody else."""
    if viewer.kind is not Kind.SERVICE or viewer.service != "directory":
        raise Denied("This is for the directory service.")


def permit_identity(viewer: Viewer) -> None:
    """What is in a user's hands is told to identity, before it deactivates the user, and to nobody else (R07)."""
    if viewer.kind is not Kind.SERVICE or viewer.service != "identity":
        raise Denied("This is for the identity service.")


def permit_access_then(viewer: Viewer) -> OrganizationId:
    """The organization of whose people the viewer may ask who could see a referral, and who did."""
    organization_id = viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only):
        raise Denied("Who could see a referral is for client admins to know.")
    return OrganizationId(organization_id)


def permit_audit(viewer: Viewer) -> OrganizationId:
    """The organization whose audit trail the viewer may read: for its client admins, and for support while it acts there."""
    organization_id = viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only or viewer.support):
        raise Denied(
            "The audit trail is for client admins.",
            remedy="Ask a client admin of your organization.",
        )
    return OrganizationId(organization_id)
