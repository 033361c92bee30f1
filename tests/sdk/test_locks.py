"""The environments of the platform's SDK are pinned with all that their graph of dependencies names."""

import pytest

from tests.locks import gaps_in

from .environment import HERE, VERSIONS, python_with


@pytest.mark.parametrize("version", VERSIONS)
def test_the_lock_of_the_sdk_is_whole(version: str) -> None:
    assert gaps_in(python_with(version), HERE / f"requirements-{version}.txt", [f"elevenlabs=={version}"]) == []
