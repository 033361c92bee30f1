"""The widget and its picture through the MCP client."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from callwright.contract.widget import GetAvatar
from tests.engine.helpers import agent
from tests.engine.test_widget import CONFIG, PNG, WIDGET
from tests.transports import ERAS, Clock, facts, platform_host, reach, text

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A folder that the person who runs the server opened, with a picture in it."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "face.png").write_bytes(PNG)
    return folder


async def test_the_widget_is_shown_as_pages_get_it(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    ada = await agent(await app.api(), CONFIG, platform_settings={"widget": WIDGET})
    async with reach(app) as (client, _):
        assert facts(await client.call_tool("get_widget", {"agent_id": ada})) == snapshot(
            {
                "agent_id": "agent_1",
                "variant": "compact",
                "placement": "bottom-right",
                "avatar": "orb #6DB035, #F5CABB",
                "language": "en",
                "languages_to_choose": ["en", "fi", "nl"],
                "first_message": "Hello {{name}}.",
                "text_only": True,
                "text_input": True,
                "feedback": "end",
                "colors": [
                    "bg_color: #ffffff",
                    "text_color: #000000",
                    "btn_color: #000000",
                    "btn_text_color: #ffffff",
                    "border_color: #e1e1e1",
                    "focus_color: #000000",
                ],
                "labels": ["action_text: Ask us"],
            }
        )


@pytest.mark.parametrize("era", ERAS)
async def test_a_picture_from_an_open_folder_becomes_the_avatar(
    tmp_path: Path, clock: Clock, roots: Path, era: str
) -> None:
    app = offering(tmp_path, clock, file_roots=(roots,))
    api = await app.api()
    ada = await agent(api)
    async with reach(app, era) as (client, _):
        arguments = {"agent_id": ada, "path": str(roots / "face.png")}
        plan = facts(await client.call_tool("upload_avatar", {**arguments, "dry_run": True}))["dry_run"]
        done = facts(await client.call_tool("upload_avatar", arguments))
        shown = facts(await client.call_tool("get_widget", {"agent_id": ada}))
        assert (await api.send(GetAvatar(agent_id=ada))).data == PNG
    assert plan["would"] == "Show face.png (48 bytes) as the picture of agent 'New agent' (agent_1)."
    assert done["avatar_url"].startswith(f"http://{platform_host(app)}/v1/convai/avatars/{ada}?v=")
    assert shown["avatar"] == f"image {done['avatar_url']}"


async def test_only_files_of_open_folders_are_read(tmp_path: Path, clock: Clock, roots: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    (roots / "link.png").symlink_to(tmp_path / "secret.png")
    (roots / "large.png").write_bytes(PNG.ljust(2 * 1024 * 1024 + 1))
    (roots / "page.png").write_bytes(b"<html>")
    app = offering(tmp_path, clock, file_roots=(roots,))
    ada = await agent(await app.api())
    async with reach(app) as (client, _):
        said = {
            name: text(await client.call_tool("upload_avatar", {"agent_id": ada, "path": str(roots / name)}))
            for name in ("../secret.png", "link.png", "none.png", "large.png", "page.png")
        }
    closed = f"No such file in {roots}. Give the path of a file in there."
    assert said == {
        "../secret.png": closed,
        "link.png": closed,
        "none.png": closed,
        "large.png": "large.png has 2,097,153 bytes; at most 2,097,152 are read.",
        "page.png": "avatar_file: The picture must be a PNG, JPEG, WebP or GIF.",
    }


async def test_no_file_is_touched_where_no_folder_is_open_or_the_client_is_elsewhere(
    tmp_path: Path, clock: Clock, roots: Path
) -> None:
    closed = offering(tmp_path, clock)
    arguments = {"agent_id": await agent(await closed.api()), "path": str(roots / "face.png")}
    async with reach(closed) as (client, _):
        assert text(await client.call_tool("upload_avatar", arguments)) == (
            "This server touches no files: its operator can open folders with CALLWRIGHT_FILE_ROOTS."
        )
    elsewhere = offering(tmp_path, clock, file_roots=(roots,))
    async with reach(elsewhere, transport="http") as (client, _):
        for tool, given in (("upload_avatar", arguments), ("create_text_document", {"path": arguments["path"]})):
            assert text(await client.call_tool(tool, given)) == (
                "Files are read and written only for a client on this machine (stdio), not over HTTP."
            )
