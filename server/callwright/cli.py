"""The command line: the only reader of argv and environ. It logs to stderr, without secrets."""

import argparse
import gc
import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlsplit

from . import __version__
from .accounts.principals import LOCAL
from .commands.hosts import HOSTS, Host
from .contract.errors import ApiError
from .settings import Platform, SettingError, Settings, is_loopback
from .telemetry.logs import configure
from .telemetry.redaction import Redactor, secrets_of

if TYPE_CHECKING:
    from .http_server.serving import Listen
    from .http_server.tokens import Tokens

_COLLECT_AFTER = (10_000, 50, 50)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    args = _parser().parse_args(argv)
    # Imported modules live as long as the process. With the default thresholds, the repeated garbage collections over
    # them take a tenth of the time to the first answer.
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        settings = _overridden(Settings.from_env(os.environ), args)
        args.redact = Redactor(secrets_of(settings, os.environ))
        args.say = configure(settings, args.redact)
        code = _COMMANDS[args.command](settings, args)
    except (SettingError, ApiError) as exc:
        code = _refuse(str(exc))
    except OSError as exc:
        code = _refuse(f"{exc}. See callwright doctor.")
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="callwright",
        description="Build, rehearse and watch voice agents from an assistant, over the Model Context Protocol.",
    )
    parser.add_argument("--version", action="version", version=f"callwright {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="the MCP server")
    serve.add_argument("--transport", choices=["stdio", "http"], default="stdio")
    serve.add_argument("--host", default="127.0.0.1", help="HTTP: address to listen on (default: this machine only)")
    serve.add_argument("--port", type=_port, default=8000, help="HTTP: port (default 8000)")
    serve.add_argument("--no-token", action="store_true", help="HTTP: demand no bearer token (this machine only)")
    serve.add_argument("--allowed-hosts", metavar="LIST", help="HTTP: host names under which the server is reached")
    serve.add_argument("--stateless", action="store_true", help="HTTP: keep no sessions (many replicas)")
    serve.add_argument(
        "--json-answers", action="store_true", help="HTTP: JSON answers, no event streams (proxies that cannot stream)"
    )
    _server_options(serve)

    engine = commands.add_parser("engine", help="the embedded platform's REST API over HTTP, for SDKs and curl")
    engine.add_argument("--host", default="127.0.0.1")
    engine.add_argument("--port", type=_port, default=8765)

    tools = commands.add_parser("tools", help="every tool with hints, approval and one line")
    tools.add_argument("--format", choices=["table", "json", "approval-policy"], default="table")
    _server_options(tools)

    commands.add_parser("openapi", help="the REST API as an OpenAPI 3.1 document")

    call = commands.add_parser("call", help="call one tool; exit 0 done, 1 failed, 3 needs approval")
    call.add_argument("tool")
    call.add_argument("--json", default="{}", metavar="ARGS", help="arguments as a JSON object; - reads standard input")
    call.add_argument("--format", choices=["text", "json"], default="text")
    _server_options(call)

    approve = commands.add_parser("approve", help="approve what a client that cannot ask was refused")
    approve.add_argument("code", nargs="?", help="without it: what waits")
    approve.add_argument(
        "--link", metavar="NAME", help="HTTP: print a link for one use that signs the holder of this token in to answer"
    )

    doctor = commands.add_parser("doctor", help="what is configured, reachable, writable, and how to mend the rest")
    doctor.add_argument("--platform", choices=["embedded", "hosted"])
    doctor.add_argument("--host", choices=[*HOSTS], help="start what this host is configured with, as it would")

    install = commands.add_parser("install", help="add the server to a host's configuration; what is there stays")
    install.add_argument("host", choices=[*HOSTS])
    install.add_argument(
        "--env", action="append", default=[], metavar="NAME", help="copy this variable's present value"
    )
    install.add_argument("--dry-run", action="store_true", help="show the file, write nothing")
    install.add_argument("--link", action="store_true", help="print an address that opens the host's own installer")
    _server_options(install)
    return parser


def _server_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--platform", choices=["embedded", "hosted"], help="default: hosted where a key is set")
    parser.add_argument("--toolsets", metavar="LIST", help="comma-separated; default, or all")
    parser.add_argument("--surface", choices=["full", "search"], help="search: five tools that find and run the others")
    parser.add_argument("--read-only", action="store_true", help="offer only tools that read")
    parser.add_argument("--no-outbound", action="store_true", help="no calls to people, no outgoing URLs")
    parser.add_argument("--approval", choices=["always-ask", "fine-grained", "none"])


def _overridden(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings with the flags applied. A flag never switches off a bound that the environment sets."""
    given = vars(args)
    changes: dict[str, object] = {}
    if given.get("toolsets"):
        changes["toolsets"] = tuple(name.strip() for name in str(given["toolsets"]).split(",") if name.strip())
    if given.get("surface"):
        changes["surface"] = given["surface"]
    if given.get("approval"):
        changes["approval"] = _no_looser(settings, str(given["approval"]))
    for bound in ("read_only", "no_outbound"):
        if given.get(bound):
            changes[bound] = True
    return replace(settings, **changes)


def _no_looser(settings: Settings, flag: str) -> str:
    order = ("none", "fine-grained", "always-ask")
    if settings.approval and order.index(flag) < order.index(settings.approval):
        raise SettingError(
            f"--approval {flag} would loosen CALLWRIGHT_APPROVAL={settings.approval}; change that instead."
        )
    return flag


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def _platform(settings: Settings, args: argparse.Namespace) -> Platform:
    platform = cast(Platform, args.platform or settings.platform)
    if platform == "hosted" and not settings.api_key:
        raise SettingError("The hosted platform needs ELEVENLABS_API_KEY; or use --platform embedded.")
    return platform


def _serve(settings: Settings, args: argparse.Namespace) -> int:
    from .app import App
    from .approval.browser import browse
    from .approval.outside import Site
    from .telemetry.exporting import export_spans

    export_spans(os.environ)
    platform = _platform(settings, args)
    hosts = tuple(name.strip() for name in (args.allowed_hosts or "").split(",") if name.strip())
    # With other host names clients may be on other machines, where 127.0.0.1 is not this one.
    named = hosts or (settings.public_url and not is_loopback(urlsplit(settings.public_url).hostname))
    near = args.transport == "stdio" or (is_loopback(args.host) and not named)
    listen = _listen(settings, args, platform, hosts) if args.transport == "http" else None
    app = App(
        settings,
        platform,
        command=_own_command(settings),
        near=near,
        browser=browse if near else None,
        site=Site(listen.url, reached=near or settings.public_url is not None) if listen else None,
        redact=args.redact,
    )
    where = settings.api_url if platform == "hosted" else f"data in {settings.home}"
    args.say(f"callwright {__version__}: {platform} platform ({where}), approval {app.policy.mode}")
    if listen is None:
        from .mcp_server.server import build_server

        build_server(app).run("stdio")
        return 0
    from .http_server.serving import serve_http

    return serve_http(app, listen, args.say)


def _listen(settings: Settings, args: argparse.Namespace, platform: Platform, hosts: tuple[str, ...]) -> "Listen":
    from .http_server.serving import Listen

    tokens = _tokens(settings, platform)
    return Listen(
        args.host, args.port, not args.no_token, hosts, args.stateless, args.json_answers, settings.public_url, tokens
    )


def _tokens(settings: Settings, platform: Platform) -> "Tokens":
    if settings.tokens_file is None:
        return {}
    from .accounts.scopes import scope_of_each
    from .http_server.tokens import read_tokens

    return read_tokens(settings.tokens_file, os.environ, platform, set(scope_of_each().values()))


def _engine(settings: Settings, args: argparse.Namespace) -> int:
    from .app import App
    from .http_server.serving import serve_engine
    from .telemetry.exporting import export_spans

    export_spans(os.environ)
    return serve_engine(App(settings, "embedded"), args.host, args.port, args.say)


def _tools(settings: Settings, args: argparse.Namespace) -> int:
    from .app import App
    from .commands.tools import as_mcp_server, document, listed, table

    app = App(settings, cast(Platform, args.platform or settings.platform))
    if args.format == "approval-policy":
        if settings.surface == "search":
            raise SettingError("The search surface runs every tool through three: approve those by hand.")
        _print(json.dumps(as_mcp_server(app), indent=2, ensure_ascii=False))
        return 0
    rows = listed(app)
    _print(json.dumps(document(rows), indent=2, ensure_ascii=False) if args.format == "json" else table(rows))
    return 0


def _openapi(_: Settings, __: argparse.Namespace) -> int:
    from .contract.openapi import document

    _print(json.dumps(document(), indent=2, ensure_ascii=False))
    return 0


def _call(settings: Settings, args: argparse.Namespace) -> int:
    from .app import App
    from .commands.call import call_tool, secret_argument

    text = sys.stdin.read() if args.json == "-" else args.json
    try:
        arguments = json.loads(text)
    except ValueError as exc:
        return _refuse(f"--json is not JSON: {exc}.")
    if not isinstance(arguments, dict):
        return _refuse("--json must be a JSON object.")
    if args.json != "-" and (secret := secret_argument(args.tool, cast(dict[str, Any], arguments))):
        return _refuse(f"{secret} is a secret, and other programs can read a command line: send it with --json -.")
    # If standard input holds the arguments, it cannot be used for answers; the questions are shown on stderr.
    interactive = sys.stdin.isatty() and sys.stderr.isatty() and args.json != "-"
    code, output = call_tool(
        App(settings, _platform(settings, args), command=_own_command(settings)),
        args.tool,
        cast(dict[str, Any], arguments),
        args.format,
        ask=interactive,
    )
    _print(output)
    return code


def _approve(settings: Settings, args: argparse.Namespace) -> int:
    from .app import App
    from .commands.approve import approve, link

    # Whoever answers must see the question: one terminal for both, which a program that runs this one does not have.
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    app = App(settings, settings.platform)
    if args.link:
        known = {LOCAL, *(principal.name for principal in _tokens(settings, settings.platform).values())}
        code, output = link(app, args.link, known, at_terminal=at_terminal)
    else:
        code, output = approve(app, args.code, _ask_here if at_terminal else None)
    _print(output)
    return code


def _ask_here(question: str, enters: bool) -> str | None:
    if enters:
        from getpass import getpass

        return getpass(f"{question}\nValue (nothing is shown; empty declines): ", sys.stdout) or None
    sys.stdout.write(f"{question}\nApprove? Type yes: ")
    sys.stdout.flush()
    return "yes" if sys.stdin.readline().strip().lower() == "yes" else None


def _own_command(settings: Settings) -> str:
    """The command line that runs this program from any folder, on the same data."""
    own = shlex.join(_program())
    elsewhere = settings.home != Settings.from_env({}).home
    return f"CALLWRIGHT_HOME={shlex.quote(str(settings.home))} {own}" if elsewhere and os.name == "posix" else own


def _install(settings: Settings, args: argparse.Namespace) -> int:
    from .commands.install import install

    host = HOSTS[args.host]
    env = {name: _present(name) for name in args.env}
    if home := os.environ.get("CALLWRIGHT_HOME"):
        env.setdefault("CALLWRIGHT_HOME", str(Path(home).expanduser().absolute()))
    command = [*_program(), "serve", *_chosen(args)]
    if args.link:
        return _link(host, host.entry(command, env), args)
    done = install(host, command, env, dry_run=args.dry_run, private=bool(args.env))
    if args.dry_run:
        _print(f"{done.file} would {'hold' if done.changed else 'stay'}:\n{done.text}")
        return 0
    kept = f" What was there is kept as {done.backup}." if done.backup else ""
    _print(f"{done.file} {'written' if done.changed else 'was right already'}.{kept} {host.after}")
    return 0


def _link(host: Host, entry: dict[str, Any], args: argparse.Namespace) -> int:
    if host.app_link is None:
        return _refuse(f"{host.title} has no such link. Leave --link out, and its configuration is written.")
    if args.env:
        return _refuse("A link would show the values of --env to whoever sees it. Leave --link out.")
    from .commands.install import SERVER

    _print(host.app_link(SERVER, entry))
    return 0


def _present(name: str) -> str:
    if not (value := os.environ.get(name)):
        raise SettingError(f"--env {name}: that variable has no value here. Set it, then run this again.")
    return value


def _chosen(args: argparse.Namespace) -> list[str]:
    """The options of `serve` that were given, as words."""
    said = [(f"--{name}", getattr(args, name)) for name in ("platform", "toolsets", "surface", "approval")]
    words = [word for flag, value in said if value for word in (flag, str(value))]
    return words + [f"--{name.replace('_', '-')}" for name in ("read_only", "no_outbound") if getattr(args, name)]


def _program() -> list[str]:
    """This program by absolute path, because a host does not have the PATH of a shell."""
    path = Path(sys.argv[0]).absolute()
    if path.name == "__main__.py":
        return [sys.executable, "-m", "callwright"]
    return [str(path)] if path.name.startswith("callwright") else [sys.executable, str(path)]


def _doctor(settings: Settings, args: argparse.Namespace) -> int:
    from .app import App
    from .commands.doctor import examine, report

    if args.host:
        from .commands.host_doctor import examine_host

        findings = examine_host(HOSTS[args.host])
    else:
        from .telemetry.exporting import asks_for_traces, why_no_traces

        no_traces = why_no_traces(os.environ) if asks_for_traces(os.environ) else None
        findings = examine(App(settings, cast(Platform, args.platform or settings.platform)), no_traces)
    _print(report(findings))
    return int(any(finding.level == "missing" for finding in findings))


_COMMANDS = {
    "serve": _serve,
    "engine": _engine,
    "tools": _tools,
    "openapi": _openapi,
    "call": _call,
    "approve": _approve,
    "doctor": _doctor,
    "install": _install,
}


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _refuse(text: str) -> int:
    _say(f"callwright: {text}")
    return 2
