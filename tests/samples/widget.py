"""Sample calls of the operations on the widget."""

from callwright.contract.widget import GetAvatar, GetWidget, UploadAvatar
from tests.engine.test_widget import PNG

from . import probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        GetWidget,
        tool="get_widget",
        sdk=[Sdk(f"{whole.P}.agents.widget.get", {"agent_id": whole.A, "conversation_signature": "s/i+g"})],
        unreached={
            "conversation_signature": "what a visitor's browser shows instead of a key; this server has the key"
        },
        phrases=["show the widget of the agent"],
    ),
    Sample(
        UploadAvatar,
        tool="upload_avatar",
        files={"avatar_file": ("a.png", PNG, "image/png")},
        makes=(),
        sdk=[Sdk(f"{whole.P}.agents.widget.avatar.create", {"agent_id": whole.A, "avatar_file": whole.PICTURE})],
        calls=[{"agent_id": probing.A, "path": "a.txt"}],
        beside_ids={"path": "a.png"},
        phrases=["upload a picture for the widget"],
    ),
    Sample(
        GetAvatar,
        answers=(200, "image/png"),
        without_sdk="the SDK reads pictures from the address in the widget's settings",
        arguments={"agent_id": "a"},
    ),
]
