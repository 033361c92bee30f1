"""Documents that agents know."""

from typing import Annotated, Literal

from .agent.prompt import DocumentType, UsageMode
from .common import (
    AccessInfo,
    AgentId,
    Cursor,
    DocumentId,
    Empty,
    Maybe,
    OneOf,
    PageSize,
    Repeated,
    SortDirection,
    Unknown,
    Variant,
    Wire,
)
from .dependents import AgentDependent
from .operation import Blob, Operation


class DocumentMetadata(Wire):
    """Times in Unix seconds, and the size."""

    created_at_unix_secs: int
    last_updated_at_unix_secs: int
    size_bytes: int


class Entry(Variant):
    """What every document has."""

    id: str
    name: str
    metadata: DocumentMetadata
    supported_usages: list[UsageMode]
    access_info: AccessInfo


class Summary(Entry):
    """A document in a list."""

    dependent_agents: list[AgentDependent]


class UrlSummary(Summary):
    """A web page in a list."""

    type: Literal["url"]
    url: str


class FileSummary(Summary):
    """A file in a list."""

    type: Literal["file"]


class TextSummary(Summary):
    """A text in a list."""

    type: Literal["text"]


DocumentSummary = Annotated[UrlSummary | FileSummary | TextSummary | Unknown, OneOf("type")]


class DocumentPage(Wire):
    """One page of documents."""

    documents: list[DocumentSummary]
    next_cursor: str | None = None
    has_more: bool


class Content(Entry):
    """A document in full."""

    extracted_inner_html: str


class UrlDocument(Content):
    """A web page in full."""

    type: Literal["url"]
    url: str


class FileDocument(Content):
    """A file in full."""

    type: Literal["file"]
    filename: Maybe[str] = None
    """The newest clients do not read a file without it."""


class TextDocument(Content):
    """A text in full."""

    type: Literal["text"]


Document = Annotated[UrlDocument | FileDocument | TextDocument | Unknown, OneOf("type")]


class AddedDocument(Wire):
    """The new document."""

    id: str
    name: str


class CreateTextDocument(Operation[AddedDocument], method="POST", path="/v1/convai/knowledge-base/text"):
    """Add a text."""

    text: str
    name: str | None = None


class ListDocuments(Operation[DocumentPage], method="GET", path="/v1/convai/knowledge-base"):
    """Find documents, newest first unless told otherwise."""

    page_size: PageSize = 30
    search: str | None = None
    show_only_owned_documents: bool = False
    types: Repeated[DocumentType] | None = None
    sort_direction: SortDirection = "desc"
    sort_by: Literal["name", "created_at", "updated_at", "size"] = "created_at"
    use_typesense: bool = False
    """Chooses the platform's search engine; nothing depends on it here."""
    cursor: Cursor | None = None


class GetDocument(Operation[Document], method="GET", path="/v1/convai/knowledge-base/{documentation_id}"):
    """Read a document with its text."""

    documentation_id: DocumentId
    agent_id: Maybe[AgentId] = None
    """Read through this agent, whose documents the asking key may see."""


class UpdateDocument(Operation[Document], method="PATCH", path="/v1/convai/knowledge-base/{documentation_id}"):
    """Rename a document."""

    documentation_id: DocumentId
    name: str


class DeleteDocument(Operation[Empty], method="DELETE", path="/v1/convai/knowledge-base/{documentation_id}"):
    """Delete a document for good; refused while agents use it, unless forced."""

    documentation_id: DocumentId
    force: bool = False


class GetDocumentContent(Operation[Blob], method="GET", path="/v1/convai/knowledge-base/{documentation_id}/content"):
    """Read the whole text of a document, as `text/html`."""

    documentation_id: DocumentId
