"""Key files and token files: made once, for this user alone, and never believed blindly."""

import os
from pathlib import Path
from typing import Any

import pytest

from callwright.engine.http.app import key_holder
from callwright.keys import key_file, token_file
from callwright.settings import SettingError

from .commands.test_cli import run


@pytest.mark.parametrize("held", [b"", b"k" * 31, b"k" * 33, b"k" * 32 + b"\n"])
def test_a_key_file_of_another_length_is_refused_by_name(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "state.key").write_bytes(held)
    with pytest.raises(SettingError, match=r"state\.key must hold exactly 32 bytes, .*Restore it from a backup"):
        key_file(tmp_path / "state.key")


@pytest.mark.parametrize("held", [b"", b"\n", b"short\n", b"k" * 15 + b"\n", b"\xff" * 20, b"with a space in it all"])
def test_a_token_file_without_a_token_is_refused_by_name(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "http.token").write_bytes(held)
    with pytest.raises(SettingError, match=r"http\.token must hold a token of at least 16 printable"):
        token_file(tmp_path / "http.token")


def test_a_token_that_an_editor_ended_with_a_newline_is_the_token(tmp_path: Path) -> None:
    (tmp_path / "http.token").write_bytes(b"t" * 16 + b"\r\n")
    assert token_file(tmp_path / "http.token") == "t" * 16


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "state.key"
    file.write_bytes(b"k" * 32)
    file.chmod(0o644)
    assert key_file(file) == b"k" * 32
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_system_without_hard_links_keeps_one_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    file = tmp_path / "state.key"
    key = key_file(file)
    assert (len(key), key_file(file)) == (32, key)
    assert file.stat().st_mode & 0o077 == 0 or os.name != "posix"
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".lock"] == ["state.key"]


def test_an_empty_key_admits_nobody() -> None:
    with pytest.raises(ValueError, match="admits everybody"):
        key_holder("")


def test_the_doctor_names_a_key_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "engine.key").write_bytes(b"")
    done = run(tmp_path, "doctor")
    assert done.returncode == 1
    assert f"MISSING  key files    {tmp_path / 'engine.key'} must hold a token" in done.stdout
