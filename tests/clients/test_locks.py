"""The environments of the released clients are pinned with all that their graph of dependencies names."""

import pytest

from tests.environments import python_of
from tests.locks import gaps_in

from .ladder_client import AGENTS
from .test_old_clients import HERE, NEGOTIATED


@pytest.mark.parametrize("version", NEGOTIATED)
def test_the_lock_of_a_released_client_is_whole(version: str) -> None:
    lock = HERE / f"requirements-{version}.txt"
    assert gaps_in(python_of(f"mcp-{version}", lock), lock, [f"mcp=={version}"]) == []


def test_the_lock_of_the_agents_is_whole() -> None:
    [root] = [
        line.split()[0] for line in AGENTS.read_text(encoding="utf-8").splitlines() if line.startswith("pydantic-ai")
    ]
    assert gaps_in(python_of("mcp-agents", AGENTS), AGENTS, [root]) == []
