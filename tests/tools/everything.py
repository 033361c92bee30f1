"""A server that offers every tool."""

from pathlib import Path
from typing import Any

from callwright.app import App
from tests.transports import Clock, numbered, server, settings


def offering(home: Path, clock: Clock, **chosen: Any) -> App:
    """On the embedded platform, in a data folder below `home`."""
    chosen = {"toolsets": ("all",), **chosen}
    return server(settings(home / "home", **chosen), clock=clock, ids=numbered())
