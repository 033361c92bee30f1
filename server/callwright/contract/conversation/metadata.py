"""Times, cost and circumstances of a conversation."""

from typing import Annotated, Literal

from pydantic import Field

from ..common import Known, Maybe, OneOf, Unknown, Variant, Wire
from .initiation import InitiationSource
from .transcript import LlmUsage, Thumb

DefinitionSource = Annotated[str, Known("cli", "ui", "api", "unknown")]


class Deletion(Wire):
    """What of the conversation is deleted when. Unix seconds."""

    deletion_time_unix_secs: int | None = None
    deleted_logs_at_time_unix_secs: int | None = None
    deleted_audio_at_time_unix_secs: int | None = None
    deleted_transcript_at_time_unix_secs: int | None = None
    delete_transcript_and_pii: Maybe[bool] = None
    delete_audio: Maybe[bool] = None


class Feedback(Wire):
    """What the caller thought of it."""

    type: Annotated[str, Known("thumbs", "rating")] | None = None
    overall_score: Thumb | None = None
    likes: Maybe[int] = None
    dislikes: Maybe[int] = None
    rating: int | None = None
    comment: str | None = None


class UsageByCategory(Wire):
    """Tokens of answers that were spoken, and of those that were begun."""

    irreversible_generation: LlmUsage = Field(default_factory=LlmUsage)
    initiated_generation: LlmUsage = Field(default_factory=LlmUsage)


class Charging(Wire):
    """What the conversation cost."""

    dev_discount: Maybe[bool] = None
    is_burst: Maybe[bool] = None
    tier: str | None = None
    llm_usage: UsageByCategory = Field(default_factory=UsageByCategory)
    llm_price: float | None = None
    llm_charge: int | None = None
    call_charge: int | None = None
    free_minutes_consumed: Maybe[float] = None
    free_llm_dollars_consumed: Maybe[float] = None


class TwilioCall(Variant):
    """A phone call by Twilio."""

    direction: Annotated[str, Known("inbound", "outbound")]
    phone_number_id: str
    agent_number: str
    external_number: str
    type: Literal["twilio"]
    stream_sid: str
    call_sid: str


class SipCall(Variant):
    """A phone call by a SIP trunk."""

    direction: Annotated[str, Known("inbound", "outbound")]
    phone_number_id: str
    agent_number: str
    external_number: str
    type: Literal["sip_trunking"]
    call_sid: str


PhoneCall = Annotated[TwilioCall | SipCall | Unknown, OneOf("type")]


class BatchCallRef(Wire):
    """The batch that the call belongs to."""

    batch_call_id: str
    batch_call_recipient_id: str


class ConversationError(Wire):
    """Why it failed."""

    code: int
    reason: str | None = None


class RetrievalUsage(Wire):
    """How often the knowledge base was asked."""

    usage_count: int
    embedding_model: str


class FeatureUse(Wire):
    """Whether a feature was on, and was used."""

    enabled: Maybe[bool] = None
    used: Maybe[bool] = None


class WorkflowUse(Wire):
    """Which kinds of nodes were there, and were met."""

    enabled: Maybe[bool] = None
    tool_node: FeatureUse = Field(default_factory=FeatureUse)
    standalone_agent_node: FeatureUse = Field(default_factory=FeatureUse)
    phone_number_node: FeatureUse = Field(default_factory=FeatureUse)
    end_node: FeatureUse = Field(default_factory=FeatureUse)


class AgentTestingUse(Wire):
    """Whether the agent had been tested."""

    enabled: Maybe[bool] = None
    tests_ran_after_last_modification: Maybe[bool] = None
    tests_ran_in_last_7_days: Maybe[bool] = None


class FeaturesUse(Wire):
    """Which features were on, and were used."""

    language_detection: FeatureUse = Field(default_factory=FeatureUse)
    transfer_to_agent: FeatureUse = Field(default_factory=FeatureUse)
    transfer_to_number: FeatureUse = Field(default_factory=FeatureUse)
    multivoice: FeatureUse = Field(default_factory=FeatureUse)
    dtmf_tones: FeatureUse = Field(default_factory=FeatureUse)
    external_mcp_servers: FeatureUse = Field(default_factory=FeatureUse)
    pii_zrm_workspace: Maybe[bool] = None
    pii_zrm_agent: Maybe[bool] = None
    tool_dynamic_variable_updates: FeatureUse = Field(default_factory=FeatureUse)
    is_livekit: Maybe[bool] = None
    voicemail_detection: FeatureUse = Field(default_factory=FeatureUse)
    workflow: WorkflowUse = Field(default_factory=WorkflowUse)
    agent_testing: AgentTestingUse = Field(default_factory=AgentTestingUse)


class AssistantInfo(Wire):
    """Whether the platform's own assistant spoke."""

    is_eleven_assistant: Maybe[bool] = None


class DefaultTrigger(Variant):
    """Started by a client or a call."""

    trigger_type: Literal["default"] = "default"


class ZendeskTrigger(Variant):
    """Started by a ticket."""

    trigger_type: Literal["zendesk"] = "zendesk"
    ticket_id: int


Trigger = Annotated[DefaultTrigger | ZendeskTrigger | Unknown, OneOf("trigger_type")]


class Delivery(Wire):
    """How a conversation by messages was delivered."""

    delivery_status: Annotated[str, Known("pending", "success", "failed")]
    delivery_timestamp: int
    delivery_error: str | None = None
    external_system: str
    external_id: str
    retry_count: Maybe[int] = None
    last_retry_timestamp: int | None = None


class WhatsApp(Wire):
    """Who wrote by WhatsApp."""

    whatsapp_business_account_id: str
    whatsapp_user_id: str


class ConversationMetadata(Wire):
    """Times, cost and circumstances of a conversation."""

    start_time_unix_secs: int
    accepted_time_unix_secs: int | None = None
    call_duration_secs: int
    cost: int | None = None
    cost_fiat: float | None = None
    """The cost in money; newest clients read it."""
    deletion_settings: Deletion = Field(default_factory=Deletion)
    feedback: Feedback = Field(default_factory=Feedback)
    authorization_method: Maybe[
        Annotated[
            str,
            Known(
                "invalid",
                "public",
                "authorization_header",
                "signed_url",
                "shareable_link",
                "livekit_token",
                "livekit_token_website",
                "genesys_api_key",
            ),
        ]
    ] = None
    charging: Charging = Field(default_factory=Charging)
    phone_call: PhoneCall | None = None
    batch_call: BatchCallRef | None = None
    termination_reason: Maybe[str] = None
    """Why it ended, in words."""
    error: ConversationError | None = None
    main_language: str | None = None
    """The language that most of it was in."""
    rag_usage: RetrievalUsage | None = None
    text_only: Maybe[bool] = None
    features_usage: FeaturesUse = Field(default_factory=FeaturesUse)
    eleven_assistant: AssistantInfo = Field(default_factory=AssistantInfo)
    initiator_id: str | None = None
    conversation_initiation_source: Maybe[InitiationSource] = None
    conversation_initiation_source_version: str | None = None
    timezone: str | None = None
    initiation_trigger: Maybe[Trigger] = None
    async_metadata: Delivery | None = None
    whatsapp: WhatsApp | None = None
    agent_created_from: Maybe[DefinitionSource] = None
    agent_last_updated_from: Maybe[DefinitionSource] = None
