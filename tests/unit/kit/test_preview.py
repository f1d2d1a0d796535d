"""Tokens of previews."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

import pytest

from kit.errors import Conflict, Invalid
from kit.preview import MOST, require_same, token

ONE, TWO = UUID(int=1), UUID(int=2)


class State(StrEnum):
    """A state."""

    LIVE = "LIVE"


@dataclass(frozen=True)
class Seen:
    """Something of a preview."""

    id: UUID
    state: State
    until: date | None


PARTS = {"office": Seen(ONE, State.LIVE, date(2028, 2, 29)), "open_referrals": [ONE, TWO]}


def test_a_preview_that_still_holds_is_the_same() -> None:
    require_same(token(PARTS), dict(reversed(PARTS.items())))


def test_a_stale_preview_says_which_parts_moved_and_only_those() -> None:
    with pytest.raises(Conflict) as refusal:
        require_same(token(PARTS), {**PARTS, "open_referrals": [ONE]})
    assert refusal.value.code == "STALE_PREVIEW"
    assert refusal.value.field == "token"
    assert refusal.value.details["moved"] == ["open_referrals"]
    assert refusal.value.message == "This has changed since the preview: open referrals."


def test_a_part_that_came_and_a_part_that_went_have_moved() -> None:
    with pytest.raises(Conflict) as refusal:
        require_same(token({"office": 1, "groups": []}), {"office": 1, "staff": []})
    assert refusal.value.details["moved"] == ["staff", "groups"]


def test_the_order_of_a_list_counts_and_that_of_sets_and_mappings_does_not() -> None:
    assert token({"a": [1, 2]}) != token({"a": [2, 1]})
    assert token({"a": frozenset({ONE, TWO})}) == token({"a": {TWO, ONE}})
    assert token({"a": {ONE: 1, TWO: 2}}) == token({"a": {TWO: 2, ONE: 1}})


def test_values_that_only_look_alike_are_told_apart() -> None:
    values: tuple[object, ...] = (
        None,
        0,
        False,
        "0",
        "",
        [],
        [[]],
        [""],
        0.5,
        ONE,
        date(2026, 3, 8),
    )
    tokens = {token({"a": value}) for value in values}
    assert len(tokens) == len(values)


def test_a_token_holds_nothing_of_what_was_seen() -> None:
    assert "Maria" not in token({"providers": ["Maria Lopez"]})
    assert len(token({"providers": ["x"] * 10_000})) < len("providers") + 20


@pytest.mark.parametrize("text", ["", "x", "office-", "-abc", "Office-abc", "o-a." * MOST])
def test_a_text_that_is_no_token_is_refused_as_such(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        require_same(text, PARTS)
    assert refusal.value.field == "token"


def test_what_cannot_be_told_alike_twice_is_a_fault_and_no_refusal() -> None:
    with pytest.raises(TypeError):
        token({"office": object()})
    with pytest.raises(ValueError, match="cannot name"):
        token({"the.office": 1})
