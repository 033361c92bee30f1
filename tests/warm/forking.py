"""The server of warm programs: `python -m tests.warm.forking SOCKET`. It ends when its standard input does.

`program.py` connects, hands in its standard streams, arguments, environment and folder, and is told the process that
was forked for it, and in the end its status. If it hangs up, that process is killed.
"""

import atexit
import gc
import json
import logging
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import anyio

import callwright

LATE = ("anyio._backends._asyncio", "jsonschema", "platformdirs", "rich.logging", "sqlalchemy.dialects.sqlite")
"""Packages that most programs import, but not before they need them."""


def main() -> None:
    _import_all()
    arguments = _serve(sys.argv[1])
    try:
        _run(arguments)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            _end(end.code or 0)
        raise
    _end(0)


def _run(arguments: list[str]) -> None:
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(code, {"__name__": "__main__"})
        case other:
            raise SystemExit(f"neither a module nor code: {other}")


def _end(status: int) -> None:
    """End as Python does, but for taking apart all that was imported, which takes longer than most programs."""
    cast(Any, threading)._shutdown()  # waits for threads
    cast(Any, atexit)._run_exitfuncs()
    gc.collect()
    with suppress(OSError):  # then Python shall say so, at an end of its own
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
        os._exit(status & 0xFF)


def _import_all() -> None:
    """Every module of the program, with all that they import."""
    for name in LATE:
        import_module(name)
    root = Path(callwright.__file__).parent
    for file in root.rglob("*.py"):
        name = ".".join(file.relative_to(root.parent).with_suffix("").parts)
        if not name.endswith(("__init__", "__main__")):
            import_module(name)
    anyio.run(_talk)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()  # only this one is forked
    logging.getLogger().handlers.clear()  # each program says itself how it logs
    gc.collect()
    gc.freeze()


async def _talk() -> None:
    """Hold a conversation of each era with a server inside: what is built at first use, as most schemas, is built then."""
    from mcp import Client
    from mcp.client.context import ClientRequestContext
    from mcp.types import ElicitRequestParams, ElicitResult

    from callwright.app import App
    from callwright.mcp_server.server import build_server
    from callwright.settings import Settings

    async def yes(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": True})

    for era in ("auto", "legacy"):
        with TemporaryDirectory() as folder:
            app = App(Settings(home=Path(folder)), "embedded")
            async with Client(build_server(app), mode=era, elicitation_callback=yes) as client:
                made = await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."})
                assert made.structured_content
                ada: dict[str, str] = {"agent_id": made.structured_content["agent_id"]}
                for tool in ("list_agents", "get_agent", "delete_agent"):
                    done = await client.call_tool(tool, {} if tool == "list_agents" else ada)
                    assert not done.is_error, done


def _serve(address: str) -> list[str]:
    """Fork for whoever connects. Returns in the forked processes only: what Python is to run."""
    ended, ends = socket.socketpair()
    ends.setblocking(False)
    signal.signal(signal.SIGCHLD, _noted)
    signal.set_wakeup_fd(ends.fileno())
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    events = selectors.DefaultSelector()
    for each in (sys.stdin, ended, listener):
        events.register(each, selectors.EVENT_READ)
    peers: dict[int, socket.socket] = {}
    """By the processes that run."""
    print("ready", flush=True)  # noqa: T201  # read by who started this
    while True:
        for key, _ in events.select():
            if key.fileobj is sys.stdin:
                for child in peers:
                    os.kill(child, signal.SIGKILL)
                os.unlink(address)
                os._exit(0)
            elif key.fileobj is ended:
                ended.recv(4096)
                _report(peers)
            elif key.fileobj is listener:
                peer, _ = listener.accept()
                _, streams, _, _ = socket.recv_fds(peer, 1, 3)
                asked = peer.makefile("rb").readline()
                if (child := os.fork()) == 0:
                    for each in (ends, peer, *_sockets(events), events):
                        each.close()
                    return _become(streams, *json.loads(asked))
                for stream in streams:
                    os.close(stream)
                peers[child] = peer
                events.register(peer, selectors.EVENT_READ, child)
                peer.sendall(b"%d\n" % child)
            else:
                _hung_up(events, key, peers)


def _noted(number: int, frame: object) -> None:
    """Nothing to do: that the signal came is written to the socket of the wake-ups."""


def _sockets(events: selectors.BaseSelector) -> list[socket.socket]:
    return [key.fileobj for key in events.get_map().values() if isinstance(key.fileobj, socket.socket)]


def _report(peers: dict[int, socket.socket]) -> None:
    """Tell of every process that has ended how it did."""
    while peers:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        with suppress(OSError):  # who hung up is not there any more
            peers.pop(child).sendall(b"%d\n" % status)


def _hung_up(events: selectors.BaseSelector, key: selectors.SelectorKey, peers: dict[int, socket.socket]) -> None:
    events.unregister(key.fileobj)
    cast(socket.socket, key.fileobj).close()
    if key.data in peers:
        os.kill(key.data, signal.SIGKILL)


def _become(streams: list[int], arguments: list[str], environment: dict[str, str], folder: str) -> list[str]:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    return arguments


if __name__ == "__main__":
    main()
