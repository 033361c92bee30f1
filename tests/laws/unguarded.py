"""The fields of requests that ask nobody, each with the reason why it need not.

A field stands here by its name, by the name with its parent's (`nodes.agent_id`), or by a pattern that ends in `*` for
maps of texts and colours. What is guarded in one request and free in another stands here with that request's first field.
"""

WHY: dict[str, str] = {
    # What an agent says, and how: words are not bounded by approval, places to which data goes are.
    "what an agent is told to say, or to be": """
        prompt first_message additional_prompt ignore_default_personality message transfer_message voicemail_message
        timezone language description workflow.prevent_subagent_loops first_message_translation.text source_hash
        llm reasoning_effort temperature max_tokens
    """,
    "which documents and voices of the workspace it uses, and how it sounds": """
        knowledge_base.id knowledge_base.type usage_mode additional_knowledge_base.id additional_knowledge_base.type
        rag.enabled embedding_model max_documents_length max_retrieved_rag_chunks_count max_vector_distance voice_id
        model_id model_family speed stability similarity_boost optimize_streaming_latency agent_output_audio_format
        user_input_audio_format supported_voices.language pronunciation_dictionary_id version_id asr.provider asr.quality asr.keywords background_voice_detection
    """,
    "when it speaks, waits and hangs up": """
        turn.mode turn_timeout silence_end_call_timeout max_duration_seconds text_only disable_interruptions
        disable_first_message_interruptions force_pre_tool_speech pre_tool_speech interruption_mode tool_call_sound
        tool_call_sound_behavior execution_mode expects_response response_timeout_secs delay_ms disable_compression
        enable_client_message enable_transferred_agent_first_message
    """,
    "what a tool is called, and which arguments the model fills: where they go is guarded": """
        tools.type tool_config.type system_tool_type end_call.type language_detection.type skip_turn.type
        play_keypad_touch_tone.type transfer_to_agent.type transfer_to_number.type voicemail_detection.type tool_name
        properties required enum properties.type parameters.type path_params_schema.type request_body_schema.type
    """,
    "variables that fill texts and arguments, and no host: hosts take the tool's own": """
        dynamic_variable_placeholders dynamic_variables
    """,
    # Workflows: what a node may do beyond talking (tools, transfers, other agents) is guarded.
    "the shape of a workflow, and what decides between its paths": """
        nodes.type nodes.edge_order position.x position.y edges.source edges.target transfer_type
        forward_condition.type forward_condition.condition forward_condition.successful
        backward_condition.type backward_condition.condition backward_condition.successful
        expression.type expression.children expression.left expression.right expression.prompt
        expression.value left right children
    """,
    # Judging and keeping: nothing leaves the platform.
    "what is judged and noted of a conversation, inside the platform": """
        criteria.id criteria.type conversation_goal_prompt use_knowledge_base data_collection.type
        data_collection.enum data_collection.constant_value data_collection.dynamic_variable
        data_collection.is_system_provided extra_evaluation_criteria.id extra_evaluation_criteria.type feedback tags
        charts.type criteria_id data_collection_id test_id workflow_node_id
    """,
    "a name, or a label, that people see": "name label",
    "taken back as easily as it was done: nobody reaches an archived agent": "archived",
    # Looks.
    "how the widget looks and what it says as plain text": """
        text_contents.* styles.* action_text always_expanded bg_color border_color border_radius btn_color btn_radius
        btn_text_color color_1 color_2 avatar.type default_expanded disable_banner end_call_text expand_text expandable
        feedback_mode focus_color language_selector listening_text mic_muting_enabled placement
        shareable_page_show_terms shareable_page_text show_avatar_when_collapsed speaking_text start_call_text
        supports_text_only terms_key terms_text text_color text_input_enabled transcript_enabled variant
    """,
    # Things of the workspace.
    "the text of a document or a dictionary, which the caller of the tool has already": """
        text alias alphabet case_sensitive phoneme string_to_replace rules.type word_boundaries rule_strings
    """,
    "which index a document gets, and for how long an unused one stays: it can be made again": """
        model rag_retention_period_days
    """,
    "which of the platform's own servers carries the sound": "livekit_stack default_livekit_stack",
    "how a server of tools is spoken to, and what was seen of its tool: the address and the decision are guarded": """
        config.transport input_schema tool_description CreateMcpToolApproval.approval_policy
    """,
    # Tests and rehearsals: there is no caller, and nothing is kept of them.
    "what a test says and expects": """
        CreateAgentTest.type UpdateAgentTest.type success_condition response success_examples.type failure_examples.type
        tool_call_parameters.* parameters.path verify_absence referenced_tool.id referenced_tool.type eval.type
        expected_value pattern chat_history.* from_conversation_metadata.*
    """,
    "how long a rehearsal goes on, and what is answered in it instead of a tool": """
        new_turns_limit default_is_error default_return_value mock_result is_error parameter_conditions.path
        partial_conversation_history.* test_run_ids ResubmitInvocation.agent_id
    """,
    "settings of an agent while it is tested: nobody calls it, and no page shows it": """
        agent_config_override.platform_settings.auth.* agent_config_override.platform_settings.call_limits.*
        agent_config_override.platform_settings.overrides.* agent_config_override.platform_settings.privacy.*
        agent_config_override.platform_settings.widget.* agent_config_override.platform_settings.safety.*
        agent_config_override.**.client_events agent_config_override.workflow.nodes.agent_id
    """,
}
