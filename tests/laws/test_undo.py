"""What is declared beside the tools about taking changes back is complete, and is what `undo_change` may send."""

from importlib import import_module

from callwright.contract import all_operations
from callwright.contract.operation import Operation
from callwright.surface import TOOLSETS
from callwright.tools.server import RESTORES
from callwright.undo.undo import reader_of, undo_of

from .test_surface import SPECS

SENT = {op for _, spec in SPECS.values() if spec.name != "undo_change" for op in spec.sends}


def twin_of(op: type[Operation[object]]) -> type[Operation[object]] | None:
    """The GET of the same path, or of the one above, of which the path is a part (`…/approval-policy`).

    In the same part of the contract: an avatar's path lies below an agent's, and no agent shows its bytes.
    """
    reads = {each.path: each for each in all_operations() if each.method == "GET" and each.__module__ == op.__module__}
    return reads.get(op.path) or reads.get(op.path.rpartition("/")[0])


def test_every_update_of_a_tool_says_what_reads_the_thing() -> None:
    for op in sorted((op for op in SENT if op.effect == "update"), key=lambda op: op.__name__):
        ids = {name: "some_1" for name, place in op.places().items() if place == "path"}
        reader = reader_of(op.model_construct(None, **ids))
        assert (type(reader) if reader else None) is twin_of(op), op.__name__


def test_undo_change_may_send_what_the_declared_undos_read_and_send() -> None:
    for module in TOOLSETS:
        import_module(module)
    undos = [undo for op in SENT if (undo := undo_of(op.__name__))]
    updates = {undo.reads for undo in undos if undo.op.effect != "delete"}
    assert {*RESTORES} == updates | {undo.sends for undo in undos}


def test_what_is_undone_is_itself_undoable_or_makes_something_new() -> None:
    for op in RESTORES:
        assert op.effect in ("read", "create") or undo_of(op.__name__), op.__name__
