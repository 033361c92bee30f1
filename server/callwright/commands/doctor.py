"""`callwright doctor`: check configuration, folders, database and platform, and name remedies, without secrets."""

import platform
import shutil
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import anyio

from .. import __version__
from ..app import App
from ..contract.errors import ApiError
from ..db.faults import Damaged
from ..keys import key_file, token_file
from ..settings import SettingError, Settings, described
from ..status import llm, missing, routes

if TYPE_CHECKING:
    from sqlalchemy import Connection

PROBE_BYTES = 64 * 1024
LITTLE_BYTES = 64_000_000

Level = Literal["ok", "warning", "missing"]


@dataclass(frozen=True)
class Finding:
    level: Level
    about: str
    text: str


def examine(app: App, no_traces: str | None = None) -> list[Finding]:
    """All checks, in the order in which a failure would hide the next. Level `missing`: the platform cannot run.

    `no_traces`: the reason why the traces that the environment configures are not sent.
    """
    findings = anyio.run(_examine, app)
    return [*findings, Finding("warning", "traces", no_traces)] if no_traces else findings


def report(findings: list[Finding]) -> str:
    mark = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}
    width = max(len(finding.about) for finding in findings)
    lines = [f"{mark[f.level]}  {f.about.ljust(width)}  {f.text}" for f in findings]
    bad = sum(f.level == "missing" for f in findings)
    return "\n".join([*lines, "", "Ready." if not bad else f"Not ready: {bad} to mend."])


async def _examine(app: App) -> list[Finding]:
    findings = [
        Finding("ok", "version", f"callwright {__version__}, Python {platform.python_version()}, {sys.platform}"),
        Finding("ok", "settings", _settings(app)),
        Finding("ok", "approval", f"{app.policy.mode}; clients that cannot ask: {app.settings.unattended}"),
    ]
    checks: list[tuple[str, Callable[[App], Awaitable[Finding]]]] = [
        ("data folder", _home),
        ("key files", _key_files),
        ("database", _database),
        ("secrets", _secrets),
        ("platform", _platform),
        ("llm", _llm),
    ]
    try:
        for about, check in checks:
            try:
                findings.append(await check(app))
            except Exception as exc:  # any error of a check is a finding
                findings.append(Finding("missing", about, _plain(exc)))
    finally:
        await app.close()
    return findings


def _settings(app: App) -> str:
    plain = Settings()
    chosen = [d["name"] for d in described() if getattr(app.settings, d["field"]) != getattr(plain, d["field"])]
    return f"chosen: {', '.join(chosen)}" if chosen else "all defaults"


async def _home(app: App) -> Finding:
    home = app.settings.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    probe = home / f"probe-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(bytes(PROBE_BYTES))
    finally:
        probe.unlink(missing_ok=True)
    if (free := shutil.disk_usage(home).free) < LITTLE_BYTES:
        text = f"{home} can be written, but its disk has only {free // 1_000_000} MB left"
        return Finding("warning", "data folder", f"{text}. Make room: on a full disk every change is refused")
    return Finding("ok", "data folder", f"{home} can be written")


async def _key_files(app: App) -> Finding:
    """Check the existing key files; missing ones are created when they are first needed."""
    home = app.settings.home
    readers = {"state.key": key_file, "vault.key": key_file, "http.token": token_file, "engine.key": token_file}
    there = [name for name in readers if (home / name).exists()]
    for name in there:
        readers[name](home / name)
    return Finding("ok", "key files", f"{', '.join(there)}: well formed, of this user alone" if there else "none yet")


async def _database(app: App) -> Finding:
    kind = "SQLite in the data folder" if not app.settings.own_database_url else "from CALLWRIGHT_DATABASE_URL"
    scheme, _, file = app.settings.database_url.partition(":///")
    try:
        database = await app.database()
        damage = await database.read(_damage) if database.sqlite else None
    except ApiError as exc:
        return Finding("missing", "database", f"{kind}{f', {file}' if scheme == 'sqlite' else ''}: {exc}")
    if damage:
        return Finding("missing", "database", f"{kind}, {file}: {Damaged(damage)}")
    if database.why_read_only:
        return Finding("warning", "database", f"{kind}, {file}: it can only be read ({database.why_read_only})")
    return Finding("ok", "database", f"{kind}, opened and up to date")


def _damage(db: "Connection") -> str | None:
    """What SQLite finds wrong first; None if nothing is."""
    found = str(db.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return None if found == "ok" else " ".join(found.split())[:200]


async def _secrets(app: App) -> Finding:
    """Check that sealed secrets can be opened, so that a lost key shows here instead of in the middle of a call."""
    if app.platform == "hosted":
        return Finding("ok", "secrets", "kept by the hosted platform")
    from ..engine.store.secrets import check_key
    from ..engine.store.vault import Vault
    from ..engine.store.vault_key import vault_key

    vault, database = Vault(vault_key(app.settings)), await app.database()
    count = await database.read(lambda db: check_key(db, vault))
    return Finding("ok", "secrets", f"{count} sealed, the key opens them" if count else "none stored yet")


async def _platform(app: App) -> Finding:
    from ..contract.agents import ListAgents

    if app.platform == "hosted" and not app.settings.api_key:
        return Finding("missing", "platform", "hosted, but ELEVENLABS_API_KEY is not set")
    page = await (await app.api()).send(ListAgents(page_size=1))
    where = f"hosted at {app.settings.api_url}" if app.platform == "hosted" else "embedded"
    return Finding("ok", "platform", f"{where}, answers; {'has' if page.agents else 'no'} agents")


async def _llm(app: App) -> Finding:
    if app.platform == "hosted":
        return Finding("ok", "llm", "the hosted platform's own")
    hints, found = missing(app.settings, app.platform), routes(app.settings)
    if not found:
        return Finding("warning", "llm", f"{llm(app.settings)}. {hints[0]}")
    from ..engine.models.routing import reach

    endpoints = {(route.base_url, route.api_key.get_secret_value()) for route in found.values()}
    tried = [await reach(at, key, app.settings.proxy_url) for at, key in sorted(endpoints)]
    trouble = [said for said in tried if said] or hints
    return Finding("warning" if trouble else "ok", "llm", " ".join(trouble) or llm(app.settings))


def _plain(exc: Exception) -> str:
    """The text of an error, without values that a driver may have put into it."""
    if isinstance(exc, ApiError | SettingError | OSError | RuntimeError):
        return f"{exc}"
    return f"{type(exc).__name__}: run with CALLWRIGHT_LOG_LEVEL=debug for the details"
