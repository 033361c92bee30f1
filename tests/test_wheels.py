"""What `scripts.wheels` asks for on a system that is not this one, and what it says of a package without a wheel."""

import base64
import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest
from scripts.wheels import SYSTEMS, needed_on, without_wheel

from tests.environments import MAY_SKIP


def test_a_system_is_asked_for_what_its_own_markers_want() -> None:
    windows, macos = needed_on("win_amd64"), needed_on("macosx_11_0_arm64")
    assert "pywin32" in windows
    assert "pywin32" not in macos
    assert {"jeepney", "secretstorage"}.isdisjoint(windows | macos)
    assert {"cryptography", "psycopg-binary", "hatchling"} <= windows.keys() & macos.keys()
    assert windows["psycopg"].startswith("psycopg[binary]==")
    assert all("--hash=sha256:" in entry for entry in (windows | macos).values())


def wheel(folder: Path, tag: str) -> str:
    """A wheel `there-1.0` in a folder; its hash."""
    file, info = folder / f"there-1.0-{tag}.whl", "there-1.0.dist-info"
    parts = {
        "there.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: there\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},\n"
        for name, text in parts.items()
    )
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in {**parts, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_package_that_is_there_as_source_alone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    if MAY_SKIP:
        pytest.importorskip("pip", reason="this environment was made by uv, and has no pip")
    source = tmp_path / "lacking-1.0.tar.gz"
    with tarfile.open(source, "w:gz"):
        pass
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wanted = {
        "lacking": f"lacking==1.0 --hash=sha256:{hashlib.sha256(source.read_bytes()).hexdigest()}",
        "there": f"there==1.0 --hash=sha256:{wheel(tmp_path, 'py3-none-any')}",
    }
    assert without_wheel(system, wanted) == ["lacking"]
