"""What admins, insurance managers and readers of reports are told by mail."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

from kit.db import Connection
from kit.inbox import Heard, Hearing
from kit.service import Parts
from proto.directory.v1.events_pb2 import OfficeGoLiveMissed, OfficeLive, TaskClosed, TaskRaised
from proto.identity.v1.events_pb2 import (
    RoleGranted,
    RoleRevoked,
    UserConfirmed,
    UserDeactivated,
    UserInviteBounced,
    UserInviteExpired,
)
from proto.insurance.v1.events_pb2 import (
    CampaignAssigned,
    CampaignClosed,
    CampaignEscalated,
    CampaignOpened,
    CampaignReminded,
    ManagerMissing,
)
from proto.reporting.v1.events_pb2 import (
    FindingActioned,
    FindingClosed,
    FindingRaised,
    GuideAcknowledged,
    GuideAsked,
    GuideWithdrawn,
    ReportPublished,
    ReportReviewDue,
    ReportReviewed,
    TrainingAssigned,
    TrainingCancelled,
    TrainingCompleted,
    TrainingOverdue,
    TrainingReminded,
)
from services.identity import actions, store
from services.identity.actions import Means
from services.identity.consumers.post import Post
from services.identity.domain import OfficeId, OrganizationId
from services.identity.domain.notices import News, Topic
from services.identity.domain.provisioning import COVERING, covers

JUST_NOW = timedelta(minutes=1)
CAMPAIGNS = (
    Topic.CAMPAIGN,
    Topic.CAMPAIGN_HERE,
    Topic.CAMPAIGN_REMINDED,
    Topic.CAMPAIGN_ESCALATED,
)
TRAINING = (Topic.TRAINING, Topic.TRAINING_DUE, Topic.TRAINING_OVERDUE)


class _Directory(Post):
    async def go_live_missed(self, tx: Connection, heard: Heard) -> None:
        """The first day came, and the office lacked something (R16)."""
        fact: OfficeGoLiveMissed = heard.fact
        await self.tell(tx, heard, Topic.GO_LIVE_MISSED, fact.office_id)

    async def live(self, tx: Connection, heard: Heard) -> None:
        """It has opened after all."""
        await self.forget(tx, heard, Topic.GO_LIVE_MISSED)

    async def task_raised(self, tx: Connection, heard: Heard) -> None:
        """Something is left undone. That an office could not open is told already, of the office itself."""
        fact: TaskRaised = heard.fact
        if fact.kind != "GO_LIVE_MISSED":
            office = fact.subject_id if fact.kind == "ROSTER_NOT_ATTESTED" else ""
            await self.tell(tx, heard, Topic.TASK, office)

    async def task_closed(self, tx: Connection, heard: Heard) -> None:
        """It is done, or dismissed."""
        await self.forget(tx, heard, Topic.TASK)


class _Insurance(Post):
    async def opened(self, tx: Connection, heard: Heard) -> None:
        """R26, R29: those who keep the plans of just some offices that it asks about; whose it is, is told as such."""
        fact: CampaignOpened = heard.fact
        if fact.office_manager_ids:
            await self.tell(tx, heard, Topic.CAMPAIGN_HERE, only=fact.office_manager_ids)

    async def assigned(self, tx: Connection, heard: Heard) -> None:
        """Whose a campaign is, told also when it opens (R29); nobody in particular means the client admins."""
        fact: CampaignAssigned = heard.fact
        await self.forget(tx, heard, Topic.CAMPAIGN, Topic.CAMPAIGN_REMINDED)
        await self.tell(tx, heard, Topic.CAMPAIGN, only=[fact.user_id])

    async def reminded(self, tx: Connection, heard: Heard) -> None:
        """Weekly, whoever does it."""
        fact: CampaignReminded = heard.fact
        await self.tell(tx, heard, Topic.CAMPAIGN_REMINDED, only=fact.user_ids)

    async def escalated(self, tx: Connection, heard: Heard) -> None:
        """It was due, and something is open: the client admins."""
        await self.tell(tx, heard, Topic.CAMPAIGN_ESCALATED)

    async def closed(self, tx: Connection, heard: Heard) -> None:
        """It is over."""
        await self.forget(tx, heard, *CAMPAIGNS)

    async def manager_missing(self, tx: Connection, heard: Heard) -> None:
        """R26: weekly, the client admins."""
        await self.tell(tx, heard, Topic.MANAGER_MISSING)


class _Reporting(Post):
    async def published(self, tx: Connection, heard: Heard) -> None:
        """R31: whoever reads the group's reports."""
        fact: ReportPublished = heard.fact
        await self.tell(tx, heard, Topic.REPORT, "", fact.group_id)

    async def review_due(self, tx: Connection, heard: Heard) -> None:
        """R31: nobody has reviewed it for seven days."""
        fact: ReportReviewDue = heard.fact
        await self.tell(tx, heard, Topic.REVIEW_DUE, "", fact.group_id)

    async def reviewed(self, tx: Connection, heard: Heard) -> None:
        """Somebody has."""
        await self.forget(tx, heard, Topic.REPORT, Topic.REVIEW_DUE)

    async def found(self, tx: Connection, heard: Heard) -> None:
        """R32: an office or a group has missed a rule of its scorecard."""
        fact: FindingRaised = heard.fact
        places = ("", fact.subject_id) if fact.subject == "GROUP" else (fact.subject_id, "")
        await self.tell(tx, heard, Topic.FINDING, *places)

    async def looked_after(self, tx: Connection, heard: Heard) -> None:
        """Somebody has done something about it, or closed it."""
        await self.forget(tx, heard, Topic.FINDING)


class _Trainings(Post):
    async def assigned(self, tx: Connection, heard: Heard) -> None:
        """R34: these are asked to do it."""
        await self._asked(tx, heard, Topic.TRAINING)

    async def reminded(self, tx: Connection, heard: Heard) -> None:
        """The day comes near."""
        await self._asked(tx, heard, Topic.TRAINING_DUE)

    async def overdue(self, tx: Connection, heard: Heard) -> None:
        """The day has gone by."""
        await self._asked(tx, heard, Topic.TRAINING_OVERDUE)

    async def _asked(self, tx: Connection, heard: Heard, topic: Topic) -> None:
        fact: TrainingAssigned | TrainingReminded | TrainingOverdue = heard.fact
        await self.forget(tx, heard, *TRAINING)
        if fact.user_ids:
            await self.tell(tx, heard, topic, only=fact.user_ids)

    async def completed(self, tx: Connection, heard: Heard) -> None:
        """One of them has done it."""
        fact: TrainingCompleted = heard.fact
        await self.forget(tx, heard, *TRAINING, by=fact.user_id)

    async def cancelled(self, tx: Connection, heard: Heard) -> None:
        """Nobody need do it any more."""
        await self.forget(tx, heard, *TRAINING)


class _Guides(Post):
    async def asked(self, tx: Connection, heard: Heard) -> None:
        """R30: these are to read it; who is not asked any more need not be told."""
        fact: GuideAsked = heard.fact
        for user_id in fact.no_longer_user_ids:
            await self.forget(tx, heard, Topic.GUIDE, by=user_id)
        if fact.user_ids:
            await self.tell(tx, heard, Topic.GUIDE, only=fact.user_ids)

    async def acknowledged(self, tx: Connection, heard: Heard) -> None:
        """One of them has read it."""
        fact: GuideAcknowledged = heard.fact
        await self.forget(tx, heard, Topic.GUIDE, by=fact.user_id)

    async def withdrawn(self, tx: Connection, heard: Heard) -> None:
        """Nobody is to read it any more."""
        await self.forget(tx, heard, Topic.GUIDE)


class _Users(Post):
    async def bounced(self, tx: Connection, heard: Heard) -> None:
        """R03: the invitation's mail was refused for good."""
        await self._invitation(tx, heard, Topic.INVITATION_BOUNCED)

    async def expired(self, tx: Connection, heard: Heard) -> None:
        """R04: nobody took the invitation in time."""
        await self._invitation(tx, heard, Topic.INVITATION_EXPIRED)

    async def _invitation(self, tx: Connection, heard: Heard, topic: Topic) -> None:
        """Client admins, and office admins of where the user is to work; each once, whatever the number of offices."""
        here = OrganizationId(heard.organization_id)
        user = (await store.users_by_id(tx, here, [heard.aggregate_id])).get(heard.aggregate_id)
        offices = {str(one.workplace or "") for one in user.grants} if user else set[str]()
        for office in sorted({*offices, ""}):
            await self.tell(tx, heard, topic, office)

    async def role_granted(self, tx: Connection, heard: Heard) -> None:
        """Somebody covers the office, perhaps."""
        fact: RoleGranted = heard.fact
        await self.role_changed(tx, heard)
        if fact.office_id:
            await self._looked_after(tx, heard, [OfficeId(UUID(fact.office_id))])

    async def role_revoked(self, tx: Connection, heard: Heard) -> None:
        """R18: nobody covers the office any more, perhaps: a role for a time was over."""
        fact: RoleRevoked = heard.fact
        if fact.office_id and fact.role in COVERING:
            await self._left(tx, heard, [OfficeId(UUID(fact.office_id))])
        await self.role_changed(tx, heard)

    async def _left(self, tx: Connection, heard: Heard, offices: list[OfficeId]) -> None:
        """Tell of those that are open and that nobody covers, because somebody has gone who did."""
        here = OrganizationId(heard.organization_id)
        user = (await store.users_by_id(tx, here, [heard.aggregate_id])).get(heard.aggregate_id)
        if user is None or not user.confirmed:
            return
        covered = await store.coverage(tx, here, offices)
        closed = await store.closed_offices(tx, here, offices)
        for office in sorted({*offices} - covered.keys() - closed):
            each = replace(heard, event_id=uuid5(heard.event_id, str(office)))
            news = News(Topic.OFFICE_UNCOVERED, office, office)
            await actions.note(tx, each, news, self._parts.clock.now())

    async def _looked_after(
        self, tx: Connection, heard: Heard, offices: Iterable[OfficeId]
    ) -> None:
        """Those that somebody covers again need not be told of."""
        here = OrganizationId(heard.organization_id)
        for office in await store.coverage(tx, here, offices):
            thing = replace(heard, aggregate_id=office)
            await actions.withdraw(tx, thing, [Topic.OFFICE_UNCOVERED], self._parts.clock.now())

    async def role_changed(self, tx: Connection, heard: Heard) -> None:
        """Whom it is about; who has just come has another letter, which says so."""
        fact: RoleGranted | RoleRevoked = heard.fact
        here = OrganizationId(heard.organization_id)
        user = (await store.users_by_id(tx, here, [heard.aggregate_id])).get(heard.aggregate_id)
        came = user.invited_at if user else None
        if came is not None and heard.time - came > JUST_NOW:
            await self.tell(tx, heard, Topic.ROLES_CHANGED, only=[fact.user_id])

    async def confirmed(self, tx: Connection, heard: Heard) -> None:
        """They have come after all."""
        await self.forget(tx, heard, Topic.INVITATION_BOUNCED, Topic.INVITATION_EXPIRED)
        here = OrganizationId(heard.organization_id)
        user = (await store.users_by_id(tx, here, [heard.aggregate_id])).get(heard.aggregate_id)
        await self._looked_after(tx, heard, covers(user) if user else ())

    async def deactivated(self, tx: Connection, heard: Heard) -> None:
        """R07: what somebody did, they know; what ninety days did is told, and which offices nobody covers now."""
        fact: UserDeactivated = heard.fact
        await self.confirmed(tx, heard)
        here = OrganizationId(heard.organization_id)
        user = (await store.users_by_id(tx, here, [heard.aggregate_id])).get(heard.aggregate_id)
        if user is not None and not user.active:
            had = replace(user, grants=tuple(await store.previous_grants(tx, user)))
            await self._left(tx, heard, sorted(covers(had)))
        if fact.because == "INACTIVE":
            await self.tell(tx, heard, Topic.AWAY_ENDED)


def news_of_organizations(parts: Parts[Means]) -> list[Hearing]:
    """The handlers of whatever is not about referrals."""
    users = _Users(parts)
    accounts = {
        RoleGranted: users.role_granted,
        RoleRevoked: users.role_revoked,
        UserInviteBounced: users.bounced,
        UserInviteExpired: users.expired,
        UserConfirmed: users.confirmed,
        UserDeactivated: users.deactivated,
    }
    return [
        *_of_directory(_Directory(parts)),
        *_of_insurance(_Insurance(parts)),
        *_of_reporting(_Reporting(parts)),
        _of_trainings(_Trainings(parts)),
        _of_guides(_Guides(parts)),
        Hearing("identity", "user", accounts),
    ]


def _of_directory(news: _Directory) -> list[Hearing]:
    offices = {OfficeGoLiveMissed: news.go_live_missed, OfficeLive: news.live}
    tasks = {TaskRaised: news.task_raised, TaskClosed: news.task_closed}
    return [Hearing("directory", "office", offices), Hearing("directory", "task", tasks)]


def _of_insurance(news: _Insurance) -> list[Hearing]:
    campaigns = {
        CampaignOpened: news.opened,
        CampaignAssigned: news.assigned,
        CampaignReminded: news.reminded,
        CampaignEscalated: news.escalated,
        CampaignClosed: news.closed,
    }
    return [
        Hearing("insurance", "campaign", campaigns),
        Hearing("insurance", "manager", {ManagerMissing: news.manager_missing}),
    ]


def _of_reporting(news: _Reporting) -> list[Hearing]:
    reports = {
        ReportPublished: news.published,
        ReportReviewDue: news.review_due,
        ReportReviewed: news.reviewed,
    }
    findings = {
        FindingRaised: news.found,
        FindingActioned: news.looked_after,
        FindingClosed: news.looked_after,
    }
    return [Hearing("reporting", "report", reports), Hearing("reporting", "finding", findings)]


def _of_trainings(news: _Trainings) -> Hearing:
    handlers = {
        TrainingAssigned: news.assigned,
        TrainingReminded: news.reminded,
        TrainingOverdue: news.overdue,
        TrainingCompleted: news.completed,
        TrainingCancelled: news.cancelled,
    }
    return Hearing("reporting", "training", handlers)


def _of_guides(news: _Guides) -> Hearing:
    handlers = {
        GuideAsked: news.asked,
        GuideAcknowledged: news.acknowledged,
        GuideWithdrawn: news.withdrawn,
    }
    return Hearing("reporting", "guide", handlers)
