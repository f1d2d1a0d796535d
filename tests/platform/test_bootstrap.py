"""`./suite` makes its environment once, from the lock alone, and says in one sentence what stands in its way."""

from __future__ import annotations

import errno
import os
import runpy
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".tools/uv/bin/uv")
    if not Path(found).exists():
        pytest.skip("uv is not there yet: ./suite installs it")
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The bootstrap with an empty lock and a command that says what it was given."""
    place = tmp_path / "checkout"
    (place / "deploy").mkdir(parents=True)
    (place / "cli").mkdir()
    shutil.copy(ROOT / "suite", place / "suite")
    (place / "deploy/requirements-dev.lock").write_text("")
    (place / "cli/__init__.py").write_text("")
    (place / "cli/__main__.py").write_text("import sys; print('ran', sys.prefix, sys.argv[1:])")
    return place


@pytest.fixture
def run(checkout: Path, uv: str) -> Run:
    def suite(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(checkout / "suite"), *arguments],
            env=os.environ | {"UV": uv} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return suite


def a_uv(tmp_path: Path, real: str, on_sync: str) -> str:
    """A uv that does something else when it should install."""
    script = tmp_path / "uv"
    script.write_text(
        f'#!/bin/sh\nif [ "$1 $2" = "pip sync" ]; then\n{on_sync}\nfi\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    return str(script)


def as_python(
    checkout: Path, version: str, path: str, executable: str
) -> subprocess.CompletedProcess[str]:
    """Run the bootstrap in an interpreter that says it is of this version, or that it is another program."""
    code = f"""
        import runpy, sys
        sys.version_info = ({version}, 0, "final", 0)
        sys.executable = {executable!r}
        sys.argv = [{str(checkout / "suite")!r}, "up"]
        runpy.run_path(sys.argv[0], run_name="__main__")
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={"PATH": path, "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_run_installs_and_the_second_touches_nothing(run: Run, checkout: Path) -> None:
    first = run("up", "--port", "4001")
    assert first.stdout == f"ran {checkout}/.venv ['up', '--port', '4001']\n"
    assert "Installing the locked requirements" in first.stderr

    second = run("up", UV="/nowhere", UV_OFFLINE="1")
    assert (second.returncode, second.stderr) == (0, "")


def test_it_works_from_any_folder_and_below_a_private_home(run: Run, checkout: Path) -> None:
    checkout.parent.chmod(0o700)

    assert run("mail").stdout.startswith("ran ")
    elsewhere = subprocess.run(
        [str(checkout / "suite"), "mail"], cwd="/", capture_output=True, text=True, check=False
    )
    assert elsewhere.stdout == f"ran {checkout}/.venv ['mail']\n"


def test_a_changed_lock_is_installed_again(run: Run, checkout: Path) -> None:
    run()
    (checkout / "deploy/requirements-dev.lock").write_text("# changed\n")

    assert "Installing the locked requirements" in run().stderr
    assert run().stderr == ""


def test_a_first_run_that_was_killed_is_made_good(
    run: Run, checkout: Path, uv: str, tmp_path: Path
) -> None:
    hanging = a_uv(tmp_path, uv, f"touch {tmp_path}/reached; kill -9 $PPID; exit 1")
    assert run(UV=hanging).returncode == -signal.SIGKILL
    assert (tmp_path / "reached").exists()
    assert not (checkout / ".venv").exists()

    assert run().stdout.startswith("ran ")
    assert not (checkout / ".venv.new").exists()


def test_a_full_disk_is_told_with_a_way_out(run: Run, uv: str, tmp_path: Path) -> None:
    full = a_uv(tmp_path, uv, "echo 'failed: No space left on device (os error 28)' >&2; exit 2")

    ended = run(UV=full)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("suite: The disk is full: free about 1 GB")


def test_a_python_that_is_too_old_is_told_what_to_install(checkout: Path) -> None:
    ended = as_python(checkout, "3, 9", path="/nowhere", executable=sys.executable)

    assert ended.returncode == 1
    assert ended.stderr.startswith(
        "suite: Python 3.11 or newer is needed, and this is 3.9: install"
    )


def test_a_python_that_is_too_old_hands_over_to_a_newer_one(
    checkout: Path, uv: str, tmp_path: Path
) -> None:
    newer = tmp_path / "bin"
    newer.mkdir()
    (newer / "python3.11").symlink_to(sys.executable)
    (newer / "uv").symlink_to(uv)

    ended = as_python(checkout, "3, 9", path=f"{newer}:/bin:/usr/bin", executable=sys.executable)

    assert ended.stdout == f"ran {checkout}/.venv ['up']\n", ended.stderr


def test_a_python_without_venv_is_told_what_to_install(checkout: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named venv' >&2; exit 1\n")
    python.chmod(0o755)

    ended = as_python(checkout, "3, 11", path="/nowhere", executable=str(python))

    assert ended.returncode == 1
    assert "apt install python3-venv" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EACCES, "You may not write to /there: run as its owner, or clone"),
        (errno.EROFS, "You may not write to /there"),
        (errno.ENOSPC, "The disk is full: free about 1 GB"),
    ],
)
def test_what_the_system_refuses_is_told_as_a_sentence(number: int, says: str) -> None:
    why = runpy.run_path(str(ROOT / "suite"))["why"]

    assert says in why(OSError(number, os.strerror(number), "/there"))
