"""The signed viewer."""

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth import (
    ANONYMOUS,
    VIEWER_LIFE,
    Kind,
    Stage,
    Viewer,
    service_viewer,
    sign_viewer,
    verify_viewer,
)
from kit.errors import Denied, Unauthenticated

KEY = b"k" * 32
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAFF = Viewer(
    kind=Kind.USER,
    user_id=UUID(int=1),
    session_id=UUID(int=2),
    organization_id=UUID(int=3),
    office_staff_of=frozenset({UUID(int=4), UUID(int=5)}),
)


def signed(viewer: Viewer = STAFF, audience: str = "directory") -> str:
    return sign_viewer(viewer, audience=audience, key=KEY, at=NOW)


@given(
    st.builds(
        Viewer,
        kind=st.sampled_from(Kind),
        user_id=st.none() | st.uuids(),
        session_id=st.none() | st.uuids(),
        organization_id=st.none() | st.uuids(),
        stage=st.sampled_from(Stage),
        support=st.booleans(),
        client_admin=st.booleans(),
        insurance_manager=st.booleans(),
        call_centre=st.booleans(),
        office_admin_of=st.frozensets(st.uuids(), max_size=4),
        office_staff_of=st.frozensets(st.uuids(), max_size=4),
        service=st.text(max_size=10),
        reporting_only=st.booleans(),
        provider_id=st.none() | st.uuids(),
        insurance_manager_of=st.frozensets(st.uuids(), max_size=4),
    )
)
def test_a_viewer_arrives_as_it_was_signed(viewer: Viewer) -> None:
    assert verify_viewer(signed(viewer), audience="directory", key=KEY, at=NOW) == viewer


def test_who_keeps_the_plans_of_no_single_office_is_signed_as_ever() -> None:
    """R26: a process of the version before reads it, and what that one signs is read."""
    claims = orjson.loads(urlsafe_b64decode(signed().partition(".")[0]))

    assert "insurance_manager_of" not in claims
    assert verify_viewer(signed(), audience="directory", key=KEY, at=NOW) == STAFF


def test_the_insurance_manager_of_an_office_does_not_work_there() -> None:
    """R26"""
    assert Viewer(insurance_manager_of=frozenset({uuid4()})).offices == frozenset()


def test_a_viewer_is_good_for_its_audience_only() -> None:
    with pytest.raises(Unauthenticated):
        verify_viewer(signed(audience="insurance"), audience="directory", key=KEY, at=NOW)


def test_a_viewer_lives_sixty_seconds() -> None:
    last = NOW + VIEWER_LIFE - timedelta(microseconds=1)
    assert verify_viewer(signed(), audience="directory", key=KEY, at=last) == STAFF
    with pytest.raises(Unauthenticated):
        verify_viewer(signed(), audience="directory", key=KEY, at=NOW + VIEWER_LIFE)


def test_a_viewer_from_the_future_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify_viewer(signed(), audience="directory", key=KEY, at=NOW - timedelta(seconds=6))


@pytest.mark.parametrize(
    "text", ["", ".", "x.y", "\N{SNOWMAN}.\N{SNOWMAN}", "null.", "e30=.", "e30=." + "a" * 44]
)
def test_anything_else_is_refused_with_the_same_answer(text: str) -> None:
    with pytest.raises(Unauthenticated, match="own parts"):
        verify_viewer(text, audience="directory", key=KEY, at=NOW)


def test_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify_viewer(signed(), audience="directory", key=b"z" * 32, at=NOW)


def test_every_changed_character_is_refused() -> None:
    text = signed()
    for place, character in enumerate(text):
        changed = text[:place] + ("A" if character != "A" else "B") + text[place + 1 :]
        with pytest.raises(Unauthenticated):
            verify_viewer(changed, audience="directory", key=KEY, at=NOW)


def test_nobody_and_services_are_not_users() -> None:
    for viewer in (ANONYMOUS, service_viewer("directory")):
        with pytest.raises(Unauthenticated):
            viewer.require_user()


def test_a_session_from_a_temporary_password_is_told_to_set_one() -> None:
    """R05."""
    viewer = Viewer(kind=Kind.USER, user_id=UUID(int=1), stage=Stage.SET_PASSWORD)
    with pytest.raises(Denied) as refusal:
        viewer.require_user()
    assert refusal.value.code == "PASSWORD_CHANGE_REQUIRED"


def test_a_client_admin_who_only_looks_may_change_nothing() -> None:
    """R02: the reporting-only client admin."""
    with pytest.raises(Denied) as refusal:
        Viewer(kind=Kind.USER, user_id=UUID(int=1), reporting_only=True).require_may_change()
    assert refusal.value.code == "REPORTING_ONLY"
    STAFF.require_may_change()


def test_support_staff_have_no_organization_of_their_own() -> None:
    viewer = Viewer(kind=Kind.USER, user_id=UUID(int=1), support=True)
    with pytest.raises(Denied) as refused:
        viewer.require_organization()

    assert "breakGlass" in str(refused.value.remedy)
