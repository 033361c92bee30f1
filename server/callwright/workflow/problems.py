"""Validates a workflow's graph beyond the shape of its parts, so that every conversation finds its way through it.

The platform documents none of these rules; each refuses a graph that no conversation could follow. Kinds of nodes and
conditions from newer platforms are not checked.
"""

from collections.abc import Iterator
from typing import Any, cast

from ..contract.errors import Problem, body_problem
from ..contract.merge import Json
from .graph import DirectedEdge, directed_edges
from .node_kinds import kind_of

DEEPEST_EXPRESSION = 32
"""Nested operators: an editor nests a few, and evaluation uses one call per level."""

_OPERANDS = ("left", "right", "children")


def graph_problems(workflow: Json) -> Iterator[Problem]:
    """Every problem of a workflow with a valid shape, with its location in the agent's document."""
    nodes: dict[str, Json] = workflow.get("nodes") or {}
    edges: dict[str, Json] = workflow.get("edges") or {}
    found = list(directed_edges(edges))
    yield from _strangers(nodes, edges)
    yield from _beginning(nodes, found)
    yield from _orders(nodes, edges, found)
    for edge in found:
        yield from _condition(nodes, edge)


def _strangers(nodes: dict[str, Json], edges: dict[str, Json]) -> Iterator[Problem]:
    for id, edge in edges.items():
        for field in ("source", "target"):
            if edge[field] not in nodes:
                yield body_problem(
                    ("workflow", "edges", id, field), f"There is no node {edge[field]!r}.", "unknown_node"
                )


def _beginning(nodes: dict[str, Json], found: list[DirectedEdge]) -> Iterator[Problem]:
    """A conversation begins at the only start node, and leaves it without a condition."""
    starts = [id for id, node in nodes.items() if kind_of(node).begins]
    if nodes and len(starts) != 1:
        had = f"; these are {', '.join(map(repr, starts))}" if starts else ""
        yield body_problem(("workflow", "nodes"), f"A workflow has exactly one node of the type start{had}.", "start")
        return
    for start in starts:
        out = [edge for edge in found if edge.source == start]
        if len(out) > 1 or (not out and len(nodes) > 1):
            said = f"Exactly one edge leads out of the start, not {len(out)}."
            yield body_problem(("workflow", "nodes", start), said, "start")
        for edge in out:
            if edge.condition["type"] != "unconditional":
                said = "The edge out of the start is unconditional: nothing was said yet."
                yield body_problem(("workflow", "edges", edge.edge_id, edge.field), said, "start")


def _orders(nodes: dict[str, Json], edges: dict[str, Json], found: list[DirectedEdge]) -> Iterator[Problem]:
    for id, node in nodes.items():
        order: list[str] = node.get("edge_order") or []
        out = {edge.edge_id for edge in found if edge.source == id}
        for place, edge in enumerate(order):
            at = ("workflow", "nodes", id, "edge_order", place)
            if edge not in edges:
                yield body_problem(at, f"There is no edge {edge!r}.", "unknown_edge")
            elif edge not in out:
                yield body_problem(at, f"The edge {edge!r} does not lead out of this node.", "unknown_edge")
            elif edge in order[:place]:
                yield body_problem(at, f"The edge {edge!r} stands here twice.", "duplicate")


def _condition(nodes: dict[str, Json], edge: DirectedEdge) -> Iterator[Problem]:
    at = ("workflow", "edges", edge.edge_id, edge.field)
    source = nodes.get(edge.source, {})
    name, kind = str(source.get("type", "")), kind_of(source)
    if kind.last:
        said = f"Nothing leads out of {edge.source!r}: a node of the type {name} ends the agent's part."
        yield body_problem(at, said, "after_the_end")
    if edge.condition["type"] == "result" and name and not kind.runs_tools:
        said = f"Only a tool node has a result, and {edge.source!r} is of the type {name}."
        yield body_problem((*at, "type"), said, "no_result")
    if edge.condition["type"] == "expression" and _depth(edge.condition["expression"]) > DEEPEST_EXPRESSION:
        said = f"At most {DEEPEST_EXPRESSION} operators inside one another."
        yield body_problem((*at, "expression"), said, "too_deep")


def _depth(expression: Any) -> int:
    """The nesting depth of an expression's operators. A request's own limit of levels bounds the recursion."""
    if isinstance(expression, list):
        return max(map(_depth, cast(list[Any], expression)), default=0)
    if not isinstance(expression, dict):
        return 0
    node = cast(Json, expression)
    below = [_depth(node[name]) for name in _OPERANDS if name in node]
    return 1 + max(below) if below else 0


def unreachable(workflow: Json) -> list[str]:
    """Nodes that no conversation reaches. Not an error, because an editor also saves unconnected nodes."""
    nodes: dict[str, Json] = workflow.get("nodes") or {}
    found = list(directed_edges(workflow.get("edges") or {}))
    reached = {id for id, node in nodes.items() if kind_of(node).begins}
    while more := {edge.target for edge in found if edge.source in reached} - reached:
        reached |= more
    return [id for id in nodes if id not in reached]
