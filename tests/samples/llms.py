"""Sample calls of the operations on language models."""

from callwright.contract.llms import CalculateAgentLlmUsage, CalculateLlmUsage, ListLlms

from . import plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CalculateLlmUsage,
        tool="calculate_llm_usage",
        request=plain.USAGE,
        sdk=[Sdk(f"{whole.P}.llm_usage.calculate", whole.USAGE)],
        calls=[
            {"prompt_length": 1, "number_of_pages": 1, "rag_enabled": True},
            {"agent_id": probing.A, "prompt_length": 1, "number_of_pages": 1, "rag_enabled": True},
        ],
        largest={"agent_id": "agent_1"},
        phrases=["what does this agent cost a minute"],
    ),
    Sample(
        CalculateAgentLlmUsage,
        request=plain.USAGE,
        sdk=[Sdk(f"{whole.P}.agents.llm_usage.calculate", {"agent_id": whole.A, **whole.USAGE})],
    ),
    Sample(
        ListLlms,
        tool="list_llms",
        without_sdk="newer than SDK 2.23.0",
        phrases=["which language models are there and what do they cost"],
    ),
]
