"""Workspace secrets: values go in and never come out."""

from typing import Annotated, Literal

from .common import Known, SecretId, Variant, Wire, WriteOnly
from .dependents import AgentDependent, DependentPhoneNumber, ToolDependent
from .operation import Operation


class SecretUse(Wire):
    """What uses a secret."""

    tools: list[ToolDependent]
    agents: list[AgentDependent]
    others: list[Annotated[str, Known("conversation_initiation_webhook")]]
    phone_numbers: list[DependentPhoneNumber] = []
    mcp_servers: list[str] = []
    """Ids (embedded platform only)."""


class StoredSecret(Variant):
    """A secret without its value."""

    type: Literal["stored"]
    secret_id: str
    name: str


class SecretInUse(StoredSecret):
    """A secret without its value, and what uses it."""

    used_by: SecretUse


class SecretList(Wire):
    """All secrets of the workspace."""

    secrets: list[SecretInUse]


class ListSecrets(Operation[SecretList], method="GET", path="/v1/convai/secrets"):
    """List all secrets, without their values."""


class CreateSecret(Operation[StoredSecret], method="POST", path="/v1/convai/secrets", effect="secret"):
    """Store a value under a name."""

    type: Literal["new"]
    name: str
    value: WriteOnly


class UpdateSecret(Operation[StoredSecret], method="PATCH", path="/v1/convai/secrets/{secret_id}", effect="secret"):
    """Replace name and value."""

    secret_id: SecretId
    type: Literal["update"]
    name: str
    value: WriteOnly


class DeleteSecret(Operation[None], method="DELETE", path="/v1/convai/secrets/{secret_id}"):
    """Delete a secret for good; refused while something uses it."""

    secret_id: SecretId
