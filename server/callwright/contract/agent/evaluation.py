"""How finished conversations are judged, and tests that belong to an agent."""

from typing import Literal

from ..common import Maybe, Variant, Wire


class Criterion(Variant):
    """A goal that a finished conversation is judged by."""

    id: str
    name: str
    type: Literal["prompt"] = "prompt"
    conversation_goal_prompt: str
    use_knowledge_base: Maybe[bool] = None


class Evaluation(Wire):
    """How finished conversations are judged."""

    criteria: list[Criterion] = []


class AttachedTest(Wire):
    """A test that belongs to the agent."""

    test_id: str
    workflow_node_id: str | None = None


class AttachedTests(Wire):
    """Tests that belong to the agent."""

    attached_tests: list[AttachedTest] = []
