"""The former names of `tool_calling`, which `walk` alone still imports; they go when that module is renamed."""

from .tool_calling import ToolCallContext as Talk
from .tool_calling import described, prepare_transfer, request_record, result_record, run_call, written_down

__all__ = ["Talk", "described", "prepare_transfer", "request_record", "result_record", "run_call", "written_down"]
