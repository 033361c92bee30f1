"""What of the platform's API is embedded, and how far: the table that each handler's declaration makes."""

from .asgi import HANDLERS


def coverage_table() -> str:
    """Markdown: one row an operation."""
    rows = ["| operation | how far | shown by |", "|---|---|---|"]
    for group in HANDLERS:
        for op, made in group.by_operation.items():
            how = f"partly; missing: {made.missing}" if made.missing else "real"
            rows.append(f"| `{op.method} {op.path}` | {how} | `{made.proof}` |")
    return "\n".join(rows)
