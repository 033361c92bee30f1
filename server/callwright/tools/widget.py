"""Tools for the widget of an agent on web pages: settings and picture."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from ..api.client import ApiClient
from ..contract.agents import GetAgent
from ..contract.common import AgentId
from ..contract.operation import Blob
from ..contract.widget import GetWidget, UploadAvatar
from ..replies.text import short
from ..replies.views import View
from ..toolkit.files import PATH_LENGTH, read_file
from ..toolkit.toolset import PlatformApi, Toolset

TOOLS = Toolset("widget", "See and dress the widget through which agents talk on web pages.")

AVATAR_BYTES = 2 * 1024 * 1024
TEXTS_SHOWN = 2_000

Id = Annotated[AgentId, Field(description="From list_agents.")]


class WidgetView(View):
    agent_id: str
    variant: str | None = None
    placement: str | None = None
    avatar: str
    language: str
    languages_to_choose: list[str]
    first_message: str | None = None
    text_only: bool
    text_input: bool
    feedback: str | None = None
    colors: list[str]
    labels: list[str]
    terms: str | None = None


class AvatarView(View):
    agent_id: str
    avatar_url: str | None = None


@TOOLS.tool(
    GetWidget,
    title="Get widget",
    default=False,
    parts=True,
    words="embed site snippet chat-widget look html script einbetten",
)
async def get_widget(api: PlatformApi, agent_id: Id) -> WidgetView:
    """Show the widget as web pages get it: look, labels, languages, greeting. Change it with update_agent's config."""
    found = await api.send(GetWidget(agent_id=agent_id))
    look = found.widget_config
    shown = look.model_dump(mode="json", exclude_none=True)
    return WidgetView(
        agent_id=agent_id,
        variant=look.variant,
        placement=look.placement,
        avatar=_said(shown.get("avatar", {})),
        language=look.language,
        languages_to_choose=look.supported_language_overrides or [],
        first_message=short(look.first_message, 400) if look.first_message else None,
        text_only=bool(look.text_only),
        text_input=bool(look.text_input_enabled),
        feedback=look.feedback_mode,
        colors=[f"{name}: {value}" for name, value in shown.items() if name.endswith("_color")],
        labels=_labels(shown),
        terms=short(look.terms_text, TEXTS_SHOWN) if look.terms_text else None,
    )


@TOOLS.tool(UploadAvatar, title="Upload avatar", default=False, words="logo image photo picture icon bild")
async def upload_avatar(
    api: PlatformApi,
    ctx: Context[Any],
    agent_id: Id,
    path: Annotated[str, Field(max_length=PATH_LENGTH, description="Picture file, in CALLWRIGHT_FILE_ROOTS.")],
) -> AvatarView:
    """Replace the widget's picture by a PNG, JPEG, WebP or GIF of at most 2 MB. The picture before is not kept."""
    name, data = read_file(ctx, path, AVATAR_BYTES)
    picture = Blob("application/octet-stream", data, name)
    made = await api.send(UploadAvatar(agent_id=agent_id, avatar_file=picture))
    return AvatarView(agent_id=agent_id, avatar_url=made.avatar_url)


@TOOLS.preview(UploadAvatar)
async def _what_would_be_shown(api: ApiClient, op: UploadAvatar) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    name, size = op.avatar_file.filename, len(op.avatar_file.data)
    return f"Show {short(name)} ({size:,} bytes) as the picture of agent {short(agent.name)!r} ({op.agent_id})."


def _said(avatar: dict[str, Any]) -> str:
    rest = ", ".join(str(value) for name, value in avatar.items() if name != "type")
    return f"{avatar.get('type', 'none')} {rest}".strip()


def _labels(shown: dict[str, Any]) -> list[str]:
    """The customised labels; the others are the platform's defaults."""
    single = {name: value for name, value in shown.items() if name.endswith("_text") and name != "terms_text"}
    return [f"{name}: {short(str(value))}" for name, value in (single | shown.get("text_contents", {})).items()]
