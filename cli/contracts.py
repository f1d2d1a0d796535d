"""`./suite contracts`: the committed contracts (subgraph SDL, supergraph, generated proto code), written or checked."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.folder import ROOT
from cli.reference import REFERENCE, reference
from cli.servers.nats_config import SERVICES
from cli.trouble import Trouble

app = typer.Typer(add_completion=False)

SUPERGRAPH = Path("gateway/supergraph.graphql")
HASHES = Path("gateway/supergraph.sha256")
COMPOSER = Path("deploy/compose")
SHOWN_LINES = 40


@app.command()
def contracts(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when stale.")
    ] = False,
) -> None:
    """Export each service's SDL, regenerate the proto code and docs/reference.md, and compose the supergraph.

    Only writing the supergraph needs Node; --check compares recorded hashes.
    """
    console = Console(highlight=False)
    wanted = _sdls() | _proto_code() | {REFERENCE: reference()}
    stale = _stale(wanted)
    if check:
        _report(stale | _stale_supergraph(), console)
        return
    for path in stale:
        _write(path, wanted[path], console)
    if _stale_supergraph() or not (ROOT / SUPERGRAPH).exists():
        composed = _compose()
        _write(SUPERGRAPH, composed, console)
        _write(HASHES, _hashes(), console)
    console.print("the contracts are up to date")


def _write(path: Path, text: str, console: Console) -> None:
    (ROOT / path).write_text(text, encoding="utf-8")
    console.print(f"wrote {path}")


def _report(stale: Mapping[Path, str], console: Console) -> None:
    for path, difference in stale.items():
        console.print(f"[red]stale[/] {path}")
        console.print(difference, markup=False)
    if stale:
        raise Trouble(f"{len(stale)} contract(s) are stale.", "Run ./suite contracts and commit.")
    console.print("the contracts are up to date")


def _stale(wanted: Mapping[Path, str]) -> dict[Path, str]:
    """What is committed differently, with the beginning of the difference."""
    found: dict[Path, str] = {}
    for path, text in wanted.items():
        file = ROOT / path
        committed = file.read_text(encoding="utf-8") if file.exists() else ""
        if committed != text:
            lines = difflib.unified_diff(
                committed.splitlines(), text.splitlines(), "committed", "now", lineterm="", n=1
            )
            found[path] = "\n".join(list(lines)[:SHOWN_LINES])
    return found


# GraphQL ---------------------------------------------------------------------------------------------------------------


def _sdl_path(service: str) -> Path:
    return Path("services") / service / "schema.graphql"


def _sdls() -> dict[Path, str]:
    """Each subgraph's SDL as its code says it."""
    found = {}
    for service in SERVICES:
        schema = importlib.import_module(f"services.{service}.schema").SCHEMA
        found[_sdl_path(service)] = str(schema.as_str()).rstrip() + "\n"
    return found


def _hashes() -> str:
    """The hashes of the five inputs and of the supergraph they gave, as sha256sum writes them."""
    paths = [*(_sdl_path(service) for service in SERVICES), SUPERGRAPH]
    return "".join(f"{_hash(path)}  {path}\n" for path in paths)


def _hash(path: Path) -> str:
    return hashlib.sha256((ROOT / path).read_bytes()).hexdigest()


def _stale_supergraph() -> dict[Path, str]:
    try:
        recorded, now = (ROOT / HASHES).read_text(encoding="utf-8"), _hashes()
    except FileNotFoundError as error:
        return {SUPERGRAPH: f"{error.filename} is missing"}
    if recorded == now:
        return {}
    changed = set(now.splitlines()) - set(recorded.splitlines())
    return {SUPERGRAPH: "changed since: " + ", ".join(sorted(line.split()[1] for line in changed))}


def _compose() -> str:
    """The supergraph of the committed SDL files, composed by the standard composer."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise Trouble(
            "Composing the supergraph needs Node, and there is none.",
            "Install Node 20 or newer; only whoever changes a subgraph's schema needs it.",
        )
    subgraphs = {name: (ROOT / _sdl_path(name)).read_text(encoding="utf-8") for name in SERVICES}
    done = subprocess.run(
        ["node", "compose.mjs"],  # noqa: S607 - whichever Node is installed
        cwd=_composer(),
        input=json.dumps(subgraphs),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Trouble(f"The subgraphs do not fit together:\n{done.stderr.strip()}")
    return done.stdout


def _composer() -> Path:
    """The installed composer, in .tools; installed again when its lock changed."""
    place = ROOT / ".tools/compose"
    lock = (ROOT / COMPOSER / "package-lock.json").read_bytes()
    stamp = place / "stamp"
    digest = hashlib.sha256(lock).hexdigest()
    shutil.copytree(ROOT / COMPOSER, place, dirs_exist_ok=True)
    if stamp.exists() and stamp.read_text() == digest:
        return place
    done = subprocess.run(
        ["npm", "ci", "--silent", "--ignore-scripts"],  # noqa: S607 - whichever npm is installed
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Trouble(
            f"The composer could not be installed: {done.stderr.strip()[-500:]}",
            "npm needs the network, or your own package index, the first time.",
        )
    stamp.write_text(digest)
    return place


# Proto -----------------------------------------------------------------------------------------------------------------


def _proto_code() -> dict[Path, str]:
    """The code generated from every .proto file, in their order."""
    sources = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "proto").rglob("*.proto"))]
    with tempfile.TemporaryDirectory() as folder:
        kinds = ("python", "grpc_python", "mypy", "mypy_grpc")
        outputs = [f"--{kind}_out={folder}" for kind in kinds]
        plugins = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        done = subprocess.run(  # noqa: S603 - our own files
            [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, *sources],
            cwd=ROOT,
            env=os.environ | {"PATH": plugins},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Trouble(f"The proto files do not compile:\n{done.stderr.strip()}")
        return {
            path.relative_to(folder): path.read_text(encoding="utf-8")
            for path in sorted(Path(folder).rglob("*.py*"))
        }
