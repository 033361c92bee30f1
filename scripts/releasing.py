"""Checks a release and builds it: releasing [VERSION] [--only-check]. Nothing is published.

Wheel and sdist are built twice from what is committed, in folders of other names and with files of other modes and
times; a hash that differs means that nobody else could check what is published.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANIFESTS = ("manifests/server.json", "manifests/mcpb/manifest.json")
EPOCH = "SOURCE_DATE_EPOCH"
"""The variable that tells builders which time to write into archives, in seconds."""


def version_of(root: Path) -> str:
    text = (root / "server" / "callwright" / "__init__.py").read_text(encoding="utf-8")
    [version] = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return version


def problems(root: Path, meant: str | None = None) -> list[str]:
    """What speaks against a release of the tree at `root`, each with its remedy. `meant`: the version that is meant."""
    version = version_of(root)
    found: list[str] = []
    if meant not in (None, version):
        found.append(f"callwright.__version__ is {version}, not {meant}: set it in server/callwright/__init__.py")
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        found.append(f"{version} is no version to release: it has three numbers, as 1.2.3 or 1.2.3rc1")
    found += _of_changelog((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    for name in MANIFESTS:
        told = json.loads((root / name).read_text(encoding="utf-8"))["version"]
        if told != version:
            found.append(f"{name} says {told}, not {version}: run scripts/snap")
    if changed := _git(root, "status", "--porcelain").decode().splitlines():
        found.append(f"the tree is not clean ({len(changed)}, first {changed[0][3:]}): commit or remove it")
    return found


def _of_changelog(text: str, version: str) -> list[str]:
    sections = re.findall(r"^## \[(.+?)\](.*)\n((?:(?!## ).*\n?)*)", text, re.MULTILINE)
    names = [name for name, _, _ in sections]
    if names[:1] != ["Unreleased"]:
        return ["CHANGELOG.md does not begin with the section Unreleased: add it"]
    found: list[str] = []
    if sections[0][2].strip():
        found.append(f"CHANGELOG.md has changes under Unreleased: move them under {version}, or raise the version")
    if names[1:2] != [version]:
        return [*found, f"CHANGELOG.md has no section {version} after Unreleased: add it"]
    _, date, body = sections[1]
    if not re.fullmatch(r" - \d{4}-\d\d-\d\d", date):
        found.append(f"CHANGELOG.md has no date at {version}: write it as ## [{version}] - 2026-12-31")
    if not body.strip():
        found.append(f"CHANGELOG.md says nothing about {version}: write what is in it")
    return found


def built(root: Path, into: Path, *, mode: int, seconds: int) -> dict[str, str]:
    """Wheel and sdist of what is committed at `root`, made in the folder `into`: their SHA-256 by name.

    `mode` and `seconds` are those of the files that they are made from, and must not be seen in them.
    """
    source, made = into / "source", into / "made"
    source.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(_git(root, "archive", "HEAD"))) as committed:
        committed.extractall(source, filter="data")
    for path in source.rglob("*"):
        if path.is_file():
            path.chmod(mode)
        os.utime(path, (seconds, seconds))
    env = {**os.environ, EPOCH: _git(root, "log", "-1", "--format=%ct").decode().strip()}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(made)]
    subprocess.run(command, check=True, cwd=source, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(made.iterdir())}


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/release", description="Check and build a release; publish nothing.")
    parser.add_argument("version", nargs="?", help="the version that is meant")
    parser.add_argument("--only-check", action="store_true", help="build nothing")
    parser.add_argument("--tree", type=Path, default=ROOT, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if found := problems(args.tree, args.version):
        print("No release:", *found, sep="\n- ")
        return 1
    print(f"{version_of(args.tree)}: version, changelog, manifests and tree are ready for a release")
    if args.only_check:
        return 0
    with tempfile.TemporaryDirectory() as place:
        first = built(args.tree, Path(place) / "one", mode=0o644, seconds=1_000_000_000)
        second = built(args.tree, Path(place) / "the-other", mode=0o600, seconds=1_500_000_000)
        if first != second:
            print("Two builds differ:", *sorted(first.items() ^ second.items()), sep="\n- ")
            return 1
        dist = args.tree / "dist"
        dist.mkdir(exist_ok=True)
        for name, digest in first.items():
            shutil.copy(Path(place) / "one" / "made" / name, dist)
            print(f"sha256:{digest}  dist/{name}")
    print("Built twice, and the same both times. Nothing is published.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
