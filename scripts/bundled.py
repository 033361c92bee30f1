"""Starts a packed bundle as a desktop host does, and works through a real MCP client: bundled FILE.mcpb

With `--tool` it prints where the tool is that packs (a folder `node_modules`), which it installs from its lock.

The host's part: the file unpacked into an empty folder, `mcp_config` of its manifest with the variables filled in, an
environment that holds no more than a home and a bare PATH with uv in it. Once with every field of the form left empty
as the format says, once as some hosts do it, which hand over the variable itself.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from tests.environments import node_modules, python_of

UV = Path(__file__).with_name("requirements-uv.txt")
TOOL = Path(__file__).parent / "mcpb"
SECONDS = 180.0
"""For the first start, which fetches the requirements."""
BARE_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
INDEX = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
"""Where this machine gets packages, as pip knows it and as uv wants to hear it."""


def main(bundle: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place) / "bundle", Path(place) / "home"
        home.mkdir()
        with zipfile.ZipFile(bundle) as packed:
            packed.extractall(folder)
        unpacked = _files(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for how, left_empty in (("empty fields", True), ("fields not filled in", False)):
            began = time.monotonic()
            done = anyio.run(_worked, _parameters(manifest, folder, home, left_empty))
            print(f"{bundle.name}: {how}: {done} in {time.monotonic() - began:.1f} s")
        if written := _files(folder) - unpacked:
            sys.exit(f"A start wrote into the bundle's own folder: {sorted(map(str, written))[:3]}")


def _files(folder: Path) -> set[Path]:
    # Byte code is Python's own doing, and harmless where it cannot be written.
    return {path for path in folder.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__"}


def _parameters(manifest: dict[str, Any], folder: Path, home: Path, left_empty: bool) -> StdioServerParameters:
    values = {"${__dirname}": str(folder)}
    if left_empty:
        values |= {f"${{user_config.{name}}}": asked["default"] for name, asked in manifest["user_config"].items()}

    def filled(text: str) -> str:
        for variable, value in values.items():
            text = text.replace(variable, value)
        return text

    config = manifest["server"]["mcp_config"]
    path = os.pathsep.join([str(python_of("uv", UV).parent), BARE_PATH])
    uv = shutil.which(config["command"], path=path)
    if uv is None:
        sys.exit(f"A host would not find {config['command']!r}.")
    # Nobody sits here for whom a page could be opened.
    bare = {"HOME": str(home), "PATH": path, "CALLWRIGHT_APPROVAL_PAGE": "false", **_index()}
    env = bare | {name: filled(value) for name, value in config["env"].items()}
    return StdioServerParameters(command=uv, args=[filled(word) for word in config["args"]], env=env)


def _index() -> dict[str, str]:
    """uv does not read what pip is told about indexes and certificates. An environment that uv made has no pip."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    told = {name: value for name, value in os.environ.items() if name.startswith("UV_") or name.endswith("_proxy")}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        if variable := INDEX.get(name.rpartition(".")[2]):
            told.setdefault(variable, value.strip("'"))
    return told | ({"UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in told else {})


async def _worked(parameters: StdioServerParameters) -> str:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        try:
            with anyio.fail_after(SECONDS):
                async with Client(stdio_client(parameters, errlog=said)) as client:
                    tools = (await client.list_tools()).tools
                    made = await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."})
                    status: Any = (await client.call_tool("get_status", {})).structured_content
                    secret = await client.call_tool("create_secret", {"name": "crm", "value": "v"})
                    waits: Any = secret.meta or {}
                    # What a person is told to type must run as it is, in any folder, while the server runs.
                    told = shlex.split(waits["callwright/approve_with"])  # without its code it lists what waits
                    typed = await anyio.run_process(told[:-1], env=parameters.env, cwd="/", check=False)
        except Exception as exc:  # whatever keeps it from starting
            said.seek(0)
            sys.exit(f"The bundle does not start ({type(exc).__name__}): {said.read()[-2_000:]}")
    if made.is_error or status["platform"] != "embedded":
        sys.exit(f"The bundle starts and does not work: {made.content} {status}")
    if "Store a secret named 'crm'" not in typed.stdout.decode():
        sys.exit(f"{told} cannot be run: {typed.stdout} {typed.stderr}")
    return f"started, {len(tools)} tools, an agent made"


if __name__ == "__main__":
    if sys.argv[1] == "--tool":
        print(node_modules("mcpb", TOOL))
    else:
        main(Path(sys.argv[1]))
