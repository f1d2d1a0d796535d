"""What admins are to look after (R06)."""

from __future__ import annotations

from uuid import UUID

from services.directory.domain import tasks
from services.directory.domain.nouns import OrganizationId
from services.directory.domain.tasks import Due, Idle, Task, TaskId, TaskKind
from tests.unit.directory.builders import NOW, OURS

ONE, TWO, THREE, BATCH = (UUID(int=number) for number in range(1, 5))
OFFICE = TaskKind.GO_LIVE_MISSED


def _idle(provider: UUID, batch: UUID | None = None) -> Idle:
    return Idle(provider, OURS, batch)


def _task(due: Due) -> Task:
    return Task(
        TaskId(UUID(int=9)),
        OrganizationId(due.organization_id),
        due.kind,
        due.subject_id,
        due.occasion,
        NOW,
        None,
        None,
        None,
        None,
        1,
    )


def test_providers_of_one_import_make_one_task_and_others_one_each() -> None:
    """R06."""
    due = tasks.without_office([_idle(ONE), _idle(TWO, BATCH), _idle(THREE, BATCH)])

    assert [(one.kind, one.subject_id) for one in due] == [
        (TaskKind.PROVIDER_WITHOUT_OFFICE, ONE),
        (TaskKind.IMPORT_WITHOUT_OFFICES, BATCH),
    ]


def test_the_last_of_an_import_is_a_task_of_its_own_and_who_was_dismissed_is_none() -> None:
    """R06."""
    rest = tasks.without_office([_idle(TWO, BATCH), _idle(THREE, BATCH)], dismissed=[THREE])

    assert [(one.kind, one.subject_id) for one in rest] == [(TaskKind.PROVIDER_WITHOUT_OFFICE, TWO)]


def test_what_is_open_stays_what_is_new_is_raised_and_what_is_over_is_done() -> None:
    """R06."""
    old, new, over = (Due(OFFICE, OURS, one) for one in (ONE, TWO, THREE))
    found = tasks.changes([old, new], [_task(old), _task(over)], {})

    assert found.raised == (new,)
    assert found.done == (_task(over),)


def test_what_was_dismissed_comes_back_on_another_occasion_only() -> None:
    """R06."""
    dismissed = {(OFFICE, ONE): {"2026-03-10"}}
    same, other = Due(OFFICE, OURS, ONE, "2026-03-10"), Due(OFFICE, OURS, ONE, "2026-04-01")

    assert tasks.changes([same], [], dismissed).raised == ()
    assert tasks.changes([other], [], dismissed).raised == (other,)
