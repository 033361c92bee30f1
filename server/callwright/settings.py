"""Everything that can be chosen, read once from the environment and frozen."""

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote, urlsplit

Approval = Literal["always-ask", "fine-grained", "none"]
Unattended = Literal["person", "token", "refuse"]
Platform = Literal["embedded", "hosted"]
Surface = Literal["full", "search"]
LogFormat = Literal["text", "json"]
ToolPolicy = Literal["auto_approved", "requires_approval", "disabled"]

HOSTED_URL = "https://api.elevenlabs.io"


class SettingError(ValueError):
    """A setting that cannot be used: its name, what kind of value it takes, and what is allowed. Never its value."""


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("callwright", appauthor=False)


def _home(value: str) -> Path:
    if not value.strip():
        raise ValueError
    return Path(value).expanduser().absolute()


def _text(value: str) -> str:
    return value.strip()


def _secret(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    return value


def _token(value: str) -> str:
    if len(value) < 16:
        raise ValueError
    return _secret(value)


def _key(value: str) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError from None
    if len(raw) != 32:
        raise ValueError
    return raw


def _switch(value: str) -> bool:
    return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}[
        value.strip().lower()
    ]


def _choice(*allowed: str) -> Callable[[str], Any]:
    def parse(value: str) -> str:
        return allowed[allowed.index(value.strip().lower())]

    return parse


def _names(value: str) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in value.split(",")) if part)


def _some_names(value: str) -> tuple[str, ...]:
    if not (names := _names(value)):
        raise ValueError
    return names


def _variables(value: str, env: Mapping[str, str]) -> dict[str, str]:
    found = {name: env[name] for name in _some_names(value)}
    if not all(found.values()):
        raise ValueError
    return found


def _private(value: str) -> tuple[str, ...]:
    names = _names(value)
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            # A host name has a letter; anything else that looks like an address is a mistyped one.
            if not re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*", name.lower()):
                raise
    return names


def _folders(value: str) -> tuple[Path, ...]:
    folders = tuple(Path(part).expanduser().resolve() for part in value.split(os.pathsep) if part)
    if not all(folder.is_dir() for folder in folders):
        raise ValueError
    return folders


def _file(value: str) -> Path:
    path = Path(value).expanduser()
    if not path.is_file():
        raise ValueError
    return path


def is_loopback(host: str | None) -> bool:
    """Whether a host name or literal address is this machine."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError
    return value.rstrip("/")


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", value.strip()):
        raise ValueError
    return int(value)


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not least <= (count := _count(value)) <= most:
            raise ValueError
        return count

    return parse


def _claim(value: str) -> str:
    if not re.fullmatch(r"[!-~]{1,100}", value):
        raise ValueError
    return value


def _site(value: str) -> str:
    site = _url(value)
    if urlsplit(site).path:
        raise ValueError
    return site


def _api_url(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise ValueError
    return value.rstrip("/")


def _database(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError
    if value.partition(":///")[2] in ("", ":memory:") and value.startswith("sqlite"):
        raise ValueError  # two processes, or two connections, would each see a database of their own
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _setting(
    name: str,
    parse: Callable[..., Any],
    kind: str,
    text: str,
    *,
    default: Any = None,
    shown: str = "",
    secret: bool = False,
) -> Any:
    """A field of Settings: variable, parser, what is allowed (`kind`), what it is for, and its default in words."""
    metadata = {"name": name, "parse": parse, "kind": kind, "text": text, "shown": shown, "secret": secret}
    if callable(default):
        return field(default_factory=default, metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """The environment, checked. A wrong value is refused with its name, its kind and what is allowed."""

    home: Path = _setting(
        "CALLWRIGHT_HOME", _home, "a folder", "Data folder: database, keys.",
        default=_default_home, shown="the system's place for application data",
    )  # fmt: skip
    own_database_url: str | None = _setting(
        "CALLWRIGHT_DATABASE_URL", _database, "a URL as sqlite:////path/to/file.db or postgresql://user@host/name",
        "Database of the embedded platform and of the approval log.", shown="a SQLite file in the data folder",
        secret=True,
    )  # fmt: skip
    api_key: str | None = _setting(
        "ELEVENLABS_API_KEY", _secret, "a key: printable ASCII without spaces",
        "Account key. Where it is set, the hosted platform is used.", secret=True,
    )  # fmt: skip
    api_url: str = _setting(
        "CALLWRIGHT_API_URL", _api_url, "an https URL without query (http only for this machine)",
        "Base URL of the hosted platform.", default=HOSTED_URL, shown=HOSTED_URL,
    )  # fmt: skip
    engine_api_key: str | None = _setting(
        "CALLWRIGHT_ENGINE_API_KEY", _token, "a key of at least 16 printable ASCII characters",
        "Key that `callwright engine` demands in the header xi-api-key.", shown="made and kept in the data folder",
        secret=True,
    )  # fmt: skip
    llm_base_url: str | None = _setting(
        "CALLWRIGHT_LLM_BASE_URL", _url, "an http or https URL, such as http://127.0.0.1:11434/v1",
        "OpenAI-compatible endpoint for conversations on the embedded platform.", shown="none: the offline responder",
    )  # fmt: skip
    llm_api_key: str | None = _setting(
        "CALLWRIGHT_LLM_API_KEY", _secret, "a key: printable ASCII without spaces", "Key of that endpoint.", secret=True
    )
    llm_model: str | None = _setting(
        "CALLWRIGHT_LLM_MODEL", _text, "a model name", "Model to ask there.", shown="the agent's own `llm`"
    )
    toolsets: tuple[str, ...] = _setting(
        "CALLWRIGHT_TOOLSETS", _some_names, "a comma-separated list of toolset names, or default, or all",
        "Which tools are offered.", default=("default",), shown="default",
    )  # fmt: skip
    surface: Surface = _setting(
        "CALLWRIGHT_SURFACE", _choice("full", "search"), "full or search",
        "Whether tools are listed in full, or found and run by three tools (for hosts with small windows).",
        default="full", shown="full",
    )  # fmt: skip
    read_only: bool = _setting(
        "CALLWRIGHT_READ_ONLY",
        _switch,
        "true or false",
        "Offer only tools that read.",
        default=False,
        shown="false",
    )
    no_outbound: bool = _setting(
        "CALLWRIGHT_NO_OUTBOUND", _switch, "true or false",
        "No calls to people, and no URL that would later receive data.", default=False, shown="false",
    )  # fmt: skip
    approval: Approval | None = _setting(
        "CALLWRIGHT_APPROVAL", _choice("always-ask", "fine-grained", "none"), "always-ask, fine-grained or none",
        "When a person is asked; of this and the policy file's mode the stricter holds.", shown="fine-grained",
    )  # fmt: skip
    unattended: Unattended = _setting(
        "CALLWRIGHT_UNATTENDED", _choice("person", "token", "refuse"), "person, token or refuse",
        "What a client that cannot ask its user gets: a person approves outside (deletes: a preview and a token),"
        " a preview and a token for everything, or a refusal.", default="person", shown="person",
    )  # fmt: skip
    policy_file: Path | None = _setting(
        "CALLWRIGHT_POLICY_FILE", _file, "an existing JSON file", "Approval policy: exceptions, exemptions and caps."
    )
    approval_page: bool = _setting(
        "CALLWRIGHT_APPROVAL_PAGE", _switch, "true or false",
        "A page in the browser where a person approves what their host cannot ask.", default=True, shown="true",
    )  # fmt: skip
    secret_env: Mapping[str, str] = _setting(
        "CALLWRIGHT_SECRET_ENV", _variables, "a comma-separated list of variables that have a value",
        "Environment variables whose values a tool may store as secrets, by name.", default=dict[str, str],
        shown="none", secret=True,
    )  # fmt: skip
    http_token: str | None = _setting(
        "CALLWRIGHT_HTTP_TOKEN", _token, "a token of at least 16 printable ASCII characters",
        "Bearer token that the HTTP transport demands.", shown="made and kept in the data folder", secret=True,
    )  # fmt: skip
    tokens_file: Path | None = _setting(
        "CALLWRIGHT_TOKENS_FILE", _file, "an existing JSON file",
        "More bearer tokens, each with its name, scopes, and workspace or account.", shown="none",
    )  # fmt: skip
    oauth_issuer: str | None = _setting(
        "CALLWRIGHT_OAUTH_ISSUER", _api_url, "an https URL without query (http only for this machine)",
        "Authorization server whose signed tokens are accepted too.", shown="none",
    )  # fmt: skip
    oauth_client_id: str | None = _setting(
        "CALLWRIGHT_OAUTH_CLIENT_ID", _claim, "a client id: printable ASCII without spaces",
        "What this server is registered as at that server, so that people sign in there to answer at /approvals.",
        shown="none",
    )  # fmt: skip
    oauth_client_secret: str | None = _setting(
        "CALLWRIGHT_OAUTH_CLIENT_SECRET", _secret, "a secret: printable ASCII without spaces",
        "Secret of that registration, if it has one.", secret=True,
    )  # fmt: skip
    http_body: int = _setting(
        "CALLWRIGHT_HTTP_BODY", _count, "a number of bytes, or 0 for no limit",
        "Largest request over HTTP.", default=4 * 1024 * 1024, shown="4194304",
    )  # fmt: skip
    http_rate: int = _setting(
        "CALLWRIGHT_HTTP_RATE", _count, "a number, or 0 for no limit",
        "Requests a minute of one client (its token, or its address).", default=3000, shown="3000",
    )  # fmt: skip
    http_at_once: int = _setting(
        "CALLWRIGHT_HTTP_AT_ONCE", _count, "a number, or 0 for no limit",
        "Requests of one client that are open at a time.", default=64, shown="64",
    )  # fmt: skip
    http_connections: int = _setting(
        "CALLWRIGHT_HTTP_CONNECTIONS", _between(16, 100_000), "a number from 16 to 100000",
        "Connections of all clients at a time, as far as the limit of open files leaves room (also `engine`).",
        default=1000, shown="1000",
    )  # fmt: skip
    oauth_workspace_claim: str = _setting(
        "CALLWRIGHT_OAUTH_WORKSPACE_CLAIM", _claim, "the name of a claim",
        "Which claim of these tokens keeps workspaces of the embedded platform apart.", default="sub", shown="sub",
    )  # fmt: skip
    public_url: str | None = _setting(
        "CALLWRIGHT_PUBLIC_URL", _site, "an http or https URL of a host, without a path",
        "Where clients reach the HTTP transport, such as https://callwright.example.com.",
        shown="the address that it listens on",
    )  # fmt: skip
    allow_private: tuple[str, ...] = _setting(
        "CALLWRIGHT_ALLOW_PRIVATE", _private, "a comma-separated list of hosts or CIDR ranges",
        "Private addresses that agents' webhooks and documents may reach.", default=(), shown="none",
    )  # fmt: skip
    file_roots: tuple[Path, ...] = _setting(
        "CALLWRIGHT_FILE_ROOTS", _folders, f"existing folders, separated by {os.pathsep!r}",
        "Folders from which a tool may read a file.", default=(), shown="none",
    )  # fmt: skip
    vault_key: bytes | None = _setting(
        "CALLWRIGHT_VAULT_KEY", _key, "32 bytes in base64", "Key that encrypts secrets at rest.",
        shown="the keyring, where that extra is installed, else a file in the data folder", secret=True,
    )  # fmt: skip
    state_key: bytes | None = _setting(
        "CALLWRIGHT_STATE_KEY", _key, "32 bytes in base64",
        "Key of approvals in flight; the same on all replicas.", shown="a file in the data folder", secret=True,
    )  # fmt: skip
    llm_routes: Path | None = _setting(
        "CALLWRIGHT_LLM_ROUTES", _file, "an existing JSON file", "Which endpoint answers for which model.", shown="none"
    )
    llm_attempts: int = _setting(
        "CALLWRIGHT_LLM_ATTEMPTS", _between(3, 20), "a number from 3 to 20",
        "How often models are asked for one answer, the agent's own and its backups together.", default=3, shown="3",
    )  # fmt: skip
    llm_silence_seconds: int = _setting(
        "CALLWRIGHT_LLM_SILENCE_SECONDS", _between(1, 600), "a number from 1 to 600",
        "Seconds without a word after which a model has failed.", default=30, shown="30",
    )  # fmt: skip
    llm_answer_seconds: int = _setting(
        "CALLWRIGHT_LLM_ANSWER_SECONDS", _between(1, 3600), "a number from 1 to 3600",
        "Seconds that one whole answer of a model may take.", default=180, shown="180",
    )  # fmt: skip
    proxy_url: str | None = _setting(
        "CALLWRIGHT_PROXY_URL", _url, "an http or https URL",
        "Proxy for everything that leaves this machine. HTTP_PROXY and its kin are ignored.", shown="none",
    )  # fmt: skip
    long_call_seconds: int = _setting(
        "CALLWRIGHT_LONG_CALL_SECONDS", _count, "a number of seconds, or 0 for at once",
        "When a long call that still runs is answered with an id for `get_task` (clients without the tasks extension).",
        default=25, shown="25",
    )  # fmt: skip
    log_level: str = _setting(
        "CALLWRIGHT_LOG_LEVEL", _choice("debug", "info", "warning", "error"), "debug, info, warning or error",
        "How much of its own the program logs to stderr; info: a line for each tool call.",
        default="warning", shown="warning",
    )  # fmt: skip
    log_format: LogFormat = _setting(
        "CALLWRIGHT_LOG_FORMAT", _choice("text", "json"), "text or json",
        "How it logs: lines for people, or one JSON object a line.", default="text", shown="text",
    )  # fmt: skip

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read every setting; an empty value counts as absent."""
        given: dict[str, Any] = {}
        for each in fields(cls):
            value = env.get(each.metadata["name"], "")
            if value:
                try:
                    parse = each.metadata["parse"]
                    given[each.name] = parse(value, env) if parse is _variables else parse(value)
                except (ValueError, KeyError, OSError, RuntimeError):
                    raise SettingError(f"{each.metadata['name']} must be {each.metadata['kind']}.") from None
        return cls(**given)

    @property
    def database_url(self) -> str:
        if self.own_database_url:
            return self.own_database_url
        return f"sqlite:///{quote(str(self.home / 'callwright.db'))}"

    @property
    def platform(self) -> Platform:
        """Hosted where a key is set, else embedded; `serve --platform` may say otherwise."""
        return "hosted" if self.api_key else "embedded"


def described() -> list[dict[str, Any]]:
    """Name, kind, text, default in words and secrecy of each setting, for the README and `callwright doctor`."""
    return [{**each.metadata, "field": each.name} for each in fields(Settings)]


def settings_table() -> str:
    """Markdown: one row a setting."""
    rows = ["| variable | what for | allowed | default |", "|---|---|---|---|"]
    for each in described():
        kind = each["kind"].replace(repr(os.pathsep), "the system's path separator")
        rows.append(f"| `{each['name']}` | {each['text']} | {kind} | {each['shown'] or 'none'} |")
    return "\n".join(rows)
