"""Refresh tokens and sessions."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from kit.auth import Stage
from services.identity.domain import (
    SESSION_LIFE,
    Refresh,
    RefreshToken,
    Session,
    SessionId,
    UserId,
    judge_refresh,
)
from tests.unit.identity.builders import NOW

KEY = b"k" * 32
ROTATED = NOW + timedelta(minutes=4)


def session(number: int = 5) -> Session:
    return Session(
        SessionId(uuid4()), UserId(uuid4()), None, None, Stage.FULL, NOW, NOW + SESSION_LIFE, number, ROTATED
    )  # fmt: skip


def test_the_good_refresh_token_is_rotated() -> None:
    assert judge_refresh(session(5), 5, ROTATED) is Refresh.ROTATE


def test_the_direct_predecessor_gets_the_same_successor_for_ten_seconds() -> None:
    just_before = ROTATED + timedelta(seconds=10) - timedelta(microseconds=1)

    assert judge_refresh(session(5), 4, just_before) is Refresh.REPEAT
    assert judge_refresh(session(5), 4, ROTATED + timedelta(seconds=10)) is Refresh.REVOKE


@given(st.integers(min_value=3, max_value=1000), st.data())
def test_any_older_token_kills_the_session_even_within_the_grace(
    number: int, data: st.DataObject
) -> None:
    older = data.draw(st.integers(min_value=1, max_value=number - 2))

    assert judge_refresh(session(number), older, ROTATED) is Refresh.REVOKE


def test_a_token_from_the_future_is_a_reason_to_kill_the_session() -> None:
    assert judge_refresh(session(5), 6, ROTATED) is Refresh.REVOKE


def test_refreshing_never_outlives_the_session() -> None:
    one = session(5)

    assert judge_refresh(one, 5, one.ends_at) is Refresh.REFUSE
    assert judge_refresh(one, 5, one.ends_at - timedelta(microseconds=1)) is Refresh.ROTATE


def test_a_revoked_session_is_not_refreshed() -> None:
    assert judge_refresh(replace(session(), revoked_at=NOW), 5, ROTATED) is Refresh.REFUSE


def test_a_session_that_may_only_set_a_password_is_not_refreshed() -> None:
    """R05"""
    assert judge_refresh(replace(session(), stage=Stage.SET_PASSWORD), 5, ROTATED) is Refresh.REFUSE


@given(st.uuids(), st.integers(min_value=1, max_value=2**31 - 1))
def test_a_refresh_token_reads_back(session_id: SessionId, number: int) -> None:
    token = RefreshToken(session_id, number)

    assert RefreshToken.read(token.text(KEY), KEY) == token
    assert RefreshToken.read(token.text(KEY), b"x" * 32) is None


@given(st.text())
def test_no_other_text_is_a_refresh_token(text: str) -> None:
    assert RefreshToken.read(text, KEY) is None


@given(st.uuids(), st.integers(min_value=0, max_value=69), st.sampled_from("AQgw_-="))
def test_a_refresh_token_with_one_letter_changed_is_none(
    session_id: SessionId, place: int, letter: str
) -> None:
    text = RefreshToken(session_id, 1).text(KEY)
    changed = text[:place] + letter + text[place + 1 :]

    assert changed == text or RefreshToken.read(changed, KEY) is None
