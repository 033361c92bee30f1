"""A real browser, headless, driven over its remote debugging: what pages do there, and what axe-core says of them."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import anyio
import pytest
from filelock import FileLock

from .conformance.toolchain import NODE, NPM
from .environments import MAY_SKIP

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(
    BROWSER is None and MAY_SKIP, reason="no Chromium here (Debian: apt-get install chromium)"
)

SECONDS = 180  # the first use fetches the checker of accessibility, while others of its kind do too
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " ")}
AXE = "axe-core@4.14.1"


class Page:
    """A tab, over the two pipes of the browser's remote debugging."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._left, self._number, self._session = to, back, b"", 0, ""
        self._loads = 0

    async def begin(self) -> None:
        target = await self._do("Target.createTarget", url="about:blank")
        attached = await self._do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self._do("Page.enable")
        await self._do("Emulation.setFocusEmulationEnabled", enabled=True)

    async def open(self, url: str) -> None:
        loads = self._loads
        await self._do("Page.navigate", url=url)
        await self._loaded(loads)
        # A browser moves the focus to where the page wants it when it first draws.
        await self._do("Page.captureScreenshot", clip={"x": 0, "y": 0, "width": 1, "height": 1, "scale": 1})

    async def press(self, key: str, *, shift: bool = False, leads_on: bool | int = False) -> None:
        """`leads_on`: another page comes of it, or so many in a row, and is waited for."""
        code, text = KEYS[key]
        more = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        more["modifiers"] = 8 if shift else 0
        loads = self._loads
        await self._do("Input.dispatchKeyEvent", type="keyDown", text=text, **more)
        await self._do("Input.dispatchKeyEvent", type="keyUp", **more)
        await self._loaded(loads, leads_on)

    async def type(self, text: str) -> None:
        await self._do("Input.insertText", text=text)

    async def read(self, expression: str) -> Any:
        """What a JavaScript expression is, as JSON. A promise is waited for."""
        found = await self._do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until a JavaScript expression holds."""
        holds = (
            f"new Promise(done => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 10); look(); }})"
        )
        assert await self.read(holds)

    async def shown(self, *, width: int = 800, scheme: str = "light", script: bool = True) -> None:
        """From now on: how wide the window is in CSS pixels, which colours the person prefers, whether pages may run."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await self._do("Emulation.setDeviceMetricsOverride", **size)
        await self._do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self._do("Emulation.setScriptExecutionDisabled", value=not script)

    async def accessible(self) -> list[tuple[str, str]]:
        """Role and name of everything that assistive technology can tell, in reading order."""
        tree = await self._do("Accessibility.getFullAXTree")
        nodes = [node for node in tree["nodes"] if not node["ignored"]]
        told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]
        return [(role, name) for role, name in told if name and role not in ("StaticText", "InlineTextBox")]

    async def flaws(self) -> list[str]:
        """What axe-core objects to: rule, what it is about, and why."""
        await self.read(f"{axe()}; undefined")
        return await self.read(f"axe.run().then({FLAWS})")

    async def addresses(self) -> list[str]:
        """Every entry of the tab's history."""
        return [entry["url"] for entry in (await self._do("Page.getNavigationHistory"))["entries"]]

    async def source(self) -> str:
        """The document as it stands, with what the form's fields hold in their attributes."""
        return await self.read("document.documentElement.outerHTML")

    async def picture(self, file: Path) -> None:
        """For a person who wants to look."""
        taken = await self._do("Page.captureScreenshot", captureBeyondViewport=True)
        await anyio.Path(file).write_bytes(base64.b64decode(taken["data"]))

    async def _do(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        asked: dict[str, Any] = {"id": number, "method": method, "params": params}
        asked |= {"sessionId": self._session} if self._session else {}
        rest = json.dumps(asked).encode() + b"\0"
        while rest:  # axe is longer than a pipe holds
            await anyio.wait_writable(self._to)
            rest = rest[os.write(self._to, rest[:4_096]) :]
        while (said := await self._next()).get("id") != number:
            pass
        assert "error" not in said, said
        return said["result"]

    async def _loaded(self, before: int, pages: int = 1) -> None:
        while self._loads < before + pages:
            await self._next()

    async def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            await anyio.wait_readable(self._back)
            self._left += os.read(self._back, 65_536)
        message, _, self._left = self._left.partition(b"\0")
        said = json.loads(message)
        self._loads += said.get("method") == "Page.loadEventFired"
        return said


@asynccontextmanager
async def browser(profile: Path) -> AsyncGenerator[Page]:
    assert BROWSER
    told, to = os.pipe()
    back, tells = os.pipe()
    # The browser reads its orders from descriptor 3 and answers on 4.
    script = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null'
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
    command = ["sh", "-c", script, BROWSER, *options, f"--user-data-dir={profile}"]
    try:
        async with await anyio.open_process(command, stdin=told, stdout=tells, stderr=DEVNULL) as process:
            try:
                with anyio.fail_after(SECONDS):
                    page = Page(to, back)
                    await page.begin()
                    yield page
            finally:
                process.kill()
    finally:
        for each in (told, to, back, tells):
            os.close(each)


FLAWS = "found => found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id} ${node.target}: ${node.failureSummary}`))"
"""JavaScript: axe's result as sentences."""


def axe() -> str:
    """The checker's own script, which pages load. Fetched once by npm and kept in the environment of the checks."""
    kept = Path(sys.prefix) / "share" / f"{AXE.replace('@', '-')}.js"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            kept.write_bytes(_fetched_axe())
    return kept.read_text(encoding="utf-8")


def _fetched_axe() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [NODE, NPM, "pack", "--silent", "--ignore-scripts", AXE]
        subprocess.run(command, cwd=folder, check=True, stdout=DEVNULL, timeout=SECONDS)
        [packed] = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member
            return member.read()
