"""Presents a workflow to people: its conditions in words, and its graph as a Mermaid flowchart."""

import json
import re
from collections.abc import Mapping
from typing import Any

from .graph import DirectedEdge, Workflow

LONGEST_LABEL = 80
"""The maximum number of characters of a label in the drawing."""

_SIGNS = {
    "eq_operator": "=",
    "neq_operator": "!=",
    "gt_operator": ">",
    "lt_operator": "<",
    "gte_operator": ">=",
    "lte_operator": "<=",
    "and_operator": "and",
    "or_operator": "or",
}


def in_words(condition: Mapping[str, Any]) -> str:
    match condition.get("type"):
        case "unconditional":
            return "always"
        case "llm":
            return f"if {condition['condition'].strip().rstrip('.')}"
        case "result":
            return "if the tools succeed" if condition["successful"] else "if a tool fails"
        case "expression":
            return f"if {_infix(condition['expression'])}"
        case other:
            return f"by {other}, which only a newer platform knows"


def described(flow: Workflow, node_id: str) -> str:
    """A description of a node."""
    return flow.kind(node_id).words(node_id, flow.nodes[node_id])


def mermaid(flow: Workflow, edges: list[DirectedEdge]) -> str:
    """A flowchart. Labels are escaped, so that no text can break its syntax."""
    names = {id_: f"n{number}" for number, id_ in enumerate(flow.nodes)}
    lines = ["flowchart TD"]
    for id_, name in names.items():
        opened, closed = flow.kind(id_).shape
        lines.append(f'  {name}{opened}"{_label(described(flow, id_))}"{closed}')
    drawn = [edge for edge in edges if edge.source in names and edge.target in names]
    lines += [
        f'  {names[edge.source]} -->|"{_label(in_words(edge.condition))}"| {names[edge.target]}' for edge in drawn
    ]
    return "\n".join(lines)


def _label(text: str) -> str:
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST_LABEL else f"{line[: LONGEST_LABEL - 1]}…"
    return re.sub(r"[^\w\s.,:;!?=+()'/…-]", lambda sign: f"#{ord(sign[0])};", line)


def _infix(expression: Mapping[str, Any], *, inside: bool = False) -> str:
    match expression.get("type"):
        case "string_literal" | "number_literal" | "boolean_literal":
            value = expression["value"]
            return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
        case "dynamic_variable":
            return str(expression["name"])
        case "llm":
            return f"the model says yes to {json.dumps(expression['prompt'], ensure_ascii=False)}"
        case str() as kind if kind in _SIGNS:
            parts = expression.get("children") or [expression[side] for side in ("left", "right") if side in expression]
            text = f" {_SIGNS[kind]} ".join(_infix(part, inside=True) for part in parts)
            return f"({text})" if inside and len(parts) > 1 else text
        case other:
            return f"({other})"
