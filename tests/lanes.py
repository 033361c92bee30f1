"""The lanes of the suite: parts that run by themselves (`scripts/test LANE`). Each test belongs to one.

A test belongs to the first lane that names its file or folder; of the others, those against the platform elsewhere
are `hosted`, and the rest is `quick`.
"""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLACES: dict[str, tuple[str, ...]] = {
    # On a real PostgreSQL server.
    "postgresql": ("db/test_postgresql.py", "db/test_live_postgresql.py"),
    # In a real Chromium.
    "browser": (
        "approval/test_approval_in_browser.py",
        "http_server/test_approvals_in_browser.py",
        "engine/chat_page/test_in_browser.py",
        "engine/chat_page/test_start_in_browser.py",
        "mcp_server/test_view.py",
    ),
    # With released SDKs of the platform and released clients of the protocol, each in an environment of its own.
    "sdk": ("sdk", "clients"),
    # Programs that are started, talked to and killed, each of which takes a second to start.
    "processes": (
        "db/test_migrations.py",
        "db/test_processes.py",
        "engine/live/test_recorder.py",
        "manifests",
        "telemetry/test_exporting.py",
        "telemetry/test_logs.py",
        "approval/test_approval.py",
        "approval/test_opened_browser.py",
        "test_bench.py",
        "test_canary.py",
        "mcp_server/test_cancellation.py",
        "commands/test_cli.py",
        "mcp_server/test_stdio.py",
        "test_demo.py",
        "commands/test_install.py",
        "test_keys.py",
        "test_main_job.py",
        "test_release.py",
        "http_server/test_serving.py",
        "warm",
        "approval/test_unattended.py",
        "engine/test_vault_key.py",
    ),
    # Every operation, path, way of asking or size, one by one, and requests that are made up.
    "exhaustive": (
        "engine/test_fuzz.py",
        "hosted",
        "laws/test_growth.py",
        "laws/test_guarded.py",
        "laws/test_sizes.py",
        "rest",
        "approval/test_bounds_of_tools.py",
        "approval/test_ladder.py",
        "tools/test_talking_bounds.py",
    ),
    # Attacks by the thousand, in their short form.
    "campaigns": ("campaigns",),
    # Conversations over sockets, the server over HTTP, language models on the other end.
    "live": ("dialogue", "http_server", "web_server", "engine/chat_page", "engine/live", "engine/tool_calls", "tasks"),
}
"""Files and folders, from the folder of tests."""
LANES = ("quick", "hosted", *PLACES)


def lane_of(item: pytest.Item) -> str:
    if found := _lane_of(item.path):
        return found
    chosen: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return "hosted" if chosen.get("either_platform") == "hosted" else "quick"


def may_hold(path: Path, lane: str) -> bool:
    """Whether tests of `lane` can be in this file, so that it is worth reading."""
    return (_lane_of(path) or "quick") == (lane if lane in PLACES else "quick")


def _lane_of(path: Path) -> str | None:
    around = {path, *path.parents}
    return next((lane for lane, places in PLACES.items() if any(HERE / place in around for place in places)), None)
