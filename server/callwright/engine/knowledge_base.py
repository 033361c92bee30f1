"""The rules of documents."""

import html
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from ..contract.common import Empty
from ..contract.dependents import AgentDependent
from ..contract.errors import InUse, NotFound
from ..contract.knowledge_base import (
    AddedDocument,
    CreateTextDocument,
    DeleteDocument,
    DocumentPage,
    GetDocument,
    GetDocumentContent,
    ListDocuments,
    UpdateDocument,
)
from ..contract.operation import Blob
from .agent_documents import take_out
from .handlers import Handlers, Tx
from .merge import Json
from .paging import name_key, page, search_key
from .people import OWNER
from .tables import document
from .uses import User, agents_using, agents_using_each

knowledge_base = Handlers()

NAME_LENGTH = 60
"""Characters of the first line that name a text which came without a name."""

_SORT = {
    "name": document.c.name_key,
    "created_at": document.c.created_ms,
    "updated_at": document.c.updated_ms,
    "size": document.c.size_bytes,
}


@knowledge_base.implements(CreateTextDocument, proof="test_a_text_document_reads_back_as_it_was_created")
def create_text(tx: Tx, op: CreateTextDocument) -> AddedDocument:
    new, name = tx.new_id("doc"), op.name or _first_line(op.text)
    size = len(op.text.encode())
    tx.db.execute(
        insert(document).values(
            workspace=tx.workspace, id=new, name=name, name_key=name_key(name), type="text", created_ms=tx.now_ms,
            updated_ms=tx.now_ms, size_bytes=size, content=op.text,
        )
    )  # fmt: skip
    return AddedDocument(id=new, name=name)


@knowledge_base.implements(ListDocuments, proof="test_documents_are_listed_by_type_and_search")
def list_documents(tx: Tx, op: ListDocuments) -> DocumentPage:
    columns = [c for c in document.c if c.name != "content"]
    found = select(*columns).where(document.c.workspace == tx.workspace)
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
    return _answer(document_row(tx, op.documentation_id))


@knowledge_base.implements(UpdateDocument, proof="test_a_renamed_document_is_found_by_its_new_name")
def update_document(tx: Tx, op: UpdateDocument) -> Json:
    document_row(tx, op.documentation_id)
    tx.db.execute(
        update(document)
        .where(document.c.workspace == tx.workspace, document.c.id == op.documentation_id)
        .values(name=op.name, name_key=name_key(op.name), updated_ms=tx.now_ms)
    )
    return _answer(document_row(tx, op.documentation_id))


@knowledge_base.implements(DeleteDocument, proof="test_deleting_a_document_in_use_names_the_agents")
def delete_document(tx: Tx, op: DeleteDocument) -> Empty:
    """Refused while agents use it, unless `force`: then it is taken out of them."""
    row = document_row(tx, op.documentation_id)
    users = agents_using(tx, "document", op.documentation_id)
    if users and not op.force:
        named = ", ".join(f"{name!r} ({id})" for id, name, _ in users[:10])
        raise InUse(
            "document_in_use",
            f"Document {row['name']!r} is used by {named}. Take it out there first, or delete it with force=true.",
        )
    for agent_id, _, _ in users:
        take_out(tx, agent_id, op.documentation_id)
    tx.db.execute(delete(document).where(document.c.workspace == tx.workspace, document.c.id == op.documentation_id))
    return Empty()


@knowledge_base.implements(GetDocumentContent, proof="test_a_text_document_reads_back_as_it_was_created")
def get_content(tx: Tx, op: GetDocumentContent) -> Blob:
    return Blob("text/html", document_row(tx, op.documentation_id)["content"].encode())


def document_row(tx: Tx, document_id: str) -> RowMapping:
    found = select(document).where(document.c.workspace == tx.workspace, document.c.id == document_id)
    if (row := tx.db.execute(found).mappings().one_or_none()) is None:
        raise NotFound(f"No document {document_id!r}. GET /v1/convai/knowledge-base lists them.")
    return row


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
    return shown | ({"url": row["url"]} if row["url"] else {})


def _shown(users: list[User]) -> list[AgentDependent]:
    return [user.shown() for user in users]


def _answer(row: RowMapping) -> Json:
    paragraphs = html.escape(row["content"], quote=False).split("\n\n")
    return _common(row) | {"extracted_inner_html": "".join(f"<p>{each}</p>" for each in paragraphs)}
