"""What several resources share: the open wire model, open enumerations, ids, paging, write-only values."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PlainSerializer, SecretStr, StringConstraints
from pydantic_core import CoreSchema

Id = StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")
AgentId = Annotated[str, Id]
ConversationId = Annotated[str, Id]
DocumentId = Annotated[str, Id]
PhoneNumberId = Annotated[str, Id]
SecretId = Annotated[str, Id]

PageSize = Annotated[int, Field(ge=1, le=100)]
"""Items a page; the platform's default is 30."""
Cursor = Annotated[str, Field(max_length=1024)]
"""`next_cursor` of the page before; opaque."""
SortDirection = Literal["asc", "desc"]

WriteOnly = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value, return_type=str, when_used="json")]
"""Goes out on the wire, never into a repr, a log or an error."""


@dataclass(frozen=True)
class Known:
    """Values of an enumeration that stays open: newer platforms send others, which are accepted, kept and warned of.

    `Annotated[str, Known("low", "high")]` is a string whose known values stand in the schema.
    """

    values: tuple[str, ...]

    def __init__(self, *values: str) -> None:
        object.__setattr__(self, "values", values)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "x-known-values": list(self.values)}


class Wire(BaseModel):
    """Open: a field that a newer platform sends is kept and sent back unchanged. Built at first use."""

    model_config = ConfigDict(extra="allow", defer_build=True, protected_namespaces=())


class Empty(Wire):
    """The platform answers `{}`."""


class AccessInfo(Wire):
    """Who made a thing, and what the asking key may do with it."""

    is_creator: bool
    creator_name: str
    creator_email: str
    role: Annotated[str, Known("admin", "editor", "commenter", "viewer")]
