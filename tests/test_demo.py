"""The demo that a newcomer runs, and what happens to its data."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


def shown(home: Path, **chosen: str) -> str:
    """What the demo prints where no terminal is."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CALLWRIGHT_")}
    kept["COLUMNS"] = "130"  # workers of the suite say 80, and long lines would be broken
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo.py")],
        env={**kept, "CALLWRIGHT_HOME": str(home), "ELEVENLABS_API_KEY": "canary-key", **chosen},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "canary" not in done.stdout + done.stderr
    return done.stdout


def test_the_demo_goes_from_the_document_to_a_delete_that_asked(tmp_path: Path) -> None:
    said = shown(tmp_path)
    assert f"data in {tmp_path}" in said
    assert "platform: embedded" in said
    assert "Harbour Cycles handbook" in said
    assert "[offline responder]" in said
    assert "result: unknown" in said
    assert (
        said.index("answered  no")
        < said.index("The user said no. Nothing was done. Do not call this again unless the user asks for it.")
        < said.index("answered  yes")
    )
    assert "approved_by: person" in said
    assert '{"servers": {"callwright": {"type": "stdio", "command": ' in said
    assert (tmp_path / "callwright.db").exists()


@contextmanager
def loopback_llm() -> Generator[str]:
    """The command that plays a model; gives its address."""
    command = [sys.executable, "-m", "scripts.loopback_llm", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/v1", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()


def test_with_a_model_the_demo_shows_tool_calls_a_workflow_move_and_judged_criteria(tmp_path: Path) -> None:
    with loopback_llm() as url:
        said = shown(tmp_path, CALLWRIGHT_LLM_BASE_URL=url, CALLWRIGHT_LLM_MODEL="scripted")
    _, _, rehearsal = said.partition("does it look the booking up, and change to the theft desk?")
    rehearsal = re.sub(r"user, \d+ s:", "user, 0 s:", rehearsal)  # on a busy machine it is a second later
    steps = [
        "user, 0 s: Hello, my rented bike was stolen outside the market! My booking is HC-2041.",
        "[moved to node theft_desk]",
        '[called find_booking({"booking": "HC-2041"})]',
        '[find_booking gave {"bike": "city bike", "cover": true}]',
        "tells_the_caller_to_report_the_theft_to_the_poli: success. The agent says so.",
        "promises_nothing_about_the_insurance: success.",
        "My bike was stolen! Booking HC-2041.",
        "tool: find_booking | parameters:",
        "tool: find_booking: done",
        "ended_because: You ended it.",
    ]
    places = [rehearsal.find(step) for step in steps]
    assert -1 not in places, dict(zip(steps, places, strict=True))
    assert places == sorted(places)
    assert "[offline responder]" not in said
