"""What whoever starts a conversation brings along."""

from typing import Annotated

from pydantic import Field

from ..agent.overrides import ConfigOverride
from ..common import Known, Scalar, Wire

InitiationSource = Annotated[
    str,
    Known(
        "unknown",
        "android_sdk",
        "node_js_sdk",
        "react_native_sdk",
        "react_sdk",
        "js_sdk",
        "python_sdk",
        "widget",
        "sip_trunk",
        "twilio",
        "genesys",
        "swift_sdk",
        "whatsapp",
    ),
]


class SourceInfo(Wire):
    """Which program started the conversation."""

    source: InitiationSource | None = None
    version: str | None = None


class InitiationData(Wire):
    """What whoever started the conversation brought along."""

    conversation_config_override: ConfigOverride = Field(default_factory=ConfigOverride)
    custom_llm_extra_body: dict[str, object] = {}
    user_id: str | None = None
    source_info: SourceInfo = Field(default_factory=SourceInfo)
    dynamic_variables: dict[str, Scalar | None] = {}
