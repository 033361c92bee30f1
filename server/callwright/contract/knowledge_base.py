"""Documents that agents know."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .agent.prompt import DocumentType, EmbeddingModel, UsageMode
from .common import (
    AccessInfo,
    AgentId,
    ChunkId,
    Cursor,
    DocumentId,
    Empty,
    Known,
    Maybe,
    OneOf,
    PageSize,
    RagIndexId,
    Repeated,
    SortDirection,
    Unknown,
    Variant,
    Wire,
)
from .dependents import AgentDependent, DependentAgentPage
from .guards import outward
from .operation import Blob, Operation, Query


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


DocumentName = Annotated[str, Field(min_length=1)]


class Chunk(Wire):
    """A passage of a document."""

    id: str
    name: str
    content: str


class IndexUsage(Wire):
    """How much of the workspace's share an index takes."""

    used_bytes: int


class RagIndex(Wire):
    """A document's passages, made findable for one embedding model."""

    id: str
    model: EmbeddingModel
    status: Annotated[
        str, Known("created", "processing", "failed", "succeeded", "rag_limit_exceeded", "document_too_small")
    ]
    progress_percentage: float
    """0 to 100."""
    document_model_index_usage: IndexUsage


class RagIndexList(Wire):
    """The indexes of a document, one a model."""

    indexes: list[RagIndex]


class ModelIndexUsage(Wire):
    """How much the indexes for one embedding model take."""

    model: EmbeddingModel
    used_bytes: int


class RagOverview(Wire):
    """How much of the workspace's share all indexes take."""

    total_used_bytes: int
    total_max_bytes: int
    models: list[ModelIndexUsage]


class CreateTextDocument(Operation[AddedDocument], method="POST", path="/v1/convai/knowledge-base/text"):
    """Add a text."""

    text: str
    name: str | None = None


class CreateUrlDocument(
    Operation[AddedDocument], method="POST", path="/v1/convai/knowledge-base/url", guarded=outward("url")
):
    """Add a web page, read once, now. Guarded: an address can carry whatever was said to whoever answers there."""

    page_url: str = Field(alias="url")
    name: DocumentName | None = None


class CreateFileDocument(Operation[AddedDocument], method="POST", path="/v1/convai/knowledge-base/file"):
    """Add a file."""

    file: Blob
    name: str | None = None


class CreateDocument(Operation[AddedDocument], method="POST", path="/v1/convai/knowledge-base", guarded=outward("url")):
    """Add a web page or a file: the older way, with exactly one of both."""

    agent_id: Annotated[Maybe[str], Query()] = None
    """Add it to this agent, too; empty for none."""
    name: DocumentName | None = None
    page_url: Maybe[str] = Field(default=None, alias="url")
    file: Maybe[Blob] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.page_url is None) == (self.file is None):
            raise ValueError("give either a url or a file")
        return self


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


class GetChunk(Operation[Chunk], method="GET", path="/v1/convai/knowledge-base/{documentation_id}/chunk/{chunk_id}"):
    """Read one passage of an indexed document."""

    documentation_id: DocumentId
    chunk_id: ChunkId


class ListDocumentDependents(
    Operation[DependentAgentPage],
    method="GET",
    path="/v1/convai/knowledge-base/{documentation_id}/dependent-agents",
):
    """List the agents that use a document."""

    documentation_id: DocumentId
    cursor: Cursor | None = None
    page_size: PageSize = 30


class ComputeRagIndex(
    Operation[RagIndex], method="POST", path="/v1/convai/knowledge-base/{documentation_id}/rag-index"
):
    """Make a document's passages findable, or say how far that is; long work goes on after the answer."""

    documentation_id: DocumentId
    model: EmbeddingModel


class GetRagIndexes(
    Operation[RagIndexList], method="GET", path="/v1/convai/knowledge-base/{documentation_id}/rag-index"
):
    """Read which indexes a document has."""

    documentation_id: DocumentId


class DeleteRagIndex(
    Operation[RagIndex],
    method="DELETE",
    path="/v1/convai/knowledge-base/{documentation_id}/rag-index/{rag_index_id}",
):
    """Delete an index; it can be computed again."""

    documentation_id: DocumentId
    rag_index_id: RagIndexId


class GetRagOverview(Operation[RagOverview], method="GET", path="/v1/convai/knowledge-base/rag-index"):
    """Read how much all indexes take."""
