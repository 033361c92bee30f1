"""The largest answer that the contract lets a platform give: every field set, every text long, every list full."""

from itertools import count
from typing import Any, cast

from callwright.contract.operation import Operation

Json = dict[str, Any]

TEXT = 'Q"\\é ' * 400
"""2,000 characters, many of which JSON writes with two."""
NAME = TEXT[:200]
ROWS = 100
"""Items of a list that is not a page; of a page, as many as were asked for."""
INNER = 6
"""Items of a list inside of a list."""
DEPTH = 5
"""Objects within objects. A document that is deeper repeats itself: conditions within conditions, lists of lists."""


def fattest(op: type[Operation[Any]], rows: int = ROWS) -> Any:
    """JSON that the operation's result can be read from. Ids differ from each other."""
    schema: Json = op.result().json_schema(by_alias=True, mode="validation")
    return _Filling(schema.get("$defs", {}), rows).of(schema, "", 0)


class _Filling:
    def __init__(self, defs: Json, rows: int) -> None:
        self._defs, self._rows, self._numbers = defs, rows, count(1)

    def of(self, node: Json, name: str, depth: int) -> Any:
        if "$ref" in node:
            return self.of(self._defs[node["$ref"].rpartition("/")[2]], name, depth)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return node["enum"][0]
        for arms in (node.get("anyOf"), node.get("oneOf")):
            if arms:
                return self._largest(cast(list[Json], arms), name, depth)
        match node.get("type"):
            case "object":
                return self._object(node, depth)
            case "array":
                return self._array(node, name, depth)
            case "string":
                return self._text(node, name)
            case "integer" | "number":
                return min(node.get("maximum", 1_800_000_000), 1_800_000_000)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return NAME  # anything at all

    def _largest(self, arms: list[Json], name: str, depth: int) -> Any:
        """An object before a list before a text before a number."""
        order = ("object", "array", "string", "integer", "number", "boolean")

        def place(arm: Json) -> int:
            whole = self._defs[arm["$ref"].rpartition("/")[2]] if "$ref" in arm else arm
            kind = whole.get("type", "object" if {"anyOf", "oneOf"} & whole.keys() else "")
            deep = kind in ("object", "array") and depth >= DEPTH
            return len(order) + 1 if deep or kind not in order else order.index(kind)

        return self.of(min(arms, key=place), name, depth)

    def _object(self, node: Json, depth: int) -> Json:
        needed = node.get("required", [])
        fields: Json = node.get("properties", {})
        filled = {
            name: self.of(child, name, depth + 1) for name, child in fields.items() if name in needed or depth < DEPTH
        }
        rest = node.get("additionalProperties")
        if isinstance(rest, dict) and depth < DEPTH:
            filled |= {f"key_{n}": self.of(cast(Json, rest), "", depth + 1) for n in range(INNER if depth <= 3 else 1)}
        return filled

    def _array(self, node: Json, name: str, depth: int) -> list[Any]:
        many = self._rows if depth <= 1 else INNER if depth <= 3 else 1 if depth <= DEPTH else 0
        many = min(max(many, node.get("minItems", 0)), node.get("maxItems", many))
        return [self.of(node.get("items", {}), name.removesuffix("s"), depth + 1) for _ in range(many)]

    def _text(self, node: Json, name: str) -> str:
        if name.endswith("id") or "cursor" in name:
            return f"{name}_{next(self._numbers):028}"
        if name.endswith("url"):
            return "https://example.com/" + "x" * 1_900
        return (NAME if name.endswith("name") or name in ("title", "label") else TEXT)[
            : node.get("maxLength", len(TEXT))
        ]
