"""Who an embedded PostgreSQL runs as, since it refuses to be root; and how leftovers of a killed run are ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cli.servers.process import LEASH
from cli.trouble import Trouble

END_PATIENCE = 15.0
POLL = 0.05
SHARED_CACHE = Path("/var/cache")


@dataclass(frozen=True)
class Runner:
    """An identity as the leash spells it, and the binaries that identity can reach."""

    leash: str
    binaries: Path
    owner: tuple[int, int] | None = None

    def hand_over(self, path: Path) -> None:
        """Give a file or folder to the identity."""
        if self.owner:
            os.chown(path, *self.owner)

    def make_folder(self, path: Path) -> None:
        """Make an empty folder that belongs to the identity."""
        path.mkdir(mode=0o700)
        self.hand_over(path)


def choose(cluster: Path, binaries: Path, *, namespaces: bool | None = None) -> Runner:
    """Ourselves when we are not root. As root: the cluster's owner when that is somebody else, otherwise ourselves in a user
    namespace, otherwise (`namespaces` says they are refused) the user nobody."""
    if os.geteuid() != 0:
        return Runner("self", binaries)
    owner = cluster.stat() if cluster.exists() else None
    if owner is not None and owner.st_uid != 0:
        return _somebody(owner.st_uid, owner.st_gid, cluster.parent, binaries)
    if _namespaces_work() if namespaces is None else namespaces:
        return Runner("unroot", binaries)
    nobody = pwd.getpwnam("nobody")
    return _somebody(nobody.pw_uid, nobody.pw_gid, cluster.parent, binaries)


def _namespaces_work() -> bool:
    return _leashed("unroot", "true")


def _leashed(identity: str, *program: str) -> bool:
    command = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), "0", identity, *program]
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - our own leash
    return done.returncode == 0


def _somebody(uid: int, gid: int, home: Path, binaries: Path) -> Runner:
    """Run as another user: the home must be in that user's reach, the binaries are copied where everybody may read them."""
    leash = f"{uid}:{gid}"
    if not _reachable(leash, home):
        raise Trouble(
            f"PostgreSQL must run as another user than root here, who cannot reach {home}.",
            "Give --data a folder outside private homes, or run ./suite as a normal user.",
        )
    os.chown(home, uid, gid)
    if not _reachable(leash, binaries / "postgres"):
        binaries = _shared_copy(binaries)
    return Runner(leash, binaries, (uid, gid))


def _reachable(identity: str, path: Path) -> bool:
    return _leashed(identity, "test", "-d" if path.is_dir() else "-x", str(path))


def _shared_copy(binaries: Path) -> Path:
    """A copy of the PostgreSQL tree that only root can change and everybody can read."""
    tree = binaries.parent
    stamp = f"{(binaries / 'postgres').stat().st_size}"
    shared = SHARED_CACHE / f"referral-suite-postgres-{stamp}"
    if not shared.exists():
        draft = shared.with_name(f"{shared.name}.{os.getpid()}")
        shutil.copytree(tree, draft, symlinks=True)
        draft.chmod(0o755)
        draft.rename(shared)
    return shared / binaries.name


async def end_leftover(pid_file: Path, program: str, gentle: signal.Signals) -> None:
    """End a server that an earlier, killed run left behind. The caller holds the data folder's lock, so it is nobody's.

    Returns at once when there is none; a process that reused the number is left alone.
    """
    pid = _pid_in(pid_file)
    deadline = asyncio.get_running_loop().time() + END_PATIENCE
    number = gentle
    while pid is not None and _runs(pid, program):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if asyncio.get_running_loop().time() > deadline:
            number = signal.SIGKILL
        await asyncio.sleep(POLL)


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _runs(pid: int, program: str) -> bool:
    """Whether that process runs that program (asked of `ps`, which Linux and macOS share)."""
    proc = Path(f"/proc/{pid}/comm")
    if Path("/proc/self").exists():
        try:
            return proc.read_text().strip() == program and not _zombie(pid)
        except OSError:
            return False
    command = ["/bin/ps", "-o", "comm=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the system's own ps
    return Path(shown.stdout.strip()).name == program


def _zombie(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "Z"
