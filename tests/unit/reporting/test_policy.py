"""Who may read which report."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth import ANONYMOUS, Kind, Stage, Viewer
from kit.errors import Conflict, Denied, Unauthenticated
from services.reporting import policy
from services.reporting.domain import (
    Group,
    GroupId,
    OfficeId,
    OrganizationId,
    PublishedReport,
    ReportAction,
    ReportId,
    UserId,
    refuse_other_version,
)

OURS, THEIRS = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
OFFICE, OTHER_OFFICE = OfficeId(UUID(int=3)), OfficeId(UUID(int=4))
NOW = datetime(2026, 6, 1, tzinfo=UTC)
GROUP = Group(GroupId(UUID(int=5)), OURS, "Cardiology", frozenset({OFFICE}), NOW, None)
REPORT = PublishedReport(
    ReportId(UUID(int=6)), OURS, GROUP.id, date(2026, 6, 1), {}, None, NOW, None, None
)
STAFF = Viewer(
    kind=Kind.USER, user_id=UUID(int=9), organization_id=OURS, office_staff_of=frozenset({OFFICE})
)
ADMIN = replace(STAFF, client_admin=True)
OFFICES = st.frozensets(st.sampled_from([OFFICE, OTHER_OFFICE]))
VIEWERS = st.builds(
    Viewer,
    kind=st.sampled_from(Kind),
    user_id=st.just(UUID(int=9)),
    organization_id=st.sampled_from([OURS, THEIRS, None]),
    stage=st.sampled_from(Stage),
    support=st.booleans(),
    client_admin=st.booleans(),
    insurance_manager=st.booleans(),
    call_centre=st.booleans(),
    office_admin_of=OFFICES,
    office_staff_of=OFFICES,
    insurance_manager_of=OFFICES,
)


@given(VIEWERS)
def test_only_admins_read_and_only_their_own(viewer: Viewer) -> None:
    """R31, R02"""
    signed_in = viewer.kind is Kind.USER and viewer.stage is Stage.FULL
    entitled = viewer.client_admin or OFFICE in viewer.office_admin_of

    may = policy.may_read(viewer, GROUP)

    assert may == (signed_in and entitled and viewer.organization_id == OURS)


def test_office_staff_read_no_reports() -> None:
    """R31"""
    with pytest.raises(Denied):
        policy.permit_reading_some(STAFF)
    with pytest.raises(Denied):
        policy.permit_reading(STAFF, GROUP)


def test_an_office_admin_reads_groups_of_own_offices_only() -> None:
    """R31"""
    admin = replace(STAFF, office_admin_of=frozenset({OTHER_OFFICE}))

    policy.permit_reading_some(admin)
    with pytest.raises(Denied):
        policy.permit_reading(admin, GROUP)
    policy.permit_reading(replace(admin, office_admin_of=frozenset({OFFICE})), GROUP)


def test_nobody_reads_without_a_sign_in() -> None:
    with pytest.raises(Unauthenticated):
        policy.permit_reading_some(ANONYMOUS)


def test_whoever_reads_a_report_may_review_it_once() -> None:
    """R31"""
    reviewed = replace(REPORT, reviewed_at=NOW, reviewed_by=UserId(UUID(int=9)))

    assert policy.allowed_actions(ADMIN, GROUP, REPORT) == (ReportAction.MARK_REVIEWED,)
    assert policy.allowed_actions(ADMIN, GROUP, reviewed) == ()
    assert policy.allowed_actions(STAFF, GROUP, REPORT) == ()


def test_a_report_reviewed_in_the_meantime_is_told_by_its_version() -> None:
    """R31"""
    refuse_other_version(REPORT, 1)
    with pytest.raises(Conflict) as refused:
        refuse_other_version(replace(REPORT, reviewed_at=NOW), 1)
    assert (refused.value.code, refused.value.details["current_version"]) == ("STALE_VERSION", 2)


def test_who_only_looks_reads_every_report_of_the_organization_and_reviews_none() -> None:
    """R02, R31."""
    looks = replace(STAFF, office_staff_of=frozenset(), reporting_only=True)

    policy.permit_reading_some(looks)
    assert policy.may_read(looks, GROUP)
    assert policy.allowed_actions(looks, GROUP, REPORT) == ()


def test_an_insurance_manager_of_an_office_reads_its_numbers_of_insurance_and_no_others() -> None:
    """R26, R31: not the reviews, which are of the whole organization."""
    keeper = Viewer(
        kind=Kind.USER,
        user_id=UUID(int=8),
        organization_id=OURS,
        insurance_manager_of=frozenset({OFFICE}),
    )

    assert policy.permit_insurance_reports(keeper) == {OFFICE}
    for refused in (policy.permit_insurance_reviews, policy.readable_offices, policy.measured):
        with pytest.raises(Denied):
            refused(keeper)
    admin = replace(keeper, office_admin_of=frozenset({OTHER_OFFICE}))
    assert policy.permit_insurance_reports(admin) == {OFFICE, OTHER_OFFICE}
    assert policy.readable_offices(admin) == {OTHER_OFFICE}
    for everywhere in ("client_admin", "reporting_only", "insurance_manager"):
        assert policy.permit_insurance_reports(replace(keeper, **{everywhere: True})) is None
