"""Sample calls of the operations on conversations."""

from callwright.contract.conversations import (
    DeleteConversation,
    GetConversation,
    GetConversationAudio,
    GetSessionToken,
    GetSignedUrl,
    ListConversations,
    SendFeedback,
)

from . import probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        ListConversations,
        tool="list_conversations",
        query="?include_simulated=true",
        lists="conversations",
        sdk=[
            Sdk(
                f"{whole.P}.conversations.list",
                {
                    "cursor": "c",
                    "agent_id": whole.A,
                    "call_successful": "failure",
                    "call_start_before_unix": 1800000000,
                    "call_start_after_unix": 0,
                    "user_id": "u 1",
                    "page_size": 100,
                    "summary_mode": "include",
                    "search": "günstig",
                },
            )
        ],
        calls=[
            probing.PAGE
            | {
                "agent_id": probing.A,
                "result": "success",
                "started_after": 1,
                "started_before": 2,
                "user_id": "u",
                "search": "a",
                "include_simulated": True,
                "with_summary": True,
            }
        ],
        largest={"with_summary": True},
        phrases=["which calls failed yesterday", "list the conversations of last week"],
    ),
    Sample(
        GetConversation,
        tool="get_conversation",
        sdk=[Sdk(f"{whole.P}.conversations.get", {"conversation_id": "conv_1"})],
        phrases=["show the transcript of this conversation", "why did this conversation end"],
    ),
    Sample(
        DeleteConversation,
        tool="delete_conversation",
        sdk=[Sdk(f"{whole.P}.conversations.delete", {"conversation_id": "conv_1"})],
        phrases=["delete this conversation for good"],
    ),
    Sample(
        GetConversationAudio,
        tool="save_conversation_audio",
        answers=(404, "application/json"),  # a rehearsal is written
        sdk=[Sdk(f"{whole.P}.conversations.audio.get", {"conversation_id": "conv_1"})],
        beside_ids={"path": "a.mp3"},
        phrases=["save the recording of that call to a file"],
    ),
    Sample(
        SendFeedback,
        tool="send_feedback",
        request={"feedback": "like"},
        sdk=[Sdk(f"{whole.P}.conversations.feedback.create", {"conversation_id": "conv_1", "feedback": "dislike"})],
        calls=[{"conversation_id": "conv_1", "feedback": "like"}],
        beside_ids={"feedback": "like"},
        phrases=["give this conversation a like"],
    ),
    Sample(
        GetSignedUrl,
        tool="get_signed_url",
        query="?agent_id={agent_id}",
        sdk=[Sdk(f"{whole.P}.conversations.get_signed_url", {"agent_id": whole.A, "include_conversation_id": True})],
        calls=[{"agent_id": probing.A, "single_use": True}],
        phrases=["a URL with which a website can start conversations over WebSocket"],
    ),
    Sample(
        GetSessionToken,
        tool="get_session_token",
        query="?agent_id={agent_id}",
        sdk=[Sdk(f"{whole.P}.conversations.get_webrtc_token", {"agent_id": whole.A, "participant_name": "Zoë & Co"})],
        calls=[{"agent_id": probing.A, "participant_name": "Zoe"}],
        phrases=["token for a WebRTC session"],
    ),
]
