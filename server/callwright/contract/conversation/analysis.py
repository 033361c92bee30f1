"""What was found out about a finished conversation."""

from typing import Annotated

from ..agent.tool_schemas import LiteralProperty
from ..common import Known, Wire

Verdict = Annotated[str, Known("success", "failure", "unknown")]


class CriterionResult(Wire):
    """How one goal was met, and why that was found."""

    criteria_id: str
    result: Verdict
    rationale: str


class CollectedValue(Wire):
    """A value found in the conversation; null when it was not there."""

    data_collection_id: str
    value: object = None
    json_schema: LiteralProperty | None = None
    """What was asked for."""
    rationale: str


class Analysis(Wire):
    """What was found out about a finished conversation."""

    evaluation_criteria_results: dict[str, CriterionResult] = {}
    data_collection_results: dict[str, CollectedValue] = {}
    call_successful: Verdict
    transcript_summary: str
    call_summary_title: str | None = None
