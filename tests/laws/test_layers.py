"""Imports point one way, and the start pulls in nothing heavy."""

import ast
import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

import callwright
from callwright.app import App
from callwright.settings import Settings

ROOT = Path(callwright.__file__).parent
LEAVES = {
    "bounds",
    "clock",
    "concurrency",
    "graceful",
    "keys",
    "metrics",
    "principals",
    "secrecy",
    "services",
    "settings",
    "while_serving",
}
"""Modules that import nothing of ours; any layer may use them, `contract` and `net` excepted."""
ABOVE = {"doctor", "host_doctor", "serving", "listing", "calling", "approving"}
"""Commands: they stand on the composed app."""
MAY: dict[str, set[str]] = {
    "__init__": set(),
    **{leaf: set() for leaf in LEAVES},
    "keys": {"settings"},  # a key file that cannot be used is a wrong setting
    "contract": {"secrecy"},  # its notes say which headers should be secrets
    "workflow": {"contract"},
    "pronunciation": {"contract"},
    "net": {"concurrency", "contract"},
    "db": {"contract"},
    "api": {"contract", "net", "bounds", "secrecy", "telemetry"},
    "ledger": {"db"},
    "tasks": {"clock", "while_serving"},
    "talks": {"api", "contract", "net", "tasks", "clock", "while_serving"},
    "tools": {
        "contract",
        "workflow",
        "pronunciation",
        "api",
        "ledger",
        "tasks",
        "talks",
        "secrecy",
        "settings",
        "keys",
        "bounds",
        "services",
        "telemetry",
    },
    "guides": {"tools", "contract", "api", "ledger"},
    "engine": {
        "concurrency",
        "contract",
        "workflow",
        "pronunciation",
        "net",
        "db",
        "secrecy",
        "settings",
        "clock",
        "keys",
        "principals",
        "telemetry",
    },
    "edge": {"tools", "guides", "api", "contract", "db", "net", "telemetry", *LEAVES},
    "telemetry": {"secrecy", "settings"},
    "client_log": {"telemetry"},
    "tenants": {"principals"},
    "clients": {"api", "net", *LEAVES},
    "engine_host": {"db", "engine", "ledger", "net", *LEAVES},
    "status": {"engine", *LEAVES},
    "subscriptions": set(),
    "approval_page": {"ledger", "clock", "graceful"},
    "app": {
        "tools",
        "guides",
        "ledger",
        "clients",
        "engine_host",
        "tenants",
        "status",
        "subscriptions",
        "tasks",
        "talks",
        "telemetry",
        "approval_page",
        *LEAVES,
    },
    "mcp_server": {"app", "tools", "guides", "tasks", "client_log", "introduction", "keys"},
    **{command: {"app", "tools", *LEAVES} for command in ABOVE},
    "introduction": {"settings"},
    "hosts": set(),
    "installing": {"hosts", "settings"},
    "cli": {"app", "mcp_server", "settings", "telemetry", "contract", "edge", "tools", "hosts", "installing", *ABOVE},
    "__main__": {"cli"},
}
MAY["doctor"] |= {"status", "contract", "engine"}  # it examines the parts one by one
MAY["calling"] |= {"mcp_server"}
MAY["listing"] |= {"engine", "contract"}  # the coverage table is what its handlers declare
MAY["host_doctor"] |= {"doctor", "hosts", "installing"}
MAY["serving"] |= {
    "contract",
    "edge",
    "mcp_server",
    "net",
}  # what keeps the engine from starting is an error of the contract
ONLY = {
    "httpx2": {"net"},
    "sqlalchemy": {"db", "engine", "ledger"},
    "mcp": {"tasks", "tools", "guides", "app", "mcp_server", "subscriptions", "client_log", "engine", "edge", *ABOVE},
    "starlette": {"engine", "edge", "serving", "approval_page"},
    "uvicorn": {"serving", "approval_page", "graceful"},
    "jwt": {"edge"},
    "cryptography": {"engine", "ledger", "tools"},
    "openai": {"engine"},
    "opentelemetry": {"telemetry"},
}
"""Packages of others, and who may import them."""

FILES = sorted(ROOT.rglob("*.py"))


def layer_of(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").parts[0]


def running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below, without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield child
            yield from running(child)


def imported(file: Path) -> tuple[set[str], set[str]]:
    """Our layers and others' packages that a file imports, anywhere in it but for type checkers."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    ours: set[str] = set()
    others: set[str] = set()
    for node in running(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
            first = next((part for part in base if part), None)
            ours |= {first} if first else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            others.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            others |= {alias.name.split(".")[0] for alias in node.names}
    return ours - {"__version__"}, others


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_one_way(file: Path) -> None:
    layer = layer_of(file)
    ours, others = imported(file)
    assert ours - MAY[layer] - {layer} == set()
    assert {name for name in others & ONLY.keys() if layer not in ONLY[name]} == set()
    assert "callwright" not in others, "imports of ours are relative"


def test_every_module_has_its_place() -> None:
    assert {layer_of(file) for file in FILES} - MAY.keys() == set()


def test_engine_and_api_layer_meet_only_in_the_app() -> None:
    for one, other in (("engine", "api"), ("engine", "tools"), ("api", "engine"), ("tools", "engine")):
        assert [f.name for f in FILES if layer_of(f) == one and other in imported(f)[0]] == []


def test_sealing_is_the_approvals_affair_alone_among_the_tools() -> None:
    users = {f.name for f in FILES if layer_of(f) == "tools" and "cryptography" in imported(f)[1]}
    assert users == {"approval.py"}


def test_one_module_of_the_engine_speaks_mcp_and_only_when_it_is_called() -> None:
    """An agent's MCP servers are asked as any client asks them; nothing else of the platform knows the protocol."""
    assert {f.name for f in FILES if layer_of(f) == "engine" and "mcp" in imported(f)[1]} == {"mcp_client.py"}
    module = ast.parse((ROOT / "engine" / "mcp_client.py").read_text(encoding="utf-8"))
    assert not any(isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mcp") for node in module.body)


def test_only_the_command_line_reads_the_environment() -> None:
    def reads(file: Path) -> bool:
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        return any(isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") for node in nodes)

    assert {file.name for file in FILES if reads(file)} == {"cli.py"}


def test_what_the_app_is_made_of_knows_no_app() -> None:
    """The arrows of the composition, type checkers' imports included, run from the app and never in a circle."""
    parts = {"status", "tenants", "clients", "engine_host", "services", "subscriptions", "approval_page"}
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

    files = [*FILES, *Path(__file__).parents[1].rglob("*.py")]
    assert [str(f) for f in files if any(map(sets, ast.walk(ast.parse(f.read_text(encoding="utf-8")))))] == []


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
            "callwright.app",
            "callwright.bounds",
            "callwright.clients",
            "callwright.mcp_server.client_log",
            "callwright.clock",
            "callwright.engine_host",
            "callwright.mcp_server",
            "callwright.mcp_server.apps",
            "callwright.mcp_server.resources",
            "callwright.mcp_server.prompts",
            "callwright.mcp_server.guided_server",
            "callwright.mcp_server.skills",
            "callwright.mcp_server.instructions",
            "callwright.keys",
            "callwright.mcp_server.server",
            "callwright.telemetry.metrics",
            "callwright.accounts.principals",
            "callwright.secrecy",
            "callwright.settings",
            "callwright.mcp_server.subscriptions",
            "callwright.client_conversations",
            "callwright.client_conversations.open_conversations",
            "callwright.tasks",
            "callwright.tasks.extension",
            "callwright.telemetry",
            "callwright.telemetry.calling",
            "callwright.telemetry.logs",
            "callwright.telemetry.redaction",
            "callwright.tools",
            "callwright.approval.request_state",
            "callwright.approval.exempt",
            "callwright.mcp_server.tool_visibility",
            "callwright.approval.policy",
            "callwright.accounts.scopes",
            "callwright.toolkit.lazy_tool",
            "callwright.background_group",
        }
    )
    heavy = {"sqlalchemy", "openai", "dbos", "cryptography", "filelock", "platformdirs", "keyring"}
    assert {name.split(".")[0] for name in loaded} & heavy == set()
    assert not home.exists()
