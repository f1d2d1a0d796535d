"""Rules of a provider's profile (R09, R11)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Denied, Invalid
from services.directory.domain import profiles
from services.directory.domain.nouns import (
    Profile,
    ProviderState,
    Settings,
    UserId,
    require_version,
)
from tests.unit.directory.builders import NOW, VALID_NPI, provider

NINE = st.from_regex(r"[12][0-9]{8}", fullmatch=True)
SAMPLES = ("1234567893", "1000000004", "1000000012", "1000000020", "1999999992", "2234567891")


@pytest.mark.parametrize("npi", SAMPLES)
def test_known_samples_pass_the_check_digit(npi: str) -> None:
    """R11."""
    assert profiles.npi_is_valid(npi)


@given(NINE)
def test_exactly_one_last_digit_is_valid(nine: str) -> None:
    """R11."""
    assert sum(profiles.npi_is_valid(f"{nine}{digit}") for digit in range(10)) == 1


@given(NINE, st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(nine: str, place: int, by: int) -> None:
    """R11."""
    npi = next(f"{nine}{d}" for d in range(10) if profiles.npi_is_valid(f"{nine}{d}"))
    wrong = npi[:place] + str((int(npi[place]) + by) % 10) + npi[place + 1 :]

    assert not profiles.npi_is_valid(wrong)


@given(st.text())
def test_whatever_text_is_given_the_check_answers(text: str) -> None:
    assert profiles.npi_is_valid(text) is (
        len(text) == 10 and text.isascii() and text.isdigit() and profiles.npi_is_valid(text)
    )


@pytest.mark.parametrize(
    "npi", ["1234567890", "123456789", "12345678930", "3234567893", "١٢٣٤٥٦٧٨٩٣", "123456789X"]
)
def test_what_is_no_npi_is_refused(npi: str) -> None:
    with pytest.raises(Invalid) as refused:
        profiles.clean_npi(npi)

    assert (refused.value.code, refused.value.field) == ("NPI_INVALID", "npi")


@pytest.mark.parametrize("npi", [None, "", "  "])
def test_no_npi_is_allowed_in_a_draft(npi: str | None) -> None:
    assert profiles.clean_npi(npi) is None


def test_a_profile_is_cleaned() -> None:
    cleaned = profiles.clean_profile(
        Profile("  Ada ", "van  der Berg", VALID_NPI, "MD", "", (" 207rc0000x",)), lambda _: True
    )

    assert cleaned.first_name == "Ada"
    assert cleaned.last_name == "van der Berg"
    assert cleaned.specialty_codes == ("207RC0000X",)


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (Profile("", "X"), "firstName"),
        (Profile("X", "y" * 101), "lastName"),
        (Profile("X\u0000", "Y"), "firstName"),
        (Profile("X", "Y", phone="1" * 41), "phone"),
        (Profile("X", "Y", specialty_codes=("A", "a")), "specialtyCodes"),
        (Profile("X", "Y", specialty_codes=tuple(map(str, range(16)))), "specialtyCodes"),
    ],
)
def test_what_is_wrong_with_a_profile_is_named(profile: Profile, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        profiles.clean_profile(profile, lambda _: True)

    assert refused.value.field == field


def test_an_unknown_specialty_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        profiles.clean_profile(Profile("X", "Y", specialty_codes=("Z",)), lambda _: False)

    assert refused.value.code == "UNKNOWN_SPECIALTY"


def test_what_a_profile_lacks_for_approval_is_listed() -> None:
    """R11."""
    with pytest.raises(Conflict) as refused:
        profiles.require_complete(Profile("X", "Y"))

    assert refused.value.code == "INCOMPLETE"
    assert refused.value.details["missing"] == ["npi", "specialtyCodes"]
    profiles.require_complete(provider().profile)


@pytest.mark.parametrize("state", ProviderState)
def test_only_drafts_and_rejected_ones_are_submitted(state: ProviderState) -> None:
    """R11."""
    if state in {ProviderState.DRAFT, ProviderState.REJECTED}:
        profiles.require_submittable(provider(state=state))
    else:
        with pytest.raises(Conflict):
            profiles.require_submittable(provider(state=state))


def test_there_must_be_something_to_decide() -> None:
    """R11."""
    profiles.require_decidable(provider(state=ProviderState.SUBMITTED))
    profiles.require_decidable(
        provider(state=ProviderState.APPROVED, proposed=Profile("X", "Y"), approved_at=NOW)
    )
    with pytest.raises(Conflict):
        profiles.require_decidable(provider(state=ProviderState.APPROVED))


def test_a_second_approver_is_wanted_only_where_the_organization_says_so() -> None:
    """R11."""
    submitter = UserId(provider().added_by)
    submitted = provider(state=ProviderState.SUBMITTED, submitted_by=submitter)
    strict = Settings(second_approver=True)

    profiles.require_other_approver(submitted, submitter, Settings())
    profiles.require_other_approver(submitted, provider().added_by, strict)
    with pytest.raises(Denied):
        profiles.require_other_approver(submitted, submitter, strict)
    with pytest.raises(Denied):
        profiles.require_other_approver(
            replace(submitted, proposed=Profile("X", "Y"), proposed_by=submitter), submitter, strict
        )


@pytest.mark.parametrize(
    ("state", "strict", "alone", "waits"),
    [
        (ProviderState.DRAFT, True, False, False),
        (ProviderState.APPROVED, False, True, False),
        (ProviderState.APPROVED, False, False, True),
        (ProviderState.APPROVED, True, True, True),
    ],
)
def test_a_change_of_an_approved_profile_waits_unless_it_may_be_approved_alone(
    state: ProviderState, *, strict: bool, alone: bool, waits: bool
) -> None:
    """R11."""
    settings = Settings(second_approver=strict)

    assert profiles.waits_for_approval(provider(state=state), settings, may_approve=alone) is waits


@pytest.mark.parametrize("state", [ProviderState.OFFBOARDING, ProviderState.REMOVED])
def test_who_is_leaving_is_not_changed(state: ProviderState) -> None:
    with pytest.raises(Conflict):
        profiles.waits_for_approval(provider(state=state), Settings(), may_approve=True)


def test_a_profile_replaces_the_old_values_and_ends_the_proposal() -> None:
    proposed = Profile("New", "Name", VALID_NPI, "DO", "1", ("207Q00000X",))
    before = provider(proposed=proposed, proposed_by=provider().added_by)
    after = before.with_profile(proposed)

    assert after.profile == proposed
    assert (after.proposed, after.proposed_by) == (None, None)
    assert after.name == "New Name"


def test_another_version_than_the_one_seen_is_refused() -> None:
    require_version("provider", 3, 3)
    with pytest.raises(Conflict) as refused:
        require_version("provider", 2, 3)

    assert (refused.value.code, refused.value.details["current_version"]) == ("STALE_VERSION", 3)
