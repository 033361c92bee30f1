"""Imports point one way, and the start pulls in nothing heavy."""

import ast
import dataclasses
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import callwright
from callwright.app import App
from callwright.settings import Settings

from . import house
from .test_unused import running

ROOT = Path(callwright.__file__).parent
ONLY = {
    "httpx2": {"net"},
    "sqlalchemy": {"db", "engine", "ledger"},
    "mcp": {
        "app",
        "approval",
        "commands",
        "engine",
        "http_server",
        "mcp_server",
        "replies",
        "requests",
        "tasks",
        "toolkit",
        "tools",
        "undo",
    },
    "starlette": {"approval", "engine", "http_server"},
    "uvicorn": {"approval", "http_server", "web_server"},
    "h11": {"web_server"},
    "jwt": {"http_server"},
    "cryptography": {"approval", "engine", "ledger"},
    "opentelemetry": {"telemetry"},
}
"""Packages of others, and the rooms that may import them."""

FILES = sorted(ROOT.rglob("*.py"))


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def others(file: Path) -> set[str]:
    """Packages of others that a file imports, anywhere in it but for type checkers."""
    found: set[str] = set()
    for node in running(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_one_way(file: Path) -> None:
    """Down, from floor to floor of the drawing in docs/architecture.md; of the engine's own drawing inside of it."""
    module, floor, engine = name_of(file), house.floor_of("floors"), house.floor_of("engine")
    wrong: list[str] = []
    for other in house.arrows()[module]:
        here, there = house.room_of(module), house.room_of(other)
        if here != there and floor[there] <= floor[here] and module:
            wrong.append(other)
        if here == there == "engine" and "." in module and "." in other:
            inside, below = house.engine_room_of(module), house.engine_room_of(other)
            if inside != below and engine[below] <= engine[inside]:
                wrong.append(other)
    assert wrong == []
    foreign = others(file)
    assert {name for name in foreign & ONLY.keys() if house.room_of(module) not in ONLY[name]} == set()
    assert "callwright" not in foreign, "imports of ours are relative"


def test_every_module_has_its_place() -> None:
    rooms = {house.room_of(module) for module in house.modules()} - {""}
    assert rooms == house.floor_of("floors").keys()
    inside = {house.engine_room_of(module) for module in house.modules() if module.startswith("engine.")}
    assert inside == house.floor_of("engine").keys()


def test_no_rooms_and_no_modules_import_each_other_in_a_circle() -> None:
    assert house.circles(house.between_rooms()) == []
    assert house.circles(house.inside_the_engine()) == []
    assert house.circles(house.arrows()) == []


def test_an_arrow_that_points_up_and_a_circle_are_found() -> None:
    graph = {"tools": {"api"}, "api": {"contract"}, "contract": {"tools"}}
    assert house.upward(graph, {"tools": 0, "api": 1, "contract": 2}) == ["contract -> tools"]
    assert house.circles(graph) == [["api", "contract", "tools"]]
    assert house.circles({"a": {"b"}, "b": set()}) == []


def test_no_rule_of_a_resource_imports_another_for_its_rows() -> None:
    rules = {module: others for module, others in house.arrows().items() if module.startswith("engine.rules.")}
    found = {(m, other) for m, others in rules.items() for other in others if other.startswith("engine.rules.")}
    # A run of tests checks its overrides of an agent as an update of that agent is checked.
    assert found == {("engine.rules.agent_test_runs", "engine.rules.agents")}


def test_engine_and_api_layer_meet_only_in_the_app() -> None:
    rooms = house.between_rooms()
    tools_side = (
        "api",
        "approval",
        "client_conversations",
        "clients",
        "mcp_server",
        "replies",
        "toolkit",
        "tools",
        "undo",
    )
    assert [room for room in tools_side if "engine" in rooms[room]] == []
    assert rooms["engine"] & {"ledger", *tools_side} == set()


def test_sealing_is_the_approvals_affair_alone_among_the_tools() -> None:
    rooms = ("approval", "replies", "requests", "toolkit", "tools", "undo")
    users = {f.name for f in FILES if house.room_of(name_of(f)) in rooms and "cryptography" in others(f)}
    assert users == {"seals.py"}


def test_one_module_of_the_engine_speaks_mcp_and_only_when_it_is_called() -> None:
    """An agent's MCP servers are asked as any client asks them; nothing else of the platform knows the protocol."""
    client = ROOT / "engine" / "mcp" / "client.py"
    assert {f for f in FILES if house.room_of(name_of(f)) == "engine" and "mcp" in others(f)} == {client}
    module = ast.parse(client.read_text(encoding="utf-8"))
    assert not any(isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mcp") for node in module.body)


def test_only_the_command_line_reads_the_environment() -> None:
    def reads(file: Path) -> bool:
        text, names = file.read_text(encoding="utf-8"), ("environ", "getenv")
        if not any(name in text for name in names):
            return False  # it need not be parsed
        return any(isinstance(node, ast.Attribute) and node.attr in names for node in ast.walk(ast.parse(text)))

    # What starts the browser is a program of its own, and hands on an environment of its own.
    assert {file.name for file in FILES if reads(file)} == {"cli.py", "start_browser.py"}


def test_what_the_app_is_made_of_knows_no_app() -> None:
    """The arrows of the composition, type checkers' imports included, run from the app and never in a circle."""
    parts = (
        "status", "clients", "engine_host", "services", "accounts/tenants", "mcp_server/subscriptions", "approval/page"
    )  # fmt: skip
    for name in parts:
        names = {
            alias.name if node.module is None else node.module.split(".")[0]
            for node in ast.walk(ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names
        }
        assert "app" not in names, name


def test_nothing_sets_the_app_from_outside(tmp_path: Path) -> None:
    """It is frozen, and no file goes round that."""
    app = App(Settings(home=tmp_path, state_key=b"0" * 32), "embedded")
    fields = {field.name for field in dataclasses.fields(App)}
    for name in (*fields, "policy", "metrics", "tenants"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(app, name, None)

    def sets(node: ast.AST) -> bool:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        return any(
            isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in ("app", "App")
            for target in targets
            for each in ([target] if not isinstance(target, ast.Tuple) else target.elts)
        )

    files = {f: f.read_text(encoding="utf-8") for f in (*FILES, *Path(__file__).parents[1].rglob("*.py"))}
    # Only what looks like it is parsed: an attribute that is neither called nor gone through.
    likely = re.compile(r"\b[aA]pp\s*\.\s*\w+\s*[^\w\s(.]|\b[aA]pp\s*\.\s*\w+\s+in\b")
    assert [
        str(f) for f, text in files.items() if likely.search(text) and any(map(sets, ast.walk(ast.parse(text))))
    ] == []


def test_the_tool_list_is_served_without_engine_client_or_database() -> None:
    code = """
import asyncio, sys
from pathlib import Path
import mcp, mcp.server
before = set(sys.modules)
from callwright.app import App
from callwright.mcp_server.server import build_server
from callwright.settings import Settings
server = build_server(App(Settings(home=Path(sys.argv[1]), state_key=b"0" * 32), "embedded"))
assert len(asyncio.run(server.list_tools())) > 20
print("\\n".join(sorted(set(sys.modules) - before)))
"""
    home = ROOT.parent / "no-such-folder"
    env = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    run = subprocess.run(
        [sys.executable, "-c", code, str(home)],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    loaded = set(run.stdout.split())
    assert {name for name in loaded if name.startswith("callwright")} == snapshot(
        {
            "callwright",
            "callwright.accounts",
            "callwright.accounts.principals",
            "callwright.accounts.scopes",
            "callwright.app",
            "callwright.approval",
            "callwright.approval.exempt",
            "callwright.approval.policy",
            "callwright.approval.request_state",
            "callwright.background_group",
            "callwright.bounds",
            "callwright.client_conversations",
            "callwright.client_conversations.open_conversations",
            "callwright.clients",
            "callwright.clock",
            "callwright.engine_host",
            "callwright.keys",
            "callwright.mcp_server",
            "callwright.mcp_server.apps",
            "callwright.mcp_server.client_log",
            "callwright.mcp_server.find_tools",
            "callwright.mcp_server.guided_server",
            "callwright.mcp_server.instructions",
            "callwright.mcp_server.prompts",
            "callwright.mcp_server.resources",
            "callwright.mcp_server.server",
            "callwright.mcp_server.skills",
            "callwright.mcp_server.subscriptions",
            "callwright.mcp_server.tool_visibility",
            "callwright.replies",
            "callwright.replies.text",
            "callwright.secrecy",
            "callwright.settings",
            "callwright.surface",
            "callwright.tasks",
            "callwright.tasks.extension",
            "callwright.telemetry",
            "callwright.telemetry.calling",
            "callwright.telemetry.flood",
            "callwright.telemetry.logs",
            "callwright.telemetry.metrics",
            "callwright.telemetry.redaction",
            "callwright.toolkit",
            "callwright.toolkit.lazy_tool",
        }
    )
    heavy = {"sqlalchemy", "dbos", "cryptography", "filelock", "platformdirs", "keyring"}
    assert {name.split(".")[0] for name in loaded} & heavy == set()
    assert not home.exists()
