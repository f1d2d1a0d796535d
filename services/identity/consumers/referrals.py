"""What people are told by mail of referrals: an organization hears of its own end, and there whoever works for it."""

from kit.db import Connection
from kit.inbox import Heard, Hearing
from kit.service import Parts
from proto.referrals.v1.events_pb2 import (
    OffboardingCaseClosed,
    OffboardingCaseReady,
    OffboardingCaseReopened,
    ReferralAcknowledged,
    ReferralAppointmentCancelled,
    ReferralAppointmentPassed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralForwarded,
    ReferralNoShow,
    ReferralOutcomeAttached,
    ReferralOverdue,
    ReferralReassigned,
    ReferralScheduled,
    ReferralSent,
    ReferralState,
)
from services.identity.actions import Means
from services.identity.consumers.post import Post
from services.identity.domain.notices import RECEIVING, SENDING, Topic


def _place(state: ReferralState) -> tuple[str, str]:
    """The end of the referral that this copy of the fact is for: office and group."""
    if state.side == "RECEIVING":
        return state.receiving_office_id, state.receiving_group_id
    return state.sending_office_id, state.sending_group_id


def _acts(state: ReferralState) -> bool:
    """Whether this side is to act on the referral now: the receiver, or the sender for one who works outside of the suite."""
    outside = state.externally_managed or not state.receiving_organization_id
    return state.side == ("SENDING" if outside else "RECEIVING")


def _provider(state: ReferralState) -> str:
    """Who it is on the side of this copy."""
    receives = state.side == "RECEIVING"
    return state.receiving_provider_id if receives else state.sending_provider_id


class _News(Post):
    """What was dealt with before the mail left is not told. Providers are told of what is theirs, as whoever works there is."""

    async def _tell(self, tx: Connection, heard: Heard, topic: Topic) -> None:
        state: ReferralState = heard.fact.referral
        await self.tell(tx, heard, topic, *_place(state))
        await self.tell_provider(tx, heard, topic, _provider(state))

    async def sent(self, tx: Connection, heard: Heard) -> None:
        """Sent, or sent again after it was declined: of what is sent for the first time nothing waits."""
        fact: ReferralSent = heard.fact
        again = fact.referral.hop != 1
        if fact.referral.side == "RECEIVING":
            await self._arrived(tx, heard, again=again)
        elif again:
            await self.forget(tx, heard, *SENDING)

    async def moved(self, tx: Connection, heard: Heard) -> None:
        """Reassigned or forwarded. Whoever forwarded it hears of it with the state as it left."""
        fact: ReferralReassigned | ReferralForwarded = heard.fact
        if fact.referral.side != "RECEIVING":
            return
        office, group = _place(fact.referral)
        if office != fact.from_office_id or (group and group != fact.from_group_id):
            await self._arrived(tx, heard)
        elif isinstance(fact, ReferralForwarded):
            await self.forget(tx, heard, *RECEIVING)
        elif _provider(fact.referral) != fact.from_provider_id:
            await self.forget_provider(tx, heard, fact.from_provider_id)
            await self._chosen(tx, heard)

    async def _chosen(self, tx: Connection, heard: Heard) -> None:
        """Whoever works there knows it; the provider is new to it."""
        state: ReferralState = heard.fact.referral
        if _acts(state):
            await self.tell_provider(tx, heard, Topic.NEW_REFERRAL, _provider(state))

    async def _arrived(self, tx: Connection, heard: Heard, *, again: bool = True) -> None:
        state: ReferralState = heard.fact.referral
        if again:
            await self.forget(tx, heard, *RECEIVING)
        if _acts(state):
            await self._tell(tx, heard, Topic.NEW_REFERRAL)

    async def acknowledged(self, tx: Connection, heard: Heard) -> None:
        """The receiver has taken note; a group has chosen who sees the patient."""
        await self.acted(tx, heard)
        state: ReferralState = heard.fact.referral
        if state.side == "RECEIVING" and state.receiving_group_id:
            await self._chosen(tx, heard)

    async def acted(self, tx: Connection, heard: Heard) -> None:
        """The receiver has done what there was to do for now."""
        if _acts(heard.fact.referral):
            await self.forget(tx, heard, *RECEIVING)

    async def overdue(self, tx: Connection, heard: Heard) -> None:
        """Not acknowledged or decided in time."""
        await self._to_do(tx, heard, Topic.OVERDUE)

    async def passed(self, tx: Connection, heard: Heard) -> None:
        """The appointment has passed: somebody is to say what came of it."""
        await self._to_do(tx, heard, Topic.ATTENDANCE)

    async def _to_do(self, tx: Connection, heard: Heard, topic: Topic) -> None:
        state: ReferralState = heard.fact.referral
        if _acts(state):
            await self._tell(tx, heard, topic)

    async def declined(self, tx: Connection, heard: Heard) -> None:
        """It goes back to the sender."""
        await self._answered(tx, heard, Topic.DECLINED)

    async def completed(self, tx: Connection, heard: Heard) -> None:
        """It came to its end, or the receiver said what came of it."""
        await self._answered(tx, heard, Topic.OUTCOME)

    async def _answered(self, tx: Connection, heard: Heard, topic: Topic) -> None:
        await self.acted(tx, heard)
        state: ReferralState = heard.fact.referral
        if state.side == "SENDING":
            await self._tell(tx, heard, topic)

    async def cancelled(self, tx: Connection, heard: Heard) -> None:
        """The sender does not want it any more."""
        state: ReferralState = heard.fact.referral
        receiving = state.side == "RECEIVING"
        await self.forget(tx, heard, *(RECEIVING if receiving else SENDING))
        if receiving and _acts(state):
            await self._tell(tx, heard, Topic.CANCELLED)


class _Cases(Post):
    async def ready(self, tx: Connection, heard: Heard) -> None:
        """R15: nothing is open with somebody who leaves, and who can be removed now."""
        await self.tell(tx, heard, Topic.CASE_READY)

    async def otherwise(self, tx: Connection, heard: Heard) -> None:
        """Something is open again, or the case is closed."""
        await self.forget(tx, heard, Topic.CASE_READY)


def news_of_referrals(parts: Parts[Means]) -> list[Hearing]:
    """The handlers of referrals' facts."""
    news = _News(parts)
    handlers = {
        ReferralSent: news.sent,
        ReferralForwarded: news.moved,
        ReferralReassigned: news.moved,
        ReferralAcknowledged: news.acknowledged,
        ReferralScheduled: news.acted,
        ReferralAppointmentCancelled: news.acted,
        ReferralNoShow: news.acted,
        ReferralOverdue: news.overdue,
        ReferralAppointmentPassed: news.passed,
        ReferralDeclined: news.declined,
        ReferralCompleted: news.completed,
        ReferralOutcomeAttached: news.completed,
        ReferralCancelled: news.cancelled,
    }
    cases = _Cases(parts)
    leaving = {
        OffboardingCaseReady: cases.ready,
        OffboardingCaseReopened: cases.otherwise,
        OffboardingCaseClosed: cases.otherwise,
    }
    return [
        Hearing("referrals", "referral", handlers),
        Hearing("referrals", "offboarding_case", leaving),
    ]
