"""The analysis of a finished conversation, in the platform's shape."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio

from ...contract.paths import at
from .coercion import coerce
from .judge import OVERALL, Found, Judge, Judgement, Verdict
from .llm import LLM, Usage
from .passages import Retriever
from .record import as_data, spoken
from .variables import Value

T = TypeVar("T")
Analysis = dict[str, Any]

JUDGES_AT_ONCE = 4
_PASSAGES = 6
_CHARACTERS = 8000


@dataclass(frozen=True)
class Questions:
    """The questions asked about a conversation, from the agent's `platform_settings`."""

    criteria: Sequence[Mapping[str, Any]] = ()
    """Evaluation criteria, each with `id`, `name`, `conversation_goal_prompt`, `use_knowledge_base`."""
    data_collection: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Identifier to its schema: `type`, `description`, `enum`, `dynamic_variable`, `constant_value`."""


def read_questions(platform_settings: Mapping[str, Any], extra: Sequence[Mapping[str, Any]] = ()) -> Questions:
    """The agent's criteria followed by the `extra` ones; an extra criterion replaces one of the same id."""
    own = at(platform_settings, "evaluation", "criteria") or ()
    criteria = {criterion["id"]: criterion for criterion in (*own, *extra)}
    return Questions(list(criteria.values()), at(platform_settings, "data_collection") or {})


def not_analysed(
    questions: Questions, variables: Mapping[str, Value], why: str, *, title: str, summary: str | None = None
) -> Analysis:
    """The analysis without a judge: every criterion `unknown`, every value null, with the reason. Never a pass.

    `summary` describes what happened, if there is more to say than the reason.
    """
    items = questions.data_collection
    found = {id_: _without_judge(schema, variables) or Found(None, why) for id_, schema in items.items()}
    judged = {criterion["id"]: Judgement("unknown", why) for criterion in questions.criteria}
    return _shape(questions, judged, found) | _summed_up("unknown", summary or why, title)


async def analyse(
    transcript: Sequence[Mapping[str, Any]],
    questions: Questions,
    variables: Mapping[str, Value],
    retriever: Retriever,
    llm: LLM,
) -> tuple[Analysis, Usage]:
    """Ask the judge every question, a few at once. Returns the analysis and the tokens that the judge used.

    `retriever`: looks up passages for criteria that are judged with the knowledge base.
    """
    judge = Judge(llm, as_data(transcript))
    talk = spoken(transcript, 6)

    async def about(criterion: Mapping[str, Any]) -> Judgement:
        goal = criterion["conversation_goal_prompt"]
        if not criterion.get("use_knowledge_base"):
            return await judge.criterion(goal)
        passages = await retriever.best(f"{goal}\n{talk}", at_most=_PASSAGES, characters=_CHARACTERS)
        return await judge.criterion(goal, [f"{p.document.name}: {p.text}" for p in passages])

    found = {id_: _without_judge(schema, variables) for id_, schema in questions.data_collection.items()}
    to_ask = {id_: schema for id_, schema in questions.data_collection.items() if found[id_] is None}
    limit = anyio.Semaphore(JUDGES_AT_ONCE)
    judged: dict[str, Judgement] = {}
    overall: dict[str, Judgement] = {}
    summaries: dict[str, tuple[str, str | None]] = {}
    async with anyio.create_task_group() as tasks:
        for criterion in questions.criteria:
            tasks.start_soon(_put, judged, criterion["id"], lambda c=criterion: about(c), limit)
        for id_, schema in to_ask.items():
            tasks.start_soon(_put, found, id_, lambda i=id_, s=schema: judge.item(i, s), limit)
        if not questions.criteria:
            tasks.start_soon(_put, overall, "", lambda: judge.criterion(OVERALL), limit)
        tasks.start_soon(_put, summaries, "", judge.summary, limit)
    successful = call_successful([one.result for one in (judged or overall).values()])
    return _shape(questions, judged, found) | _summed_up(successful, *summaries[""]), judge.usage


async def _put(into: dict[str, Any], key: str, ask: Callable[[], Awaitable[Any]], limit: anyio.Semaphore) -> None:
    async with limit:
        into[key] = await ask()


def call_successful(results: Sequence[Verdict]) -> Verdict:
    """Failure if any verdict is a failure, success if all are successes, else unknown."""
    if "failure" in results:
        return "failure"
    return "success" if results and all(result == "success" for result in results) else "unknown"


def _without_judge(schema: Mapping[str, Any], variables: Mapping[str, Value]) -> Found | None:
    """A value that can be found without reading the conversation, else None."""
    constant, name = schema.get("constant_value"), schema.get("dynamic_variable")
    if constant not in (None, ""):
        value, source = constant, "A constant."
    elif name:
        value, source = variables.get(name), f"The dynamic variable {name}."
        source += "" if name in variables else " It has no value."
    else:
        return None
    try:
        return Found(coerce(value, schema), source)
    except ValueError as wrong:
        return Found(None, f"{source} {wrong}")


def _shape(questions: Questions, judged: Mapping[str, Judgement], found: Mapping[str, Found | None]) -> Analysis:
    """The answers in the order of the questions, independent of the order in which they arrived."""
    ids = [criterion["id"] for criterion in questions.criteria]
    items = questions.data_collection
    values = {id_: found[id_] or Found(None, "") for id_ in items}
    return {
        "evaluation_criteria_results": {
            id_: {"criteria_id": id_, "result": judged[id_].result, "rationale": judged[id_].rationale} for id_ in ids
        },
        "data_collection_results": {
            id_: {
                "data_collection_id": id_,
                "value": values[id_].value,
                "json_schema": dict(schema),
                "rationale": values[id_].rationale,
            }
            for id_, schema in items.items()
        },
    }


def _summed_up(successful: Verdict, summary: str, title: str | None) -> Analysis:
    return {"call_successful": successful, "transcript_summary": summary, "call_summary_title": title}
