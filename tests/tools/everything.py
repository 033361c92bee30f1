"""A server that offers every tool."""

from pathlib import Path
from typing import Any

from callwright.app import App
from tests.arms import Clock, numbered, settings


def offering(home: Path, clock: Clock, **chosen: Any) -> App:
    """On the embedded platform, in a data folder below `home`."""
    chosen = {"toolsets": ("all",), **chosen}
    return App(settings(home / "home", **chosen), "embedded", clock=clock, ids=numbered())
