"""Open an address in the browser of the person at this machine. Neither a model nor the log gets to see it."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from subprocess import DEVNULL

import anyio

Browse = Callable[[str], Awaitable[bool]]
"""Opens an address; False where no browser could be started."""
START_SECONDS = 10.0


async def browse(url: str) -> bool:
    """Start the browser that `BROWSER` names, or else the system's."""
    from . import start_browser

    # Isolated: what lies in the current folder, or in PYTHONPATH, is not imported.
    command = [sys.executable, "-I", start_browser.__file__, url]
    try:
        with anyio.fail_after(START_SECONDS):
            ended = await anyio.run_process(
                command,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                check=False,
                start_new_session=True,  # so that the end of the server is not the end of the browser
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
    except (OSError, TimeoutError):
        return False
    return ended.returncode == 0
