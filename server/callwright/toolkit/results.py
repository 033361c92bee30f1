"""Common parts of tool results (changes, unknown names, dry run), and the output schema that includes them."""

from typing import Any

from ..api.client import ApiClient
from ..approval.call import Call
from ..bounds import Bounds
from ..contract.merge import Json
from ..contract.operation import Operation
from ..replies.views import View
from ..undo.changes import Change, differences, standing


class Changed(View):
    """Beside the view of a tool that updates."""

    changed: list[Change] = []


class Unknown(View):
    """Beside the view of a tool that takes a document."""

    unknown: list[str]
    """Names that the contract does not know; they were sent as they are."""


class Plan(View):
    """What a call would do."""

    would: str
    method: str
    path: str
    needs_approval: str | None = None
    """Why a person would be asked."""
    refused: str | None = None
    """Why it would not be done at all."""
    changed: list[Change] | None = None
    """Of an update, where what stands there can be read."""
    unknown: list[str] | None = None


class DryRun(View):
    """In place of the view: nothing was sent."""

    dry_run: Plan


UNTOLD = "The policy asks before every read, so a dry run does not tell what is stored."


async def planned(op: Operation[Any], question: str, call: Call, bounds: Bounds, client: ApiClient) -> DryRun:
    """The plan of sending `op`. `question`: the approval question, also if the policy would not ask it.

    If even reading needs approval, nothing that is stored is told, because a dry run asks for no approval.
    """
    guarded = op.guarded_places()
    reads_freely = call.policy.reason(call.tool, "read", "read", ()) is None
    before = await standing(client, op) if op.effect == "update" and reads_freely else None
    return DryRun(
        dry_run=Plan(
            would=question if reads_freely else UNTOLD,
            method=op.method,
            path=op.url(),
            needs_approval=call.reason(op),
            refused=bounds.allow(op.effect, guarded),
            changed=differences(op, before) if before else None,
            unknown=call.unknown or None,
        )
    )


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_CHANGED = {"type": "array", "items": {"type": "object", "properties": dict.fromkeys(Change.model_fields, _TEXT)}}
_PLAN = {
    "type": "object",
    "properties": dict.fromkeys(Plan.model_fields, _TEXT) | {"changed": _CHANGED, "unknown": _TEXTS},
}


def answering(view: Json, *, updates: bool, plans: bool, takes_document: bool, parts: bool, long: bool) -> Json:
    """The output schema of a tool: its view, with the common parts that are added to it or replace it."""
    properties: Json = dict(view.get("properties", {}))
    if updates:
        properties["changed"] = _CHANGED
    if takes_document:
        properties["unknown"] = _TEXTS
    schema = {**view, "properties": properties}
    instead = ({"dry_run": _PLAN} if plans else {}) | ({"parts": {"type": "object"}} if parts else {})
    if long:
        instead["task_id"] = _TEXT
    if instead:
        properties |= instead | ({"cut": _TEXTS} if parts else {}) | ({"status": _TEXT} if long else {})
        schema["anyOf"] = [{"required": schema.pop("required", [])}, *({"required": [name]} for name in instead)]
    return schema
