"""What a host sees of the server itself."""

from base64 import b64decode
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from callwright import __version__
from callwright.app import App
from callwright.mcp_server.instructions import instructions
from callwright.settings import Approval, Platform

from ..transports import facts, reach, settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ["auto", "legacy"])  # auto asks the server first: the newest revision
async def test_the_server_says_who_it_is_and_where_it_works(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        info = client.server_info
        assert info
        assert (info.name, info.title, info.version) == ("callwright", "Callwright", __version__)
        assert info.icons
        assert info.icons[0].mime_type == "image/svg+xml"
        head, _, body = info.icons[0].src.partition(",")
        assert head == "data:image/svg+xml;base64"  # a URI by the letter: the bare text has spaces and brackets in it
        assert b64decode(body).startswith(b"<svg xmlns=")
        assert client.instructions == instructions(app.settings, app.platform, app.policy.mode)
        status = facts(await client.call_tool("get_status", {}))
    assert status == {
        "version": __version__,
        "platform": "embedded",
        "host": "in this process",
        "workspace": "default",
        "approval": "fine-grained",
        "unattended": "person",
        "read_only": False,
        "no_outbound": False,
        "llm": "offline responder (quotes documents, judges nothing)",
        "data_folder": str(app.settings.home),
        "missing": snapshot(
            [
                "No LLM: rehearsals quote documents and judgements are unknown. Set CALLWRIGHT_LLM_BASE_URL (for instance http://127.0.0.1:11434/v1) and CALLWRIGHT_LLM_MODEL, then restart."
            ]
        ),
    }


async def test_the_status_names_the_model_but_not_its_key(tmp_path: Path) -> None:
    chosen = settings(tmp_path, llm_base_url="https://llm.example/v1", llm_model="m", llm_api_key="canary-key")
    async with reach(App(chosen, "embedded")) as (client, _):
        result = await client.call_tool("get_status", {})
    assert facts(result)["llm"] == "m at https://llm.example/v1"
    assert facts(result)["missing"] == []
    assert "canary" not in result.model_dump_json()


@pytest.mark.parametrize("approval", ["fine-grained", "always-ask", "none"])
@pytest.mark.parametrize("platform", ["embedded", "hosted"])
def test_instructions_are_short_and_say_what_is_real(tmp_path: Path, approval: Approval, platform: Platform) -> None:
    chosen = settings(tmp_path, api_key="k", read_only=True)
    said = instructions(chosen, platform, approval)
    assert len(said) <= 1_200  # about 300 tokens
    assert ("real account" in said) is (platform == "hosted")
    assert "Read-only" in said
