"""What other programs read about this one is valid where it has a schema, and says what is true."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from callwright import __version__
from callwright.settings import described

HERE = Path(__file__).parent
MANIFESTS = HERE.parents[1] / "manifests"


def read(name: str) -> Any:
    return json.loads((MANIFESTS / name).read_text(encoding="utf-8"))


def test_the_registrys_entry_is_valid_and_names_no_package_that_nobody_published() -> None:
    entry = read("server.json")
    schema: Any = json.loads((HERE / "schemas" / "mcp-registry-server.schema.json").read_text(encoding="utf-8"))
    validator: Any = Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(entry)] == []
    assert entry["version"] == __version__
    assert "packages" not in entry


@pytest.mark.parametrize("name", ["claude-desktop.json", "cursor.json", "vscode.json"])
def test_a_snippet_has_an_absolute_path_to_fill_in(name: str) -> None:
    [servers] = read(name).values()
    assert servers["callwright"]["command"] == "/path/to/.venv/bin/callwright"
    assert servers["callwright"]["args"] == ["serve"]


def test_the_bundle_asks_for_settings_that_there_are_and_hides_secrets() -> None:
    bundle = read("mcpb/manifest.json")
    settings = {setting["name"]: setting["secret"] for setting in described()}
    env = bundle["server"]["mcp_config"]["env"]
    assert set(env) <= set(settings)
    for name, value in env.items():
        asked = bundle["user_config"][value.removeprefix("${user_config.").removesuffix("}")]
        assert asked.get("sensitive", False) is settings[name]
        assert asked["default"] == ""
    assert bundle["version"] == __version__
