"""The handlers of knowledge base documents."""

import html
from typing import Any

import anyio.to_thread
from sqlalchemy import RowMapping, delete, insert, select, update

from ...contract.common import Empty
from ...contract.dependents import AgentDependent, DependentAgentPage
from ...contract.errors import InUse
from ...contract.knowledge_base import (
    AddedDocument,
    CreateDocument,
    CreateFileDocument,
    CreateTextDocument,
    CreateUrlDocument,
    DeleteDocument,
    DocumentPage,
    GetDocument,
    GetDocumentContent,
    ListDocumentDependents,
    ListDocuments,
    UpdateDocument,
)
from ...contract.merge import Json
from ...contract.operation import Blob
from ...net.pages import read_page
from ..handlers import Handlers
from ..knowledge.extraction import Extracted, extract
from ..schema.defaults import OWNER
from ..schema.knowledge import chunk, rag_index
from ..schema.missing import not_found
from ..schema.tables import agent, document
from ..store.agent_documents import attach, take_out
from ..store.dependents import dependent_agents
from ..store.paging import name_key, page, search_key
from ..store.transaction import Tx
from ..store.uses import User, agents_using, agents_using_each
from ..unit import Unit

knowledge_base = Handlers()

NAME_LENGTH = 60
"""Characters of a text's first line that become its name, if the request gives none."""
LONGEST_NAME = 200
"""Characters of a name taken from a file or a web page, at most."""

_KINDS_MISSING = "PDF, DOCX and EPUB: text, Markdown and HTML are read"

_SORT = {
    "name": document.c.name_key,
    "created_at": document.c.created_ms,
    "updated_at": document.c.updated_ms,
    "size": document.c.size_bytes,
}


@knowledge_base.implements(CreateTextDocument, proof="test_a_text_document_reads_back_as_it_was_created")
def create_text(tx: Tx, op: CreateTextDocument) -> AddedDocument:
    return _added(tx, "text", op.name or _first_line(op.text), op.text)


@knowledge_base.implements(
    CreateFileDocument, proof="test_a_file_reads_back_with_its_text_and_its_name", missing=_KINDS_MISSING
)
async def create_file(unit: Unit, op: CreateFileDocument) -> AddedDocument:
    return await _from_file(unit, op.file, op.name)


@knowledge_base.implements(CreateUrlDocument, proof="test_a_page_is_read_once_and_kept_as_text", missing=_KINDS_MISSING)
async def create_url(unit: Unit, op: CreateUrlDocument) -> AddedDocument:
    """Add the text of a web page. Refuses forbidden URLs with the guard's message, and reports redirects as errors."""
    return await _from_page(unit, op.page_url, op.name)


@knowledge_base.implements(
    CreateDocument, proof="test_the_older_way_adds_the_document_to_an_agent_too", missing=_KINDS_MISSING
)
async def create_document(unit: Unit, op: CreateDocument) -> AddedDocument:
    if op.agent_id:
        await unit.read(lambda tx: _known_agent(tx, op.agent_id or ""))
    if op.file is not None:
        return await _from_file(unit, op.file, op.name, op.agent_id)
    return await _from_page(unit, op.page_url or "", op.name, op.agent_id)


@knowledge_base.implements(ListDocuments, proof="test_documents_are_listed_by_type_and_search")
def list_documents(tx: Tx, op: ListDocuments) -> DocumentPage:
    columns = [c for c in document.c if c.name != "content"]
    found = select(*columns).where(tx.own(document))
    if op.search:
        found = found.where(document.c.name_key.contains(search_key(op.search), autoescape=True))
    if op.types:
        found = found.where(document.c.type.in_(op.types))
    rows, cursor = page(
        tx.db,
        found,
        by=_SORT[op.sort_by],
        id=document.c.id,
        descending=op.sort_direction == "desc",
        size=op.page_size,
        cursor=op.cursor,
    )
    users = agents_using_each(tx, "document", (row["id"] for row in rows))
    return DocumentPage.model_validate(
        {
            "documents": [_common(row) | {"dependent_agents": _shown(users[row["id"]])} for row in rows],
            "has_more": cursor is not None,
            "next_cursor": cursor,
        }
    )


@knowledge_base.implements(GetDocument, proof="test_a_text_document_reads_back_as_it_was_created")
def get_document(tx: Tx, op: GetDocument) -> Json:
    return _answer(tx.one(document, op.documentation_id))


@knowledge_base.implements(UpdateDocument, proof="test_a_renamed_document_is_found_by_its_new_name")
def update_document(tx: Tx, op: UpdateDocument) -> Json:
    tx.one(document, op.documentation_id)
    tx.db.execute(
        update(document)
        .where(tx.own(document, id=op.documentation_id))
        .values(name=op.name, name_key=name_key(op.name), updated_ms=tx.now_ms)
    )
    return _answer(tx.one(document, op.documentation_id))


@knowledge_base.implements(DeleteDocument, proof="test_deleting_a_document_in_use_names_the_agents")
def delete_document(tx: Tx, op: DeleteDocument) -> Empty:
    """Delete a document, unless agents use it. With `force` it is removed from those agents too."""
    row = tx.one(document, op.documentation_id)
    users = agents_using(tx, "document", op.documentation_id)
    if users and not op.force:
        named = ", ".join(f"{name!r} ({id})" for id, name, _ in users[:10])
        raise InUse(
            "document_in_use",
            f"Document {row['name']!r} is used by {named}. Take it out there first, or delete it with force=true.",
        )
    for agent_id, _, _ in users:
        take_out(tx, agent_id, op.documentation_id)
    for table in (rag_index, chunk):
        this = tx.own(table, document_id=op.documentation_id)
        tx.db.execute(delete(table).where(this))
    tx.db.execute(delete(document).where(tx.own(document, id=op.documentation_id)))
    return Empty()


@knowledge_base.implements(GetDocumentContent, proof="test_a_text_document_reads_back_as_it_was_created")
def get_content(tx: Tx, op: GetDocumentContent) -> Blob:
    return Blob("text/html", tx.one(document, op.documentation_id)["content"].encode())


@knowledge_base.implements(ListDocumentDependents, proof="test_the_agents_that_use_a_document_are_listed_page_by_page")
def list_dependents(tx: Tx, op: ListDocumentDependents) -> DependentAgentPage:
    tx.one(document, op.documentation_id)
    return dependent_agents(tx, "document", op.documentation_id, size=op.page_size, cursor=op.cursor)


async def _from_file(unit: Unit, file: Blob, name: str | None, agent_id: str | None = None) -> AddedDocument:
    filename = _brought(file.filename.replace("\\", "/").rpartition("/")[2]) or "file"

    def read() -> Extracted:
        return extract(file.data, media_type=file.media_type, filename=filename)

    found = await anyio.to_thread.run_sync(read)
    called = name or filename
    return await unit.write(lambda tx: _added(tx, "file", called, found.text, agent_id, filename=filename))


async def _from_page(unit: Unit, url: str, name: str | None, agent_id: str | None = None) -> AddedDocument:
    fetched = await read_page(url, allow=unit.allow, proxy_url=unit.models.proxy_url)

    def read() -> Extracted:
        path = url.partition("?")[0].partition("#")[0]
        return extract(fetched.data, media_type=fetched.media_type, filename=path, charset=fetched.charset)

    found = await anyio.to_thread.run_sync(read)
    called = name or _brought(found.title) or _brought(url.partition("://")[2])
    return await unit.write(lambda tx: _added(tx, "url", called, found.text, agent_id, url=url))


def _added(
    tx: Tx, kind: str, name: str, text: str, agent_id: str | None = None, *, url: str | None = None,
    filename: str | None = None,
) -> AddedDocument:  # fmt: skip
    new = tx.new_id("doc")
    tx.db.execute(
        insert(document).values(
            workspace=tx.workspace, id=new, name=name, name_key=name_key(name), type=kind, created_ms=tx.now_ms,
            updated_ms=tx.now_ms, size_bytes=len(text.encode()), content=text, url=url, filename=filename,
        )
    )  # fmt: skip
    if agent_id:
        _known_agent(tx, agent_id)  # it may have been deleted while the text was read
        attach(tx, agent_id, {"type": kind, "name": name, "id": new, "usage_mode": "auto"})
    return AddedDocument(id=new, name=name)


def _known_agent(tx: Tx, agent_id: str) -> None:
    found = select(agent.c.id).where(tx.own(agent, id=agent_id))
    if tx.db.execute(found).scalar_one_or_none() is None:
        raise not_found(agent, agent_id)


def _brought(name: str) -> str:
    """The name of a file or a web page, cleaned: one line of bounded length, without unprintable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME]


def _first_line(text: str) -> str:
    line = next((line.strip("# \t") for line in text.splitlines() if line.strip("# \t")), "Text")
    return line[:NAME_LENGTH]


def _common(row: RowMapping) -> Json:
    shown: dict[str, Any] = {
        "id": row["id"],
        "name": row["name"],
        "type": row["type"],
        "metadata": {
            "created_at_unix_secs": row["created_ms"] // 1000,
            "last_updated_at_unix_secs": row["updated_ms"] // 1000,
            "size_bytes": row["size_bytes"],
        },
        "supported_usages": ["prompt", "auto"],
        "access_info": OWNER.model_dump(),
    }
    return shown | {key: row[key] for key in ("url", "filename") if row[key]}


def _shown(users: list[User]) -> list[AgentDependent]:
    return [user.shown() for user in users]


def _answer(row: RowMapping) -> Json:
    paragraphs = html.escape(row["content"], quote=False).split("\n\n")
    return _common(row) | {"extracted_inner_html": "".join(f"<p>{each}</p>" for each in paragraphs)}
