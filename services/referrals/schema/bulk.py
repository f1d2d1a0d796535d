"""One verb on many referrals in GraphQL: an answer for each."""

from typing import Annotated, Union

import strawberry
from strawberry import ID

from kit.errors import Refusal
from kit.graphql import CommonProblems, StaleVersionProblem, mutation, problem_among
from services.referrals.actions import looking
from services.referrals.actions.bulk import do_many
from services.referrals.domain import ReferralId
from services.referrals.schema.entities import Info
from services.referrals.schema.inputs import BulkReferralsInput, bulk_of, bulk_orders_of
from services.referrals.schema.nodes import Referral, show
from services.referrals.schema.problems import ReceiverRefusedProblem, WrongStatusProblem

BulkReferralOutcome = Annotated[
    Union[Referral, ReceiverRefusedProblem, WrongStatusProblem, CommonProblems],  # noqa: UP007 - strawberry flattens it
    strawberry.union("BulkReferralOutcome"),
]


@strawberry.type(description="What became of one of the referrals.")
class BulkReferralItem:
    """In the order they were given."""

    referral_id: ID
    outcome: BulkReferralOutcome | None = strawberry.field(
        description="The referral as you see it now (null: it has gone where you do not see it), or why it was not done."
    )


@strawberry.type(description="What became of each referral.")
class BulkReferrals:
    """What was done stays done, whatever became of the others."""

    done: int
    refused: int
    items: list[BulkReferralItem]


BulkReferralsResult = Annotated[
    Union[BulkReferrals, CommonProblems],  # noqa: UP007 - strawberry flattens it
    strawberry.union("BulkReferralsResult"),
]


@strawberry.type
class BulkMutation:
    """What can be done to many."""

    @mutation
    async def bulk_referrals(self, info: Info, input: BulkReferralsInput) -> BulkReferralsResult:
        """Do one thing to up to 50 referrals, each by itself: those that cannot take it leave the others done."""
        call = info.context.call
        orders = bulk_orders_of(input)
        work = bulk_of(input, call.viewer.require_organization())
        results = await do_many(call, work, orders)
        views = await looking.see(call, [order.referral_id for order in orders])
        shown = [None if view is None else show(view) for view in views]
        items = [
            _item(one, order.referral_id, node)
            for one, order, node in zip(results, orders, shown, strict=True)
        ]
        refused = sum(isinstance(one, Refusal) for one in results)
        return BulkReferrals(done=len(results) - refused, refused=refused, items=items)


def _item(
    result: ReferralId | Refusal, referral_id: ReferralId, node: Referral | None
) -> BulkReferralItem:
    if isinstance(result, Refusal):
        told = problem_among(
            result, ReceiverRefusedProblem, WrongStatusProblem, StaleVersionProblem
        )
        return BulkReferralItem(referral_id=ID(str(referral_id)), outcome=told)  # type: ignore[arg-type]
    return BulkReferralItem(referral_id=ID(str(referral_id)), outcome=node)
