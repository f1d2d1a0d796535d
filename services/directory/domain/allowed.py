"""What a viewer may be allowed to do with the things of the directory, in words; policy says who may."""

from enum import StrEnum


class ProviderAction(StrEnum):
    """What a viewer may do with a provider."""

    CHANGE = "CHANGE"
    SUBMIT = "SUBMIT"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    VERIFY = "VERIFY"
    MERGE = "MERGE"
    PLACE = "PLACE"
    START_OFFBOARDING = "START_OFFBOARDING"
    KEEP = "KEEP"
    REMOVE = "REMOVE"
    REMOVE_WHEN_EMPTY = "REMOVE_WHEN_EMPTY"
    CALL_OFF_REMOVAL = "CALL_OFF_REMOVAL"


class OfficeAction(StrEnum):
    """What a viewer may do with an office."""

    CHANGE = "CHANGE"
    ATTEST_ROSTER = "ATTEST_ROSTER"
    PLACE_PROVIDER = "PLACE_PROVIDER"
    CLOSE = "CLOSE"
    KEEP = "KEEP"
    REOPEN = "REOPEN"


class PlacementAction(StrEnum):
    """What a viewer may do with a placement."""

    END = "END"
    SET_ACCEPTING_NEW_PATIENTS = "SET_ACCEPTING_NEW_PATIENTS"


class GroupAction(StrEnum):
    """What a viewer may do with a group."""

    CHANGE_FLAGS = "CHANGE_FLAGS"
    CHANGE_MEMBERS = "CHANGE_MEMBERS"
    CHANGE_STAFF = "CHANGE_STAFF"
    REMOVE = "REMOVE"
    OVERRIDE_STAFFING = "OVERRIDE_STAFFING"
    END_OVERRIDE = "END_OVERRIDE"


class TaskAction(StrEnum):
    """What a viewer may do with a task."""

    DISMISS = "DISMISS"


class FeedAction(StrEnum):
    """What a viewer may do with what was told to the call centre."""

    ACKNOWLEDGE = "ACKNOWLEDGE"


class SuggestionAction(StrEnum):
    """What a viewer may do with a suggestion."""

    ADD_GROUP = "ADD_GROUP"
    SNOOZE = "SNOOZE"
    DISMISS = "DISMISS"
