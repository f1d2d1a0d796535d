"""What can be done with groups, suggestions and settings."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, StalePreviewProblem, mutation
from kit.ids import parse_id
from services.directory.actions import (
    group_removal,
    groups,
    overriding,
    settings,
    suggestions,
)
from services.directory.schema.closing_inputs import RemoveGroupInput
from services.directory.schema.group_inputs import (
    AddGroupInput,
    ChangeDirectorySettingsInput,
    ChangeGroupFlagsInput,
    ChangeGroupInput,
    GroupVersionInput,
    OverrideGroupStaffingInput,
    SnoozeSuggestionInput,
    SuggestionVersionInput,
)
from services.directory.schema.problems import (
    DraftsOpenProblem,
    InTheWayProblem,
    ItemsRefusedProblem,
)
from services.directory.schema.suggestions import GroupSuggestion
from services.directory.schema.things import Group
from services.directory.schema.words import DirectorySettings, Info, ids

AddGroupResult = Annotated[
    Group | ItemsRefusedProblem | CommonProblems, strawberry.union("AddGroupResult")
]
ChangeGroupFlagsResult = Annotated[
    Group | DraftsOpenProblem | CommonProblems, strawberry.union("ChangeGroupFlagsResult")
]
ChangeGroupMembersResult = Annotated[
    Group | ItemsRefusedProblem | CommonProblems, strawberry.union("ChangeGroupMembersResult")
]
ChangeGroupStaffResult = Annotated[
    Group | ItemsRefusedProblem | InTheWayProblem | CommonProblems,
    strawberry.union("ChangeGroupStaffResult"),
]
RemoveGroupResult = Annotated[
    Group | InTheWayProblem | ItemsRefusedProblem | StalePreviewProblem | CommonProblems,
    strawberry.union("RemoveGroupResult"),
]
OverrideGroupStaffingResult = Annotated[
    Group | CommonProblems, strawberry.union("OverrideGroupStaffingResult")
]
EndGroupOverrideResult = Annotated[
    Group | CommonProblems, strawberry.union("EndGroupOverrideResult")
]
DismissSuggestionResult = Annotated[
    GroupSuggestion | CommonProblems, strawberry.union("DismissSuggestionResult")
]
SnoozeSuggestionResult = Annotated[
    GroupSuggestion | CommonProblems, strawberry.union("SnoozeSuggestionResult")
]
ChangeDirectorySettingsResult = Annotated[
    DirectorySettings | CommonProblems, strawberry.union("ChangeDirectorySettingsResult")
]


@strawberry.type
class GroupMutation:
    """Verbs of groups, suggestions and settings."""

    @mutation
    async def add_group(self, info: Info, input: AddGroupInput) -> AddGroupResult:
        """Add a group with its offices, members and staff, all or nothing (R20-R23)."""
        return Group.of(
            await groups.add_group(info.context.call, input.group(), key=input.idempotency_key)
        )

    @mutation
    async def change_group_flags(
        self, info: Info, input: ChangeGroupFlagsInput
    ) -> ChangeGroupFlagsResult:
        """Say whether the group sends and whether it receives (R21, R22)."""
        return Group.of(
            await groups.change_group_flags(
                info.context.call,
                parse_id(input.group_id, "groupId"),
                input.expected_version,
                groups.Flags(input.may_send, input.may_receive),
                acknowledge_drafts=input.acknowledge_drafts,
            )
        )

    @mutation
    async def change_group_members(
        self, info: Info, input: ChangeGroupInput
    ) -> ChangeGroupMembersResult:
        """Add and remove providers: client admins, and office admins of one of its offices."""
        return Group.of(
            await groups.change_group_members(
                info.context.call,
                parse_id(input.group_id, "groupId"),
                input.expected_version,
                add=ids(input.add, "add"),
                remove=ids(input.remove, "remove"),
            )
        )

    @mutation
    async def change_group_staff(
        self, info: Info, input: ChangeGroupInput
    ) -> ChangeGroupStaffResult:
        """Add and remove the users who work for the group (R23)."""
        return Group.of(
            await groups.change_group_staff(
                info.context.call,
                parse_id(input.group_id, "groupId"),
                input.expected_version,
                add=ids(input.add, "add"),
                remove=ids(input.remove, "remove"),
            )
        )

    @mutation
    async def remove_group(self, info: Info, input: RemoveGroupInput) -> RemoveGroupResult:
        """Remove a group that has no open referrals, or whose members take them (R24)."""
        return Group.of(
            await group_removal.remove_group(
                info.context.call,
                parse_id(input.group_id, "groupId"),
                input.expected_version,
                input.removal(),
            )
        )

    @mutation
    async def override_group_staffing(
        self, info: Info, input: OverrideGroupStaffingInput
    ) -> OverrideGroupStaffingResult:
        """Let a group take part before anybody who has confirmed works for it: support, inside its organization (R25). It ends by
        itself once somebody does."""
        return Group.of(
            await overriding.override_staffing(
                info.context.call,
                parse_id(input.group_id, "groupId"),
                input.expected_version,
                input.reason,
                parse_id(input.support_request_id, "supportRequestId")
                if input.support_request_id
                else None,
            )
        )

    @mutation
    async def end_group_override(
        self, info: Info, input: GroupVersionInput
    ) -> EndGroupOverrideResult:
        """Take support's override back: support, and client admins (R25)."""
        return Group.of(
            await overriding.end_override(
                info.context.call,
                parse_id(input.group_id, "groupId"),
                input.expected_version,
            )
        )

    @mutation
    async def dismiss_suggestion(
        self, info: Info, input: SuggestionVersionInput
    ) -> DismissSuggestionResult:
        """Close a suggestion; it does not come back for the same providers (R20)."""
        return GroupSuggestion.of(
            await suggestions.dismiss_suggestion(
                info.context.call,
                parse_id(input.suggestion_id, "suggestionId"),
                input.expected_version,
            )
        )

    @mutation
    async def snooze_suggestion(
        self, info: Info, input: SnoozeSuggestionInput
    ) -> SnoozeSuggestionResult:
        """Put a suggestion off until a day; it is back at once when other providers are meant (R20)."""
        return GroupSuggestion.of(
            await suggestions.snooze_suggestion(
                info.context.call,
                parse_id(input.suggestion_id, "suggestionId"),
                input.expected_version,
                input.until,
            )
        )

    @mutation
    async def change_directory_settings(
        self, info: Info, input: ChangeDirectorySettingsInput
    ) -> ChangeDirectorySettingsResult:
        """Change how providers are approved and when groups are suggested (R11, R20)."""
        return DirectorySettings.of(
            await settings.change_settings(
                info.context.call,
                input.expected_version,
                input.change(),
            )
        )
