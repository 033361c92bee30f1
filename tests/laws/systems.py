"""The platform's systems: how far each works here, embedded and hosted, which tests prove it, and what is missing.

`docs/systems.md` is generated from `SYSTEMS`; `test_systems.py` holds its laws.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

TESTS = Path(__file__).parents[1]

Verdict = Literal["works", "partly", "missing"]


class On(NamedTuple):
    """One platform: the verdict, and the names of the test functions that prove what works there."""

    verdict: Verdict
    tests: tuple[str, ...] = ()


class System(NamedTuple):
    """One row of the page. `number` is how other texts name it; `missing` says in words what does not work."""

    number: str
    name: str
    embedded: On
    hosted: On
    missing: str = ""


def works(*tests: str) -> On:
    return On("works", tests)


def partly(*tests: str) -> On:
    return On("partly", tests)


MISSING = On("missing")

SETS = ("test_every_declared_field_can_be_set_by_a_tool_or_says_why_not",)
"""Hosted, the platform does the work; here is proved that a tool sets each field that configures it."""
SENDS = ("test_our_request_is_the_sdks",)
"""Hosted, the platform does the work; here is proved that our request is the one that its own SDK sends."""

_WIDGET = "test_the_widget_is_shown_as_pages_get_it"
_SITE = "a snippet for this kind of site, the steps to place it, and a check that the agent's allowlist names the site"
_RECIPE = "a recipe that makes the whole integration; its sample tools are converted and called right"
_TRUNK = "a preset, a checklist, and calls"


def _site(number: int, name: str) -> System:
    return System(str(number), f"Widget in {name}", MISSING, partly(_WIDGET), _SITE)


def _integration(number: int, name: str) -> System:
    called = "test_a_webhook_is_called_with_its_secret_and_its_answer_sets_variables"
    taken = "test_an_example_of_the_guide_is_taken_as_it_is_pasted"
    return System(str(number), name, partly(taken, called), partly(taken), _RECIPE)


SYSTEMS = (
    System(
        "1",
        "Several voices in one agent",
        works(
            "test_tags_select_voices_and_broken_ones_only_vanish",
            "test_voices_are_recorded_in_parts_and_the_model_sees_its_tags_again",
        ),
        works(*SETS),
    ),
    System(
        "2",
        "Pronunciation dictionaries",
        works("test_every_change_of_rules_makes_a_version_and_the_old_one_stays"),
        works("test_a_dictionary_is_added_gets_a_version_and_is_heard"),
    ),
    System(
        "3",
        "Speed of speech",
        works("test_values_at_a_limit_are_stored", "test_values_beyond_a_limit_are_refused_at_their_place"),
        works(*SETS),
    ),
    System(
        "4",
        "Languages and their presets",
        partly(
            "test_a_language_brings_its_preset_along",
            "test_a_language_that_is_switched_to_brings_its_preset_and_the_agents_own_can_come_back",
        ),
        works(*SETS),
        "translation of the first message by the model; a note that a translation is older than its source; "
        "the refusal of a language without a preset",
    ),
    System(
        "5",
        "Language detection",
        works("test_a_system_tool_switches_language_only_to_a_configured_one"),
        works(*SETS),
    ),
    System(
        "6",
        "Catalogue and prices of language models",
        works("test_models_are_listed_with_their_limits", "test_a_price_is_what_the_formula_gives_by_hand"),
        works("test_models_are_listed_from_the_cheapest_with_limits_and_prices"),
    ),
    System(
        "7",
        "Cost optimisation",
        works("test_where_the_tokens_of_a_turn_go_and_what_would_save_some"),
        works("test_a_lean_agent_hears_only_of_what_is_left_to_save"),
        "the lower price of silence (5%)",
    ),
    System(
        "8",
        "Custom language model",
        works("test_an_agents_own_endpoint_is_asked_as_the_platform_asks_it"),
        works(*SETS),
    ),
    *(
        System(
            str(number), f"Language models of {name}", works("test_a_template_says_where_its_endpoint_is"), works(*SETS)
        )
        for number, name in enumerate(("Cloudflare", "Groq", "SambaNova", "Together"), 9)
    ),
    System(
        "13",
        "Backup models when one fails",
        works(
            "test_backups_come_in_the_platforms_order_after_the_agents_own",
            "test_whatever_fails_the_next_model_answers_at_once",
        ),
        works(*SETS),
        "a backup needs an entry of its own in `CALLWRIGHT_LLM_ROUTES`",
    ),
    System(
        "14",
        "Widget",
        partly(
            "test_the_widget_shows_what_the_agent_is_configured_to",
            "test_a_whole_conversation_by_keyboard_is_kept_with_its_tool_call_and_the_persons_opinion",
        ),
        partly(_WIDGET),
        "embed code and its attributes; overrides, client tools and the choice of a language on the chat page",
    ),
    System(
        "15",
        "Conversation flow: turns, silence, interruption",
        partly(
            "test_a_silent_user_is_spoken_to_three_times_in_a_row",
            "test_a_user_who_speaks_over_the_agent_is_answered_and_the_rest_is_never_said",
        ),
        works(*SETS),
        "the soft timeout, whose override is refused; tools that run beside the conversation (`execution_mode: async`) "
        "hold the turn up; `force_pre_tool_speech` says nothing; a tool's `disable_interruptions` keeps no message from "
        "interrupting; `max_duration_seconds` ends up to a second early",
    ),
    System(
        "16",
        "Authentication: signed URLs, allowlists, overrides",
        works("test_a_signed_url_starts_conversations_for_15_minutes", "test_every_field_that_may_not_be_set_is_named"),
        works("test_a_person_agrees_before_a_key_leaves"),
    ),
    System(
        "17",
        "Workflows",
        works(
            "test_a_conversation_goes_where_its_workflow_leads",
            "test_a_client_is_led_through_a_workflow_with_a_webhook_to_its_end",
        ),
        works("test_a_workflow_is_told_in_words_and_drawn", *SETS),
        "in a chat, a `phone_number` node says that it has handed the caller over",
    ),
    System(
        "18",
        "Agent tests",
        partly("test_a_run_is_pending_at_once_and_then_read_with_its_result"),
        works("test_a_test_is_made_run_and_read"),
        "an exit status of `callwright call run_agent_tests` that tells failed tests; tests of the type simulation",
    ),
    System(
        "19",
        "Success evaluation",
        works("test_a_conversation_is_judged_by_the_criteria_of_its_agent"),
        works(*SETS),
        "a criterion with `use_knowledge_base` sees only passages that share its words, also where the whole document "
        "is in the prompt",
    ),
    System(
        "20",
        "Data collection",
        works("test_a_collected_value_is_what_its_type_says_or_nothing"),
        works(*SETS),
    ),
    System(
        "21",
        "Retention",
        partly("test_a_conversation_that_is_to_stay_for_no_day_goes_with_its_end"),
        works(*SETS),
        "any number of days but 0; the change of what is already stored",
    ),
    System(
        "22",
        "Recordings",
        MISSING,
        works("test_a_recording_is_saved_as_a_new_file_in_an_open_folder"),
        "recordings: conversations are held in text",
    ),
    System(
        "23",
        "Zero retention",
        partly("test_with_zero_retention_no_turn_is_stored", "test_zero_retention_refuses_other_models"),
        works(*SETS),
        "delivery of the conversation by webhook before it is dropped; a redacted record instead of 404; zero retention "
        "for a whole workspace",
    ),
    System(
        "24",
        "MCP servers of an agent",
        works("test_a_tool_of_an_mcp_server_is_offered_and_called"),
        works("test_a_server_is_connected_its_tools_are_listed_and_one_is_approved"),
        "approval of a call through `send_message`; with the default `client_events`, a tool that always asks is denied",
    ),
    System(
        "25",
        "Security guidance for MCP servers",
        partly("test_each_policy_says_what_happens_to_a_call", "test_a_tool_that_changed_asks_again"),
        partly("test_a_server_is_connected_its_tools_are_listed_and_one_is_approved"),
        "the guidance itself; `destructiveHint` in the answer of `list_mcp_tools`; a check of guardrails",
    ),
    System(
        "26",
        "SIP trunking",
        partly(
            "test_an_open_trunk_has_no_login_and_no_fixed_transport", "test_a_new_trunk_takes_nothing_from_the_old_one"
        ),
        works("test_a_trunk_number_calls_by_sip"),
        "calls; the headers X-CALL-ID and X-CALLER-ID; help with trouble",
    ),
    System(
        "27",
        "Batch calling",
        partly("test_a_batch_reads_back_with_all_its_recipients", "test_a_retry_takes_up_only_who_was_not_reached"),
        partly("test_a_batch_is_asked_about_followed_cancelled_and_tried_again"),
        "recipients from XLS or XLSX; the limit of 70% of the concurrency; any call at all on the embedded platform",
    ),
    System("28", "Vonage", MISSING, partly(*SENDS), "the audio connector, a preset, and a checklist"),
    System("29", "Telnyx", partly("test_a_trunk_number_makes_a_sip_batch"), partly(*SENDS), _TRUNK),
    System("30", "Plivo", partly("test_a_trunk_number_makes_a_sip_batch"), partly(*SENDS), _TRUNK),
    System(
        "31",
        "Genesys",
        MISSING,
        partly(*SETS),
        "the audio connector, a checklist, and a check that the agent's configuration is compatible",
    ),
    System(
        "32",
        "Twilio",
        partly(
            "test_an_imported_number_reads_back_with_masked_credentials",
            "test_a_call_is_checked_and_answered_with_the_request_it_would_make",
        ),
        works("test_a_call_is_asked_about_and_says_that_nobody_rang"),
        "dialling; asking Twilio what the number can do",
    ),
    System(
        "33",
        "Twilio personalization",
        MISSING,
        partly("test_settings_change_by_merging_and_say_what_changed"),
        "the webhook that is asked before a call: hosted it can be configured, embedded it is never called",
    ),
    System(
        "34",
        "Post-call webhooks",
        MISSING,
        partly("test_guarded_settings_wait_for_a_person"),
        "delivery: the id of a webhook is stored, even of one that does not exist, and nothing is sent; no tool creates "
        "a webhook or verifies a signature",
    ),
    System(
        "35",
        "Transfer to a person",
        partly("test_a_call_is_handed_over_to_a_number_of_the_rules"),
        works(*SETS),
        "a phone call in which it can run: only rehearsals play one",
    ),
    System(
        "36",
        "Transfer to another agent",
        works("test_a_transfer_is_announced_waits_and_then_greets"),
        works(*SETS),
    ),
    System(
        "37",
        "Prompting guide",
        partly("test_a_guide_names_only_tools_and_arguments_that_there_are"),
        partly("test_a_prompt_begins_with_what_holds_this_time"),
        "the six blocks of a prompt with examples; a check for variables that are not declared and tools that are absent",
    ),
    System(
        "38",
        "Voice design",
        partly("test_a_warm_british_voice_is_found_by_those_words"),
        partly("test_a_warm_british_voice_is_found_and_given_to_an_agent"),
        "recommended settings of a voice",
    ),
    System(
        "39",
        "Chat mode",
        partly("test_a_text_conversation_is_held_kept_and_analysed"),
        works(*SETS),
        "the larger limit of conversations in text (25 times the concurrency)",
    ),
    System(
        "40",
        "Limits and bursts",
        partly(
            "test_an_agent_that_may_burst_holds_three_times_as_many",
            "test_an_agent_begins_so_many_conversations_a_day",
        ),
        works(*SETS),
        "the limit of the whole workspace; the double price of a burst",
    ),
    System(
        "41",
        "Agent that answers from documentation",
        partly("test_a_document_becomes_a_rehearsed_agent"),
        works("test_a_document_becomes_a_rehearsed_agent"),
        "a recipe; the record of what was retrieved (`rag_retrieval_info`, `metadata.rag_usage`)",
    ),
    System(
        "42",
        "Simulation",
        works("test_a_whole_rehearsal_has_transcript_and_analysis_in_the_platforms_shape"),
        works("test_a_hosted_platform_is_asked_for_the_whole_rehearsal"),
        "a check of the roles in `partial_conversation_history`",
    ),
    *(
        _site(number, name)
        for number, name in enumerate(
            ("Next.js", "Vite", "Ghost", "Framer", "Squarespace", "Webflow", "Wix", "WordPress"), 43
        )
    ),
    System(
        "51",
        "Expo and Raspberry Pi",
        MISSING,
        partly(*SENDS),
        "sound, WebRTC, and a recipe; hosted, tokens and signed URLs for such devices are handed out",
    ),
    *(_integration(number, name) for number, name in enumerate(("Cal.com", "Zendesk", "HubSpot", "Salesforce"), 52)),
    System(
        "56",
        "From an interview to an agent",
        partly("test_a_collected_value_is_what_its_type_says_or_nothing"),
        partly(*SETS),
        "the webhook after the interview; the agent that is made of its answers",
    ),
    System(
        "57",
        "Rules for health data, calls and disclosure (HIPAA, TCPA), and 11.ai",
        partly("test_zero_retention_holds_for_every_prompt_of_an_agent", "test_caps_outlive_a_restart_and_a_day"),
        partly("test_without_a_person_nobody_is_called"),
        "consent, a do-not-call list, calls only from 8 to 21 o'clock, opting out, help with disclosure, and zero "
        "retention that an integration demands of its agent",
    ),
    System(
        "58",
        "Client SDKs",
        partly("test_conversations_of_the_sdk_are_held_with_tools_overrides_and_an_end_on_either_side"),
        works(*SENDS),
        "WebRTC; the SDKs for React, React Native and Swift have not been run",
    ),
    System(
        "59",
        "Conversations over a WebSocket",
        partly("test_a_text_conversation_is_held_kept_and_analysed"),
        works("test_a_conversation_goes_to_the_platforms_own_host_only", "test_words_come_as_they_are_said"),
        "sound: text works in full",
    ),
    System(
        "60", "Agents as code", MISSING, MISSING, "a tool and a command that sync a folder of files with the platform"
    ),
    System(
        "61",
        "Knowledge base and retrieval",
        partly("test_an_index_makes_passages_that_can_be_read", "test_text_markdown_and_html_are_read"),
        works("test_a_documents_passages_are_indexed_read_and_deleted"),
        "vectors: passages are found by shared words, so that “reimbursement” finds nothing about refunds; PDF, DOCX and "
        "EPUB; the record of what was retrieved",
    ),
    System(
        "X1",
        "Voicemail detection and keypad tones",
        MISSING,
        works(*SETS),
        "a phone call in which they can run; only a rehearsal that is given a caller's number offers them",
    ),
    System("X2", "Usage statistics of a tool", MISSING, works(*SENDS), "`usage_stats` stays at 0"),
    System("X3", "Age limit of retrieval indexes", MISSING, works(*SENDS), "`rag_retention_period_days` has no effect"),
)


@cache
def places() -> dict[str, list[str]]:
    """Every test function by its name, with the files below `tests/` that have one of this name."""
    found: dict[str, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.setdefault(node.name, []).append(file.relative_to(TESTS.parent).as_posix())
    return found


def faults(systems: tuple[System, ...]) -> list[str]:
    """What may not be on the page, in words."""
    known = places()
    said: list[str] = []
    for row in systems:
        for platform, on in (("embedded", row.embedded), ("hosted", row.hosted)):
            at = f"{row.number} {platform}"
            if on.verdict == "works" and not on.tests:
                said.append(f"{at}: works, and no test proves it")
            if on.verdict == "missing" and on.tests:
                said.append(f"{at}: missing, and a test proves it")
            if on.verdict != "works" and not row.missing:
                said.append(f"{at}: {on.verdict}, and nothing says what is missing")
            said += [f"{at}: no test is called {name}" for name in on.tests if name not in known]
            said += [f"{at}: several tests are called {name}" for name in on.tests if len(known.get(name, [])) > 1]
    return said


def systems_table() -> str:
    """Markdown: one row a system."""
    known = places()

    def shown(on: On) -> str:
        return "<br>".join(f"`{known[name][0]}::{name}`" for name in on.tests) or "none"

    rows = ["| # | system | embedded | hosted | what is missing or wrong | proved, embedded | proved, hosted |"]
    rows.append("|---|---|---|---|---|---|---|")
    for row in SYSTEMS:
        cells = (row.number, row.name, row.embedded.verdict, row.hosted.verdict, row.missing)
        rows.append(f"| {' | '.join(cells)} | {shown(row.embedded)} | {shown(row.hosted)} |")
    return "\n".join(rows)


def counts() -> str:
    """Markdown: how many systems have each verdict."""
    rows = ["| platform | works | partly | missing |", "|---|---|---|---|"]
    for name, verdicts in (
        ("embedded", [row.embedded.verdict for row in SYSTEMS]),
        ("hosted", [row.hosted.verdict for row in SYSTEMS]),
    ):
        rows.append(
            f"| {name} | {verdicts.count('works')} | {verdicts.count('partly')} | {verdicts.count('missing')} |"
        )
    return "\n".join(rows)
