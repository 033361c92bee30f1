"""Where the key of the secrets lives, and what a lost key looks like."""

from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest

from callwright.app import App
from callwright.engine.store.vault_key import vault_key
from callwright.settings import Settings

from ..commands.test_cli import call, run
from ..transports import facts, reach, settings, text

pytestmark = pytest.mark.anyio


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1  # pyright: ignore[reportAssignmentType]  (a class property in the library's types)

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def ring() -> Any:
    before, mine = keyring.get_keyring(), Ring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_without_a_keyring_the_key_is_a_file_of_this_user(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "home")
    key = vault_key(chosen)
    file = tmp_path / "home" / "vault.key"
    assert file.read_bytes() == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert vault_key(chosen) == key


def test_a_keyring_holds_the_key_instead_of_a_file(tmp_path: Path, ring: Ring) -> None:
    chosen = settings(tmp_path / "home")
    key = vault_key(chosen)
    assert len(key) == 32
    assert vault_key(chosen) == key
    assert not (tmp_path / "home" / "vault.key").exists()
    assert vault_key(settings(tmp_path / "other")) != key


def test_a_file_that_is_there_wins_over_a_keyring_that_came_later(tmp_path: Path, ring: Ring) -> None:
    (tmp_path / "vault.key").write_bytes(b"k" * 32)
    assert vault_key(settings(tmp_path)) == b"k" * 32
    assert ring.kept == {}


def test_the_environment_wins_over_both(tmp_path: Path, ring: Ring) -> None:
    assert vault_key(Settings(home=tmp_path, vault_key=b"e" * 32)) == b"e" * 32


async def test_a_lost_key_is_named_where_the_secret_is_needed_and_by_the_doctor(tmp_path: Path, app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        facts(await client.call_tool("create_secret", {"name": "crm", "value": "s3cret"}))
    (app.settings.home / "vault.key").write_bytes(b"x" * 32)
    done = run(app.settings.home, "doctor")
    assert done.returncode == 1
    assert "MISSING  secrets" in done.stdout
    assert "Restore the key file of the data folder" in done.stdout


def test_the_doctor_counts_what_the_key_opens(tmp_path: Path) -> None:
    call(tmp_path, "create_agent", name="Ada", prompt="p")
    assert "secrets      none stored yet" in run(tmp_path, "doctor").stdout


async def test_a_second_process_with_another_key_seals_nothing(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        facts(await client.call_tool("list_secrets", {}))  # used, though nothing is sealed yet
    other = App(Settings(home=app.settings.home, vault_key=b"e" * 32), "embedded")
    async with reach(other, says="yes") as (client, _):
        refused = await client.call_tool("create_secret", {"name": "crm", "value": "s3cret"})
    assert refused.is_error
    assert "Restore the key file of the data folder" in text(refused)
    async with reach(app, says="yes") as (client, _):
        assert facts(await client.call_tool("list_secrets", {}))["secrets"] == []


def test_the_engine_does_not_start_with_another_key(tmp_path: Path) -> None:
    call(tmp_path, "create_agent", name="Ada", prompt="p")
    (tmp_path / "vault.key").write_bytes(b"x" * 32)
    done = run(tmp_path, "engine", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("callwright: A stored secret does not open with this key.")
