"""The demo that a newcomer runs, and what happens to its data."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_demo_goes_from_the_document_to_a_delete_that_asked(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CALLWRIGHT_")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo.py")],
        env={**kept, "CALLWRIGHT_HOME": str(tmp_path), "ELEVENLABS_API_KEY": "canary-key"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = done.stdout
    assert f"data in {tmp_path}" in said
    assert "platform: embedded" in said
    assert "Harbour Cycles handbook" in said
    assert "[offline responder]" in said
    assert "result: unknown" in said
    assert said.index("answered  no") < said.index("The user said no. Nothing was done.") < said.index("answered  yes")
    assert "approved_by: person" in said
    assert '{"servers": {"callwright": {"type": "stdio", "command": ' in said
    assert "canary" not in said + done.stderr
    assert (tmp_path / "callwright.db").exists()
