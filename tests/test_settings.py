"""Settings: what is read, what is refused and how."""

import base64
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from callwright.settings import SettingError, Settings, described

KEY = base64.b64encode(bytes(32)).decode()


def test_an_empty_environment_gives_the_embedded_platform_and_fine_grained_approval() -> None:
    settings = Settings.from_env({})
    assert (settings.platform, settings.approval, settings.unattended) == ("embedded", None, "person")
    assert settings.database_url == f"sqlite:///{settings.home / 'callwright.db'}"
    assert settings.home.name == "callwright"


def test_a_key_chooses_the_hosted_platform() -> None:
    assert Settings.from_env({"ELEVENLABS_API_KEY": "sk_1234"}).platform == "hosted"


def test_every_setting_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text('{"tools": {}}')
    given = {
        "CALLWRIGHT_HOME": str(tmp_path), "CALLWRIGHT_DATABASE_URL": "postgresql://localhost/x",
        "ELEVENLABS_API_KEY": "k", "CALLWRIGHT_API_URL": "http://127.0.0.1:9/", "CALLWRIGHT_ENGINE_API_KEY": "e" * 16,
        "CALLWRIGHT_LLM_BASE_URL": "http://127.0.0.1:1/v1", "CALLWRIGHT_LLM_API_KEY": "l", "CALLWRIGHT_LLM_MODEL": "m",
        "CALLWRIGHT_TOOLSETS": "agents, secrets", "CALLWRIGHT_SURFACE": "search", "CALLWRIGHT_READ_ONLY": "yes", "CALLWRIGHT_NO_OUTBOUND": "1",
        "CALLWRIGHT_APPROVAL": "always-ask", "CALLWRIGHT_UNATTENDED": "refuse", "CALLWRIGHT_POLICY_FILE": str(file),
        "CALLWRIGHT_HTTP_TOKEN": "t" * 16, "CALLWRIGHT_PUBLIC_URL": "https://a.example",
        "CALLWRIGHT_TOKENS_FILE": str(file), "CALLWRIGHT_OAUTH_ISSUER": "https://id.example/", "CALLWRIGHT_OAUTH_WORKSPACE_CLAIM": "org",
        "CALLWRIGHT_OAUTH_CLIENT_ID": "app", "CALLWRIGHT_OAUTH_CLIENT_SECRET": "hush",
        "CALLWRIGHT_HTTP_BODY": "1000", "CALLWRIGHT_HTTP_RATE": "0", "CALLWRIGHT_HTTP_AT_ONCE": "3", "CALLWRIGHT_HTTP_CONNECTIONS": "20", "CALLWRIGHT_ALLOW_PRIVATE": "crm.internal, 10.0.0.0/8, ::1",
        "CALLWRIGHT_FILE_ROOTS": str(tmp_path), "CALLWRIGHT_VAULT_KEY": KEY, "CALLWRIGHT_STATE_KEY": KEY,
        "CALLWRIGHT_LLM_ROUTES": str(file), "CALLWRIGHT_PROXY_URL": "http://proxy:3128", "CALLWRIGHT_LOG_LEVEL": "debug",
        "CALLWRIGHT_LOG_FORMAT": "JSON", "CALLWRIGHT_APPROVAL_PAGE": "off", "CALLWRIGHT_SECRET_ENV": "CRM", "CRM": "tiger",
        "CALLWRIGHT_LONG_CALL_SECONDS": "50",
        "CALLWRIGHT_LLM_ATTEMPTS": "5", "CALLWRIGHT_LLM_SILENCE_SECONDS": "9", "CALLWRIGHT_LLM_ANSWER_SECONDS": "60",
    }  # fmt: skip
    assert set(given) - {"CRM"} == {each["name"] for each in described()}
    assert Settings.from_env(given).__dict__ == {
        "home": tmp_path, "own_database_url": "postgresql+psycopg://localhost/x", "api_key": "k",
        "api_url": "http://127.0.0.1:9", "engine_api_key": "e" * 16, "llm_base_url": "http://127.0.0.1:1/v1",
        "llm_api_key": "l", "llm_model": "m", "toolsets": ("agents", "secrets"), "surface": "search", "read_only": True, "no_outbound": True,
        "approval": "always-ask", "unattended": "refuse", "policy_file": file, "http_token": "t" * 16, "public_url": "https://a.example", "tokens_file": file, "oauth_issuer": "https://id.example",
        "oauth_workspace_claim": "org", "oauth_client_id": "app", "oauth_client_secret": "hush", "http_body": 1000, "http_rate": 0, "http_at_once": 3, "http_connections": 20,
        "allow_private": ("crm.internal", "10.0.0.0/8", "::1"), "file_roots": (tmp_path.resolve(),),
        "vault_key": bytes(32), "state_key": bytes(32), "llm_routes": file, "proxy_url": "http://proxy:3128",
        "log_level": "debug", "log_format": "json", "approval_page": False, "secret_env": {"CRM": "tiger"},
        "long_call_seconds": 50,
        "llm_attempts": 5, "llm_silence_seconds": 9, "llm_answer_seconds": 60,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CALLWRIGHT_LLM_ATTEMPTS", "2", snapshot("CALLWRIGHT_LLM_ATTEMPTS must be a number from 3 to 20.")),
        ("CALLWRIGHT_LLM_SILENCE_SECONDS", "0", snapshot("CALLWRIGHT_LLM_SILENCE_SECONDS must be a number from 1 to 600.")),
        ("CALLWRIGHT_LLM_ANSWER_SECONDS", "soon", snapshot("CALLWRIGHT_LLM_ANSWER_SECONDS must be a number from 1 to 3600.")),
        ("CALLWRIGHT_DATABASE_URL", "mysql://x", snapshot("CALLWRIGHT_DATABASE_URL must be a URL as sqlite:////path/to/file.db or postgresql://user@host/name.")),
        ("CALLWRIGHT_DATABASE_URL", "sqlite:///:memory:", snapshot("CALLWRIGHT_DATABASE_URL must be a URL as sqlite:////path/to/file.db or postgresql://user@host/name.")),
        ("CALLWRIGHT_SECRET_ENV", "NOT_THERE", snapshot("CALLWRIGHT_SECRET_ENV must be a comma-separated list of variables that have a value.")),
        ("CALLWRIGHT_HOME", "  ", snapshot("CALLWRIGHT_HOME must be a folder.")),
        ("CALLWRIGHT_HOME", "~nobody-of-this-name/x", snapshot("CALLWRIGHT_HOME must be a folder.")),
        ("CALLWRIGHT_TOOLSETS", " , ", snapshot("CALLWRIGHT_TOOLSETS must be a comma-separated list of toolset names, or default, or all.")),
        ("ELEVENLABS_API_KEY", "two words", snapshot("ELEVENLABS_API_KEY must be a key: printable ASCII without spaces.")),
        ("CALLWRIGHT_API_URL", "http://example.com", snapshot("CALLWRIGHT_API_URL must be an https URL without query (http only for this machine).")),
        ("CALLWRIGHT_API_URL", "https://user:pass@example.com", snapshot("CALLWRIGHT_API_URL must be an https URL without query (http only for this machine).")),
        ("CALLWRIGHT_ENGINE_API_KEY", "short", snapshot("CALLWRIGHT_ENGINE_API_KEY must be a key of at least 16 printable ASCII characters.")),
        ("CALLWRIGHT_LLM_BASE_URL", "ftp://x", snapshot("CALLWRIGHT_LLM_BASE_URL must be an http or https URL, such as http://127.0.0.1:11434/v1.")),
        ("CALLWRIGHT_READ_ONLY", "maybe", snapshot("CALLWRIGHT_READ_ONLY must be true or false.")),
        ("CALLWRIGHT_APPROVAL", "sometimes", snapshot("CALLWRIGHT_APPROVAL must be always-ask, fine-grained or none.")),
        ("CALLWRIGHT_UNATTENDED", "run", snapshot("CALLWRIGHT_UNATTENDED must be person, token or refuse.")),
        ("CALLWRIGHT_POLICY_FILE", "/nowhere/policy.json", snapshot("CALLWRIGHT_POLICY_FILE must be an existing JSON file.")),
        ("CALLWRIGHT_HTTP_TOKEN", "abc", snapshot("CALLWRIGHT_HTTP_TOKEN must be a token of at least 16 printable ASCII characters.")),
        ("CALLWRIGHT_ALLOW_PRIVATE", "10.0.0.0/99", snapshot("CALLWRIGHT_ALLOW_PRIVATE must be a comma-separated list of hosts or CIDR ranges.")),
        ("CALLWRIGHT_VAULT_KEY", "AAAA", snapshot("CALLWRIGHT_VAULT_KEY must be 32 bytes in base64.")),
        ("CALLWRIGHT_STATE_KEY", "not base64!", snapshot("CALLWRIGHT_STATE_KEY must be 32 bytes in base64.")),
        ("CALLWRIGHT_PROXY_URL", "proxy:3128", snapshot("CALLWRIGHT_PROXY_URL must be an http or https URL.")),
        ("CALLWRIGHT_LOG_FORMAT", "xml", snapshot("CALLWRIGHT_LOG_FORMAT must be text or json.")),
        ("CALLWRIGHT_LOG_LEVEL", "loud", snapshot("CALLWRIGHT_LOG_LEVEL must be debug, info, warning or error.")),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_is_allowed_and_never_shown(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_env({name: value})
    assert str(refused.value) == said
    assert refused.value.__cause__ is None


def test_a_folder_that_does_not_exist_is_no_file_root(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="CALLWRIGHT_FILE_ROOTS must be existing folders"):
        Settings.from_env({"CALLWRIGHT_FILE_ROOTS": str(tmp_path / "none")})


def test_secrets_stay_out_of_the_repr(tmp_path: Path) -> None:
    secrets = {each["name"]: "canary-9f27c-0123456" for each in described() if each["secret"] and "KEY" in each["name"]}
    given = {
        name: KEY if name in ("CALLWRIGHT_VAULT_KEY", "CALLWRIGHT_STATE_KEY") else v for name, v in secrets.items()
    }
    shown = repr(Settings.from_env({**given, "CALLWRIGHT_HOME": str(tmp_path)}))
    assert "canary" not in shown
    assert repr(bytes(32)) not in shown
