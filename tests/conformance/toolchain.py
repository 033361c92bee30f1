"""The suites and the Inspector, installed once from the lock beside this file. Node comes with the dev environment."""

from pathlib import Path

from tests.environments import NODE, NPM, node_modules

__all__ = ["NODE", "NPM", "SUITES", "inspector", "modules", "suite"]

HERE = Path(__file__).parent

SUITES = {"0.1.16": "conformance-0.1", "0.2.0-alpha.12": "conformance-0.2"}


def modules() -> Path:
    """The folder `node_modules`, in `.venv`. Made anew where the lock changed. Raises SystemExit where npm fails."""
    try:
        return node_modules("conformance", HERE)
    except AssertionError as exc:
        raise SystemExit(f"npm could not install the suites: {exc}") from None


def suite(version: str) -> list[str]:
    return [str(NODE), str(modules() / SUITES[version] / "dist" / "index.js")]


def inspector() -> list[str]:
    package = modules() / "@modelcontextprotocol" / "inspector"
    return [str(NODE), str(package / "clients" / "launcher" / "build" / "index.js"), "--cli"]
