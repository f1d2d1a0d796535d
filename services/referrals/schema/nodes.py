"""A referral in GraphQL, as one viewer sees it."""

from datetime import date, datetime
from functools import partial

import strawberry
from strawberry import ID

from kit.graphql import Connection, after_id, connection, described, page_of
from kit.ids import parse_id
from services.referrals import domain
from services.referrals.actions import looking, messages, patients
from services.referrals.actions.messages import ToldMessage
from services.referrals.domain import MessageId, ReferralId
from services.referrals.policy import Seen
from services.referrals.schema.entities import (
    Group,
    Info,
    InsurancePlan,
    Office,
    Organization,
    Provider,
    User,
    stub,
)
from services.referrals.schema.suggesting import WithSuggestions
from services.referrals.schema.warned import WithWarnings
from services.referrals.schema.words import (
    AppointmentState,
    AuthorizationStatus,
    PlanAcceptanceState,
    ReferralAction,
    ReferralHappened,
    ReferralOutcome,
    ReferralOverdue,
    ReferralReasonKind,
    ReferralSide,
    ReferralSight,
    ReferralStatus,
    ReferralUrgency,
)


@strawberry.type(description="The least a receiver needs to know about the patient.")
class Patient:
    """PHI: shown to the sending and the current receiving side only."""

    given_name: str
    family_name: str
    born_on: date
    phone: str | None
    postal_code: str | None
    member_number: str | None = strawberry.field(description="The patient's number with the plan.")
    clinical_note: str | None = strawberry.field(description="Why the patient is referred.")


@strawberry.type(
    description="Whether the receiver accepts the patient's plan, as known when it was chosen."
)
class PlanAcceptance:
    """For a group: how many of its providers were asked for, and how many accept."""

    state: PlanAcceptanceState
    asked: int
    accepting: int


@strawberry.type(description="A time at which the patient is or was to be seen.")
class Appointment:
    """Booking states come from here, never from the referral's status."""

    id: ID
    at: datetime
    state: AppointmentState
    no_show_code: str | None


@strawberry.type(description="What the receiver reported back of the visit.")
class OutcomeReport:
    """PHI: shown to the sending and the current receiving side only."""

    text: str
    attached_at: datetime


@strawberry.type(description="A coded reason.")
class ReferralReason:
    """Usable from a day until the day before another."""

    kind: ReferralReasonKind
    code: str
    text: str


@strawberry.type(description="One receiver a referral was sent to.")
class ReferralHop:
    """The one that has not left is the current one."""

    hop: int
    office: Office | None
    provider: Provider | None
    group: Group | None
    received_at: datetime
    left_at: datetime | None
    declined_code: str | None


@strawberry.type(description="Something one side said to the other.")
class ReferralMessage:
    """PHI; who said it is told within the same organization only."""

    id: ID
    side: ReferralSide
    said_at: datetime
    text: str
    told: strawberry.Private[ToldMessage]

    @described("Who said it; null when it was somebody of the other side.")
    def by(self, info: Info) -> User | None:
        """The other side need not know."""
        said = self.told.message
        mine = info.context.call.viewer.organization_id == said.by_organization_id
        return stub(User, said.by_user_id) if mine else None


@strawberry.type(description="Something that was done to a referral.")
class ReferralStep:
    """The trail; who did it is told within the same organization only."""

    version: int
    happened: ReferralHappened
    status: ReferralStatus
    at: datetime
    by: User | None
    comment: str | None


@strawberry.federation.type(
    keys=["id"], description="A request that another provider, office or group see a patient."
)
class Referral(WithWarnings, WithSuggestions):
    """A referral as the viewer sees it now."""

    id: ID
    version: int
    status: ReferralStatus
    sight: ReferralSight = strawberry.field(description="How much of it you see.")
    sides: list[ReferralSide] = strawberry.field(description="The sides on which you work with it.")
    allowed_actions: list[ReferralAction] = strawberry.field(
        description="What you may do to this version now. Ask again after every change; do not cache."
    )
    specialty_code: str
    urgency: ReferralUrgency
    authorization: AuthorizationStatus | None
    hop: int = strawberry.field(
        description="1 for the first receiver, one more with each forward or resend."
    )
    created_at: datetime
    sent_at: datetime | None
    changed_at: datetime
    callback_at: datetime | None
    appointment_at: datetime | None = strawberry.field(
        description="When the patient is to be seen, or was to be and nobody has reported."
    )
    reason_code: str | None = strawberry.field(description="Why it was declined or cancelled.")

    outcome: ReferralOutcome | None = strawberry.field(
        description="What it came to, once completed."
    )
    loop_closed_at: datetime | None = strawberry.field(
        description="When the receiver told what came of it: more than completed."
    )

    sending_organization: Organization | None
    sending_office: Office | None
    sending_provider: Provider | None
    sending_group: Group | None
    receiving_organization: Organization | None
    receiving_office: Office | None
    receiving_provider: Provider | None = strawberry.field(
        description="Who is to see the patient; null while a group has not chosen."
    )
    receiving_group: Group | None
    plan: InsurancePlan | None
    second_plan: InsurancePlan | None = strawberry.field(
        description="Another plan of the patient: one of the two is enough."
    )
    plan_acceptance: PlanAcceptance | None
    outside_plan_reason: str | None = strawberry.field(
        description="Why it was sent to a receiver that is not listed for the plan: a code of referralReasons of OUTSIDE_PLAN."
    )
    externally_managed: bool = strawberry.field(
        description="The receiver works outside of the suite: the sender reports in its place."
    )

    @described("Who has claimed it; shown to the receiving side.")
    def claimed_by(self) -> User | None:
        """The sender need not know."""
        receives = domain.Side.RECEIVING in self.view.sides
        return stub(User, self.view.referral.claimed_by) if receives else None

    @described("Null when your sight is PAST.")
    async def patient(self, info: Info) -> Patient | None:
        """PHI."""
        found = await self._load(info, "patients", patients.patients)
        if found is None:
            return None
        self._read(info, "patient")
        return _patient(found)

    @described("What the receiver reported back; null when your sight is PAST.")
    async def outcome_report(self, info: Info) -> OutcomeReport | None:
        """PHI."""
        found = await self._load(info, "reports", patients.reports)
        if found is None:
            return None
        self._read(info, "outcomeReport")
        return OutcomeReport(text=found.text, attached_at=found.attached_at)

    @described("Until when the receiver has to act next, by its organization's targets.")
    async def due_at(self, info: Info) -> datetime | None:
        """Null when it is not the receiver's turn."""
        return (await self._load(info, "clocks", looking.clocks)).due_at

    @described("What the receiver is late with.")
    async def overdue(self, info: Info) -> ReferralOverdue | None:
        """Derived, never kept."""
        return (await self._load(info, "clocks", looking.clocks)).overdue

    @described("In the order of booking.")
    async def appointments(self, info: Info) -> list[Appointment]:
        """What became of each."""
        return [
            _appointment(one)
            for one in await self._load(info, "appointments", looking.appointments)
        ]

    @described("Every receiver so far; with PAST sight only your own.")
    def hops(self) -> list[ReferralHop]:
        """In order."""
        return [_hop(one) for one in self.view.hops]

    @described("What was done to it; empty when your sight is PAST.")
    async def history(self, info: Info) -> list[ReferralStep]:
        """In order."""
        mine = info.context.call.viewer.organization_id
        found = await self._load(info, "steps", patients.steps)
        if any(one.comment for one in found):
            self._read(info, "history")
        return [_step(one, named=one.step.by_organization_id == mine) for one in found]

    @described(
        "What the two sides said to each other, newest first. A receiver reads what was said while it had the referral."
    )
    async def messages(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[ReferralMessage]:
        """PHI."""
        page = page_of(first, after)
        position = after_id(page)
        part = (MessageId(position) if position else None, page.limit + 1)
        found = await messages.read_page(info.context.call, self.view.referral.id, part)
        if found:
            self._read(info, "messages")
        return connection(found, page, key=lambda one: [str(one.message.id)], node=_message)

    @described("How many messages of others you have not read.")
    async def unread_messages(self, info: Info) -> int:
        """Per user."""
        return await self._load(info, "unread", messages.unread)

    @described("Whether you have archived it. Nobody else's queue is affected.")
    async def archived(self, info: Info) -> bool:
        """Per user."""
        return await self._load(info, "archived", looking.archived)

    @classmethod
    async def resolve_reference(cls, info: Info, id: ID) -> "Referral | None":
        """By the same policy as every other read."""
        return await load_referral(info, id)


async def load_referral(info: Info, id_: ID) -> Referral | None:
    """The referral as the viewer sees it; None for what is unknown, another organization's, or lost (R14)."""
    key = ReferralId(parse_id(id_, "id"))
    load = partial(looking.see, info.context.call)
    view = await info.context.loader("referrals", load).load(key)
    return None if view is None else show(view)


def show(view: Seen) -> Referral:
    """What is seen, as a node."""
    it = view.referral
    return Referral(
        view=view, id=ID(str(it.id)), version=it.version, status=it.status,
        sight=view.sight, sides=sorted(view.sides), allowed_actions=list(view.allowed),
        specialty_code=it.specialty_code, urgency=it.urgency, authorization=it.authorization,
        hop=it.hop, created_at=it.created_at, sent_at=it.sent_at, changed_at=it.changed_at,
        callback_at=it.callback_at, appointment_at=it.appointment_at, reason_code=it.reason_code,
        outcome=it.outcome, loop_closed_at=it.outcome_at,
        sending_organization=Organization(id=ID(str(it.sending_organization_id))),
        sending_office=Office(id=ID(str(it.sending_office_id))),
        sending_provider=stub(Provider, it.sending_provider_id),
        sending_group=stub(Group, it.sending_group_id),
        receiving_organization=stub(Organization, it.receiving_organization_id),
        receiving_office=stub(Office, it.receiving_office_id),
        receiving_provider=stub(Provider, it.receiving_provider_id),
        receiving_group=stub(Group, it.receiving_group_id),
        plan=stub(InsurancePlan, it.plan_id), second_plan=stub(InsurancePlan, it.second_plan_id), plan_acceptance=_plan(it),
        outside_plan_reason=it.outside_plan_reason, externally_managed=it.externally_managed,
    )  # fmt: skip


def _plan(it: domain.Referral) -> PlanAcceptance | None:
    if it.plan_acceptance is None:
        return None
    return PlanAcceptance(
        state=it.plan_acceptance, asked=it.plan_asked, accepting=it.plan_accepting
    )


def _patient(it: domain.Patient) -> Patient:
    return Patient(
        given_name=it.given_name,
        family_name=it.family_name,
        born_on=it.born_on,
        phone=it.phone,
        postal_code=it.postal_code,
        member_number=it.member_number,
        clinical_note=it.clinical_note,
    )


def _appointment(it: domain.Appointment) -> Appointment:
    return Appointment(id=ID(str(it.id)), at=it.at, state=it.state, no_show_code=it.no_show_code)


def _hop(it: domain.Hop) -> ReferralHop:
    return ReferralHop(
        hop=it.hop,
        office=Office(id=ID(str(it.office_id))),
        provider=stub(Provider, it.provider_id),
        group=stub(Group, it.group_id),
        received_at=it.received_at,
        left_at=it.left_at,
        declined_code=it.declined_code,
    )


def _message(told: ToldMessage) -> ReferralMessage:
    said = told.message
    return ReferralMessage(
        id=ID(str(said.id)), side=said.side, said_at=said.said_at, text=told.text, told=told
    )


def _step(told: patients.ToldStep, *, named: bool) -> ReferralStep:
    it = told.step
    return ReferralStep(
        version=it.version,
        happened=it.happened,
        status=it.status,
        at=it.taken_at,
        by=stub(User, it.by_user_id) if named else None,
        comment=told.comment,
    )
