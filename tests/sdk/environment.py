"""An environment of its own for each version of the platform's Python SDK."""

from pathlib import Path

from tests.environments import python_of

HERE = Path(__file__).parent
VERSIONS = ("2.23.0", "2.78.0")
"""The age of our contract, and the newest. They do not get on in one environment."""


def python_with(version: str) -> Path:
    return python_of(f"sdk-{version}", HERE / f"requirements-{version}.txt")
