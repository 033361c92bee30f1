# pyright: basic
"""Settings, dashboard, secrets, models and voices."""

from .sdk import Sdk

HOOK = {"url": "https://hooks.example.com/before", "request_headers": {"X-Team": "desk"}}
CHARTS = [
    {"type": "call_success", "name": "Success"},
    {"type": "criteria", "name": "Calm", "criteria_id": "calm"},
    {"type": "data_collection", "name": "Topics", "data_collection_id": "topic"},
]


def sweep(sdk: Sdk) -> None:
    settings(sdk)
    secrets(sdk)
    models(sdk)
    sdk.stranger().refused("agents.list")


def settings(sdk: Sdk) -> None:
    sdk.call("settings.get")
    sdk.call("settings.update", conversation_initiation_client_data_webhook=HOOK, rag_retention_period_days=7)
    kept = sdk.call("settings.get")
    sdk.saw("settings", [kept.rag_retention_period_days, kept.conversation_initiation_client_data_webhook.url])
    sdk.call("dashboard.settings.get")
    sdk.call("dashboard.settings.update", charts=CHARTS)
    sdk.saw("charts", [chart.type for chart in sdk.call("dashboard.settings.get").charts])

    blocked = {**HOOK, "url": "https://169.254.169.254/latest"}
    sdk.refused("settings.update", conversation_initiation_client_data_webhook=blocked)
    sdk.refused("settings.update", rag_retention_period_days="soon")
    sdk.refused("dashboard.settings.update", charts=[{"type": "criteria", "name": "Calm"}])


def secrets(sdk: Sdk) -> None:
    secret = sdk.call("secrets.create", name="CRM", value="s3cr3t").secret_id
    sdk.call("secrets.update", secret, name="CRM 2", value="0ther-s3cr3t")
    sdk.saw("secrets", [each.name for each in sdk.call("secrets.list").secrets])

    hook = {**HOOK, "request_headers": {"Authorization": {"secret_id": secret}}}
    sdk.call("settings.update", conversation_initiation_client_data_webhook=hook)
    sdk.refused("secrets.delete", secret)
    sdk.refused("secrets.create", name="CRM 2", value="third-s3cr3t")
    sdk.refused("secrets.create", name="Till", value=None)
    sdk.call("settings.update", conversation_initiation_client_data_webhook=None)
    sdk.call("secrets.delete", secret)
    sdk.saw("secrets once deleted", sdk.call("secrets.list").secrets)


def models(sdk: Sdk) -> None:
    small = sdk.call("llm_usage.calculate", prompt_length=400, number_of_pages=0, rag_enabled=False)
    large = sdk.call("llm_usage.calculate", prompt_length=4000, number_of_pages=0, rag_enabled=False)
    before, after = ({price.llm: price.price_per_minute for price in sizes.llm_prices} for sizes in (small, large))
    sdk.saw("models that cost more for a longer prompt", sum(after[llm] > before[llm] for llm in after) > 10)
    sdk.refused("llm_usage.calculate", prompt_length=-1, number_of_pages=0, rag_enabled=False)
    if sdk.has("llm.list"):
        sdk.saw("models", len(sdk.call("llm.list").llms) > 10)

    first = sdk.call("voices.search", search="british", page_size=1)
    second = sdk.call("voices.search", search="british", page_size=1, next_page_token=first.next_page_token)
    sdk.saw("two british voices", first.voices[0].voice_id != second.voices[0].voice_id)
    sdk.refused("voices.search", next_page_token="of-another-list")
