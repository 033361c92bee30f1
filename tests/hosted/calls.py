"""Requests that we and the platform's own SDK both make, from the table of sample calls."""

import base64
from dataclasses import dataclass, replace
from typing import Any

from callwright.contract import all_operations
from callwright.contract.operation import Blob, Operation
from tests.samples import SAMPLES

JSON = dict[str, Any]
OPERATIONS = {op.__name__: op for op in all_operations()}


@dataclass(frozen=True)
class Call:
    """One request that ours and the platform's SDK both make."""

    operation: type[Operation[Any]]
    method: str
    arguments: JSON
    ours: JSON
    wrapped: bool
    label: str

    @property
    def name(self) -> str:
        return self.operation.__name__

    def lean(self) -> "Call":
        """The same call with what it must have, and nothing else."""
        wire = {field.alias or name: field for name, field in self.operation.model_fields.items()}
        needed = {name: value for name, value in self.arguments.items() if wire[name].is_required()}
        return replace(self, arguments=needed, label=f"{self.name}, lean")

    def to_sdk(self) -> JSON:
        """The line that has the SDK make this call."""
        given = {name: _plain(value) for name, value in self.arguments.items()}
        if self.wrapped:
            places = self.operation.places()
            body = {name: value for name, value in given.items() if places[name] != "path"}
            given = {name: value for name, value in given.items() if name not in body} | {"request": body}
        return {"method": self.method, "arguments": given}


def _plain(value: Any) -> Any:
    if isinstance(value, Blob):
        return {"$file": [value.filename, base64.b64encode(value.data).decode(), value.media_type]}
    return value


CALLS = [
    Call(row.op, sdk.method, sdk.arguments, sdk.ours, sdk.wrapped, sdk.label) for row in SAMPLES for sdk in row.sdk
]
WITHOUT = {row.op.__name__: row.without_sdk for row in SAMPLES if row.without_sdk}
"""Operations that SDK 2.23.0 has no method for."""
