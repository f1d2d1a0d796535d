"""Who could see a referral on a day, and who did, in GraphQL."""

from datetime import datetime

import strawberry
from strawberry import ID

from kit.audit.history import Reader
from kit.graphql import described
from kit.ids import parse_id
from services.referrals.actions.then import CouldSee, access_then
from services.referrals.domain import ReferralId
from services.referrals.schema.entities import Info, User, stub
from services.referrals.schema.explaining import AccessReason, reason
from services.referrals.schema.words import ReferralSight


@strawberry.type(description="Somebody of your organization who could see a referral.")
class ReferralAccessHolder:
    """By the policy of today, over the state of then."""

    user: User | None
    sight: ReferralSight
    reasons: list[AccessReason]


@strawberry.type(
    description="Somebody of your organization who was shown a referral's patient data."
)
class ReferralReader:
    """As the audit trail has it."""

    user: User | None
    first_at: datetime
    last_at: datetime
    times: int
    fields: list[str]


@strawberry.type(
    description="Who of your organization could see a referral at a moment, and who did."
)
class ReferralAccess:
    """Nothing of the patient, and nothing of the other side's people."""

    on: datetime
    known_since: datetime = strawberry.field(description="From when on who could see it is known.")
    could: list[ReferralAccessHolder] | None = strawberry.field(
        description="Null before `knownSince`."
    )
    did: list[ReferralReader] = strawberry.field(
        description="Whoever was shown the patient's data until then; the latest first, at most 200."
    )


@strawberry.type
class ThenQuery:
    """What was."""

    @described(
        "For client admins: who of your organization could see a referral at a moment that is past, and who had until then. Null"
        " for what your organization never had a part in. What was lost with a removed provider can still be asked about."
    )
    async def referral_access(
        self, info: Info, referral_id: ID, on: datetime
    ) -> ReferralAccess | None:
        """R14."""
        id_ = ReferralId(parse_id(referral_id, "referralId"))
        found = await access_then(info.context.call, id_, on)
        if found is None:
            return None
        return ReferralAccess(
            on=found.on,
            known_since=found.known_since,
            could=None if found.could is None else [_holder(one) for one in found.could],
            did=[_reader(one) for one in found.did],
        )


def _holder(it: CouldSee) -> ReferralAccessHolder:
    return ReferralAccessHolder(
        user=stub(User, it.user_id), sight=it.sight, reasons=[reason(one) for one in it.reasons]
    )


def _reader(it: Reader) -> ReferralReader:
    return ReferralReader(
        user=stub(User, it.user_id),
        first_at=it.first_at,
        last_at=it.last_at,
        times=it.times,
        fields=list(it.fields),
    )
