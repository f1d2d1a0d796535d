"""What verbs of groups, suggestions and settings are given."""

from datetime import date

import strawberry

from services.directory.actions.groups import NewGroup
from services.directory.actions.settings import SettingsChange
from services.directory.schema.inputs import key, seen
from services.directory.schema.words import ApprovalNeed, ids


@strawberry.input
class AddGroupInput:
    """AddGroupInput."""

    idempotency_key: str = key()
    name: str
    office_ids: list[strawberry.ID]
    provider_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    staff_user_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Who works for it; it is ready with one who is confirmed."
    )
    may_send: bool = False
    may_receive: bool = True

    def group(self) -> NewGroup:
        """As the verb takes it."""
        return NewGroup(
            name=self.name,
            office_ids=ids(self.office_ids, "officeIds"),
            provider_ids=ids(self.provider_ids, "providerIds"),
            staff_user_ids=ids(self.staff_user_ids, "staffUserIds"),
            may_send=self.may_send,
            may_receive=self.may_receive,
        )


@strawberry.input
class ChangeGroupFlagsInput:
    """ChangeGroupFlagsInput."""

    group_id: strawberry.ID
    expected_version: int = seen()
    may_send: bool
    may_receive: bool
    acknowledge_drafts: bool = strawberry.field(
        default=False, description="Drafts of the group may stay behind when it sends no longer."
    )


@strawberry.input
class ChangeGroupInput:
    """Whom to add and whom to remove: providers for members, users for staff."""

    group_id: strawberry.ID
    expected_version: int = seen()
    add: list[strawberry.ID] = strawberry.field(default_factory=list)
    remove: list[strawberry.ID] = strawberry.field(default_factory=list)


@strawberry.input
class OverrideGroupStaffingInput:
    """Which group, as it was seen, and why."""

    group_id: strawberry.ID
    expected_version: int = seen()
    reason: str = strawberry.field(
        description="Shown with the group and in the audit trail: nothing of patients."
    )
    support_request_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The request to support that it answers, for those who look it up.",
    )


@strawberry.input
class GroupVersionInput:
    """Which group, as it was seen."""

    group_id: strawberry.ID
    expected_version: int = seen()


@strawberry.input
class SuggestionVersionInput:
    """Which suggestion, as it was seen."""

    suggestion_id: strawberry.ID
    expected_version: int = seen()


@strawberry.input
class SnoozeSuggestionInput:
    """SnoozeSuggestionInput."""

    suggestion_id: strawberry.ID
    expected_version: int = seen()
    until: date = strawberry.field(
        description="The day on which it is shown again, on its office's calendar; within a year."
    )


@strawberry.input
class ChangeDirectorySettingsInput:
    """What is to change; what is left out stays as it is."""

    expected_version: int = strawberry.field(description="0 before the first change.")
    second_approver: bool | None = None
    suggest_groups_from: int | None = None
    approval_needs: list[ApprovalNeed] | None = None  # type: ignore[valid-type]

    def change(self) -> SettingsChange:
        """As the verb takes it."""
        needs = None if self.approval_needs is None else frozenset(self.approval_needs)
        return SettingsChange(self.second_approver, self.suggest_groups_from, needs)
