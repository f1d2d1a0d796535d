"""The garbage collector of a process that serves."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from kit.garbage import YOUNG, settle


@pytest.fixture
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("as_before")
def test_what_is_loaded_is_left_out_and_young_objects_are_looked_at_less_often() -> None:
    stays: list[object] = []
    stays.append(stays)

    settle()

    assert gc.isenabled()
    assert gc.get_threshold()[0] == YOUNG
    assert gc.get_freeze_count() > 0
    assert not any(one is stays for one in gc.get_objects())
