"""The handlers of documents' indexes. A document's chunks are made with its first index and deleted with its last."""

from collections.abc import Sequence

import anyio.to_thread
from sqlalchemy import RowMapping, delete, func, insert, select

from ...contract.errors import NotFound
from ...contract.knowledge_base import (
    Chunk,
    ComputeRagIndex,
    DeleteRagIndex,
    GetChunk,
    GetRagIndexes,
    GetRagOverview,
    IndexUsage,
    ModelIndexUsage,
    RagIndex,
    RagIndexList,
    RagOverview,
)
from ..handlers import Handlers
from ..knowledge.chunking import TextChunk, chunks
from ..schema.knowledge import chunk, rag_index
from ..schema.tables import document
from ..store.transaction import Tx
from ..unit import Unit

rag_indexes = Handlers()

MOST_BYTES = 1_000_000_000
"""Most bytes of text in all indexes of a workspace. This project's choice: the platform's limit depends on the plan."""
FIRST_IDS = 100

_MISSING = "vectors: passages are found by their words, whatever model is asked for"


@rag_indexes.implements(ComputeRagIndex, proof="test_an_index_makes_passages_that_can_be_read", missing=_MISSING)
async def compute_index(unit: Unit, op: ComputeRagIndex) -> RagIndex:
    """Compute an index. An existing index is answered as it is, except that one over the limit is tried again.

    The text is cut into chunks outside of any transaction, because it may be long.
    """
    text = await unit.read(lambda tx: tx.one(document, op.documentation_id)["content"])
    cut = await anyio.to_thread.run_sync(chunks, op.documentation_id, text)
    return await unit.write(lambda tx: _indexed(tx, op, cut))


@rag_indexes.implements(GetRagIndexes, proof="test_a_document_has_one_index_a_model", missing=_MISSING)
def get_indexes(tx: Tx, op: GetRagIndexes) -> RagIndexList:
    tx.one(document, op.documentation_id)
    return RagIndexList(indexes=[_answer(tx, row) for row in _of(tx, op.documentation_id)])


@rag_indexes.implements(DeleteRagIndex, proof="test_the_passages_go_with_the_last_index")
def delete_index(tx: Tx, op: DeleteRagIndex) -> RagIndex:
    """Delete an index, and answer its last state."""
    tx.one(document, op.documentation_id)
    row = next((row for row in _of(tx, op.documentation_id) if row["id"] == op.rag_index_id), None)
    if row is None:
        raise NotFound(f"Document {op.documentation_id!r} has no index {op.rag_index_id!r}.")
    was = _answer(tx, row)
    _take_out(tx, row)
    if not any(each["status"] == "succeeded" for each in _of(tx, op.documentation_id)):
        _forget_chunks(tx, op.documentation_id)
    return was


@rag_indexes.implements(GetRagOverview, proof="test_the_overview_counts_what_all_indexes_take")
def get_overview(tx: Tx, _: GetRagOverview) -> RagOverview:
    taken = func.sum(rag_index.c.used_bytes)
    found = (
        select(rag_index.c.model, taken.label("taken"))
        .where(tx.own(rag_index))
        .group_by(rag_index.c.model)
        .order_by(rag_index.c.model)
    )
    models = [ModelIndexUsage(model=row.model, used_bytes=int(row.taken)) for row in tx.db.execute(found)]
    used = sum(model.used_bytes for model in models)
    return RagOverview(total_used_bytes=used, total_max_bytes=MOST_BYTES, models=models)


@rag_indexes.implements(GetChunk, proof="test_an_index_makes_passages_that_can_be_read")
def get_chunk(tx: Tx, op: GetChunk) -> Chunk:
    name = tx.one(document, op.documentation_id)["name"]
    this = tx.own(chunk, document_id=op.documentation_id)
    found = select(chunk.c.content).where(this, chunk.c.id == op.chunk_id)
    if (content := tx.db.execute(found).scalar_one_or_none()) is None:
        raise NotFound(f"Document {op.documentation_id!r} has no passage {op.chunk_id!r}. Passages come with an index.")
    return Chunk(id=op.chunk_id, name=name, content=content)


def _indexed(tx: Tx, op: ComputeRagIndex, cut: list[TextChunk]) -> RagIndex:
    tx.one(document, op.documentation_id)  # it may have been deleted while its text was cut
    there = _of(tx, op.documentation_id)
    same = next((row for row in there if row["model"] == op.model), None)
    if same is not None and same["status"] != "rag_limit_exceeded":
        return _answer(tx, same)
    used = sum(len(each.text.encode()) for each in cut)
    status = "succeeded" if cut else "document_too_small"
    if get_overview(tx, GetRagOverview()).total_used_bytes + used > MOST_BYTES:
        status, used = "rag_limit_exceeded", 0
    if status == "succeeded" and not any(row["status"] == "succeeded" for row in there):
        tx.db.execute(insert(chunk), [_row(tx, op, place, each) for place, each in enumerate(cut)])
    if same is not None:
        _take_out(tx, same)
    new = same["id"] if same is not None else tx.new_id("ragindex")
    row = {
        "workspace": tx.workspace, "id": new, "document_id": op.documentation_id, "model": op.model,
        "status": status, "used_bytes": used, "created_ms": tx.now_ms,
    }  # fmt: skip
    tx.db.execute(insert(rag_index).values(**row))
    return _answer(tx, next(each for each in _of(tx, op.documentation_id) if each["id"] == row["id"]))


def _row(tx: Tx, op: ComputeRagIndex, place: int, new: TextChunk) -> dict[str, object]:
    return {
        "workspace": tx.workspace, "document_id": op.documentation_id, "id": new.id, "place": place,
        "content": new.text,
    }  # fmt: skip


def _of(tx: Tx, document_id: str) -> Sequence[RowMapping]:
    this = tx.own(rag_index, document_id=document_id)
    found = select(rag_index).where(this).order_by(rag_index.c.created_ms, rag_index.c.id)
    return tx.db.execute(found).mappings().all()


def _take_out(tx: Tx, row: RowMapping) -> None:
    tx.db.execute(delete(rag_index).where(tx.own(rag_index, id=row["id"])))


def _forget_chunks(tx: Tx, document_id: str) -> None:
    tx.db.execute(delete(chunk).where(tx.own(chunk, document_id=document_id)))


def _answer(tx: Tx, row: RowMapping) -> RagIndex:
    """An index with the number of its passages and the first of their ids, which no other answer lists."""
    done = row["status"] == "succeeded"
    this = tx.own(chunk, document_id=row["document_id"])
    count = tx.db.execute(select(func.count()).select_from(chunk).where(this)).scalar_one() if done else 0
    ids = select(chunk.c.id).where(this).order_by(chunk.c.place).limit(FIRST_IDS)
    return RagIndex.model_validate(
        {
            "id": row["id"],
            "model": row["model"],
            "status": row["status"],
            "progress_percentage": 100.0 if done else 0.0,
            "document_model_index_usage": IndexUsage(used_bytes=row["used_bytes"]),
            "chunk_count": count,
            "chunk_ids": list(tx.db.execute(ids).scalars()) if done else [],
        }
    )
