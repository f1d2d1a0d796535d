"""Reading what Linux tells of a process, and which part of the suite it is."""

from __future__ import annotations

import pytest

from cli.bench.processes import Process, below, part_of, read_process, read_pss, spent
from cli.bench.start import embedded


def test_a_process_is_read_whatever_its_name_holds() -> None:
    stat = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 100 50 30 20 20 0 1 0 12345 0 0"

    process = read_process(stat, b"python\0-m\0cli\0up\0")

    assert (process.pid, process.parent, process.command) == (42, 7, "python -m cli up")
    assert process.seconds > 0


def test_what_is_below_a_process_are_its_children_and_theirs() -> None:
    tree = [(5, 3), (3, 2), (2, 1), (9, 1), (4, 2), (1, 0)]
    everything = [Process(pid, parent, "", 0.0) for pid, parent in tree]

    assert [one.pid for one in below(2, everything)] == [2, 3, 4, 5]


def test_memory_is_the_pss_line_in_megabytes() -> None:
    assert read_pss("Rss:  90000 kB\nPss:  50000 kB\nPss_Dirty:  1 kB\n") == pytest.approx(51.2)


def test_memory_without_a_pss_line_is_an_error() -> None:
    with pytest.raises(ValueError, match="no Pss line"):
        read_pss("Rss:  90000 kB\n")


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("/x/python -m services.identity /data", "identity"),
        ("/x/python -m gateway /data", "gateway"),
        ("/x/python -m cli up --port 4000", "supervisor"),
        ("/x/bin/postgres -D /data/postgres/cluster -p 20001", "postgres"),
        ("postgres: checkpointer ", "postgres"),
        ("/x/nats-server -c /data/nats/nats.conf", "nats"),
        ("/x/python -m", "supervisor"),
    ],
)
def test_a_command_line_tells_the_part(command: str, part: str) -> None:
    assert part_of(command) == part


def test_a_measured_system_uses_nothing_of_the_outside() -> None:
    given = {"PATH": "/bin", "NATS_URL": "nats://x", "DATABASE_URL_IDENTITY": "postgres://x"}

    assert embedded(given) == {"PATH": "/bin"}


def test_what_was_spent_is_told_by_part_and_for_each_thing_done() -> None:
    before, after = {"gateway": 1.0}, {"gateway": 1.5, "nats": 0.2}

    assert spent(before, after, 100) == pytest.approx({"gateway": 5.0, "nats": 2.0})
