"""What is done to groups: by whom they are set up, and who lets them take part against a rule (R21-R25)."""

from __future__ import annotations

from tests.model.words import STALE, Predicate, Verb, admin_there, client_admin, support

SEEN = "nothing-0"
"""Of a preview that nobody has seen."""


def _group(verb: str, rule: str, may: Predicate, action: str, **given: object) -> Verb:
    return Verb(verb, rule, "group", may=may, given={**STALE, **given}, action=action)


GROUPS = (
    _group(
        "changeGroupFlags", "R21 R22", client_admin, "CHANGE_FLAGS", maySend=True, mayReceive=True
    ),
    _group("changeGroupMembers", "R23", admin_there, "CHANGE_MEMBERS"),
    _group("changeGroupStaff", "R23", admin_there, "CHANGE_STAFF"),
    _group("removeGroup", "R24", client_admin, "REMOVE", token=SEEN),
    _group("overrideGroupStaffing", "R25", support, "OVERRIDE_STAFFING", reason="Tonight"),
    _group("endGroupOverride", "R25", client_admin, "END_OVERRIDE"),
)
