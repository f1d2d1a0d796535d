"""People, offices and plans of a clinic, told to reporting fact by fact as identity, directory and insurance tell them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from google.protobuf.message import Message

from kit.auth import Viewer
from proto.directory.v1 import events_pb2 as directory
from proto.identity.v1 import events_pb2 as identity
from proto.insurance.v1 import events_pb2 as insurance
from tests.service.reporting.conftest import LONG_AGO, Clinic

ONE_DAY = timedelta(days=1)


@dataclass
class Somebody:
    """A user of the clinic."""

    clinic: Clinic
    user_id: UUID = field(default_factory=uuid4)
    staff_of: frozenset[UUID] = frozenset()
    admin_of: frozenset[UUID] = frozenset()

    @property
    def viewer(self) -> Viewer:
        """As signed in, with the roles they were granted."""
        return replace(
            self.clinic.admin,
            user_id=self.user_id,
            client_admin=False,
            office_staff_of=self.staff_of,
            office_admin_of=self.admin_of,
        )

    async def say(self, fact: Message, at: datetime = LONG_AGO) -> None:
        """Tell a fact of this user."""
        await self.clinic.reporting.neighbours.say(
            fact, self.clinic.organization_id, "user", self.user_id, at
        )

    async def invited(self, at: datetime = LONG_AGO) -> Somebody:
        """Not confirmed yet."""
        await self.say(identity.UserInvited(user_id=str(self.user_id)), at)
        return self

    async def confirmed(self, at: datetime = LONG_AGO) -> Somebody:
        """Can sign in."""
        await self.say(identity.UserConfirmed(user_id=str(self.user_id)), at)
        return self

    async def granted(
        self, role: str, office_id: UUID | None = None, at: datetime = LONG_AGO
    ) -> Somebody:
        """Has a role, at the clinic's office unless said."""
        office = office_id or self.clinic.office_id
        if role == "OFFICE_STAFF":
            self.staff_of |= {office}
        if role == "OFFICE_ADMIN":
            self.admin_of |= {office}
        fact = identity.RoleGranted(user_id=str(self.user_id), role=role, office_id=str(office))
        await self.say(fact, at)
        return self

    async def revoked(self, role: str, office_id: UUID | None = None) -> None:
        """Has it no more."""
        office = str(office_id or self.clinic.office_id)
        await self.say(identity.RoleRevoked(user_id=str(self.user_id), role=role, office_id=office))

    async def deactivated(self) -> None:
        """Does not work here any more."""
        await self.say(identity.UserDeactivated(user_id=str(self.user_id), because="ADMIN"))

    async def back(self) -> None:
        """Works here again, confirmed."""
        await self.say(identity.UserReactivated(user_id=str(self.user_id), confirmed=True))


async def staff(clinic: Clinic, office_id: UUID | None = None) -> Somebody:
    """Confirmed staff of an office."""
    somebody = await (await Somebody(clinic).invited()).confirmed()
    return await somebody.granted("OFFICE_STAFF", office_id)


async def office(clinic: Clinic, name: str = "Main", office_id: UUID | None = None) -> UUID:
    """A live office."""
    id_ = office_id or clinic.office_id
    planned = directory.OfficePlanned(office_id=str(id_), name=name)
    for fact in (planned, directory.OfficeLive(office_id=str(id_))):
        await clinic.reporting.neighbours.say(fact, clinic.organization_id, "office", id_, LONG_AGO)
    return id_


async def placement(clinic: Clinic, office_id: UUID) -> None:
    """A provider works there."""
    id_ = uuid4()
    fact = directory.PlacementAdded(
        placement_id=str(id_), provider_id=str(uuid4()), office_id=str(office_id)
    )
    await clinic.reporting.neighbours.say(fact, clinic.organization_id, "placement", id_, LONG_AGO)


async def flags(clinic: Clinic, group_id: UUID, *, sends: bool, receives: bool) -> None:
    """What a group may."""
    fact = directory.GroupFlagsChanged(group_id=str(group_id), may_send=sends, may_receive=receives)
    await clinic.reporting.neighbours.say(fact, clinic.organization_id, "group", group_id, LONG_AGO)


async def team(clinic: Clinic, group_id: UUID, *users: Somebody) -> None:
    """Who works for a group."""
    ids = [str(user.user_id) for user in users]
    fact = directory.GroupStaffed(group_id=str(group_id), staff_user_ids=ids)
    await clinic.reporting.neighbours.say(fact, clinic.organization_id, "group", group_id, LONG_AGO)


async def listed(clinic: Clinic, verified_on: date | None, office_id: UUID | None = None) -> None:
    """A participation at an office, verified on a day, or never."""
    id_ = uuid4()
    fact = insurance.ParticipationAdded(
        participation_id=str(id_),
        provider_id=str(uuid4()),
        office_id=str(office_id or clinic.office_id),
        plan_id=str(uuid4()),
        effective_from="2020-01-01",
        verified_on=verified_on.isoformat() if verified_on else "",
    )
    await clinic.reporting.neighbours.say(
        fact, clinic.organization_id, "participation", id_, LONG_AGO
    )
