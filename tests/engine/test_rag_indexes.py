"""Indexes of documents: what they are made of, what they take, and when they go."""

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.errors import NotFound
from callwright.contract.knowledge_base import (
    ComputeRagIndex,
    DeleteDocument,
    DeleteRagIndex,
    GetChunk,
    GetRagIndexes,
    GetRagOverview,
    RagIndex,
)
from callwright.engine.rules import rag_indexes
from tests.contract.facts import assert_answer

from .helpers import dump, refused, text

pytestmark = pytest.mark.anyio

SMALL = "multilingual_e5_large_instruct"
LARGE = "e5_mistral_7b_instruct"
PARAGRAPHS = [f"Bicycle {n} is repaired on day {n}. " + "It takes some time. " * 40 for n in range(5)]
LONG = "\n\n".join(PARAGRAPHS)


async def index(api: ApiClient, document: str, model: str = SMALL) -> RagIndex:
    return await api.send(ComputeRagIndex(documentation_id=document, model=model))


def chunk_ids(found: RagIndex) -> list[str]:
    return (found.model_extra or {})["chunk_ids"]


async def passage(api: ApiClient, document: str, id: str) -> str:
    return (await api.send(GetChunk(documentation_id=document, chunk_id=id))).content


async def test_an_index_makes_passages_that_can_be_read(api: ApiClient, wire: AsyncClient) -> None:
    document = await text(api, "Repairs", LONG)
    answer = await wire.post(f"/v1/convai/knowledge-base/{document}/rag-index", json={"model": SMALL})
    assert_answer(ComputeRagIndex, 200, answer.json())
    found = answer.json()
    assert {key: value for key, value in found.items() if key != "chunk_ids"} == snapshot(
        {
            "id": "ragindex_2",
            "model": "multilingual_e5_large_instruct",
            "status": "succeeded",
            "progress_percentage": 100.0,
            "document_model_index_usage": {"used_bytes": 4959},
            "chunk_count": 5,
        }
    )
    passages = [await passage(api, document, id) for id in found["chunk_ids"]]
    for paragraph in PARAGRAPHS:
        assert any(paragraph.strip() in each for each in passages)
    assert found["document_model_index_usage"]["used_bytes"] == sum(len(each.encode()) for each in passages)
    one = await wire.get(f"/v1/convai/knowledge-base/{document}/chunk/{found['chunk_ids'][1]}")
    assert_answer(GetChunk, 200, one.json())
    assert one.json()["name"] == "Repairs"
    assert isinstance(await refused(api, GetChunk(documentation_id=document, chunk_id="chunk_no")), NotFound)
    other = await text(api)
    assert isinstance(await refused(api, GetChunk(documentation_id=other, chunk_id=found["chunk_ids"][0])), NotFound)


async def test_a_document_has_one_index_a_model(api: ApiClient, wire: AsyncClient) -> None:
    document = await text(api, content=LONG)
    first, again, other = await index(api, document), await index(api, document), await index(api, document, LARGE)
    assert again == first
    assert (other.model, chunk_ids(other)) == (LARGE, chunk_ids(first))
    listed = (await wire.get(f"/v1/convai/knowledge-base/{document}/rag-index")).json()
    assert_answer(GetRagIndexes, 200, listed)
    assert listed["indexes"] == [dump(first), dump(other)]
    assert (await api.send(GetRagIndexes(documentation_id=await text(api)))).indexes == []
    assert isinstance(await refused(api, GetRagIndexes(documentation_id="doc_no")), NotFound)


async def test_the_passages_go_with_the_last_index(api: ApiClient, wire: AsyncClient) -> None:
    document = await text(api, content=LONG)
    first, other = await index(api, document), await index(api, document, LARGE)
    [id, *_] = chunk_ids(first)
    answer = await wire.delete(f"/v1/convai/knowledge-base/{document}/rag-index/{first.id}")
    assert_answer(DeleteRagIndex, 200, answer.json())
    assert answer.json() == dump(first)
    assert await passage(api, document, id)
    await api.send(DeleteRagIndex(documentation_id=document, rag_index_id=other.id))
    assert isinstance(await refused(api, GetChunk(documentation_id=document, chunk_id=id)), NotFound)
    gone = DeleteRagIndex(documentation_id=document, rag_index_id=other.id)
    assert isinstance(await refused(api, gone), NotFound)
    assert chunk_ids(await index(api, document)) == chunk_ids(first)


async def test_the_overview_counts_what_all_indexes_take(api: ApiClient, wire: AsyncClient) -> None:
    empty = (await wire.get("/v1/convai/knowledge-base/rag-index")).json()
    assert empty == {"total_used_bytes": 0, "total_max_bytes": 1_000_000_000, "models": []}
    one, two = await text(api, content="Open from nine."), await text(api, content="Closed on Sundays.")
    await index(api, one)
    await index(api, two)
    await index(api, two, LARGE)
    overview = (await wire.get("/v1/convai/knowledge-base/rag-index")).json()
    assert_answer(GetRagOverview, 200, overview)
    assert overview == {
        "total_used_bytes": 15 + 2 * 18,
        "total_max_bytes": 1_000_000_000,
        "models": [{"model": LARGE, "used_bytes": 18}, {"model": SMALL, "used_bytes": 15 + 18}],
    }


async def test_a_deleted_document_takes_its_indexes_along(api: ApiClient) -> None:
    document = await text(api, content=LONG)
    await index(api, document)
    await api.send(DeleteDocument(documentation_id=document))
    assert (await api.send(GetRagOverview())).total_used_bytes == 0


async def test_a_document_without_words_has_nothing_to_find(api: ApiClient) -> None:
    found = await index(api, await text(api, content=" \n\n "))
    assert (found.status, found.progress_percentage, chunk_ids(found)) == ("document_too_small", 0.0, [])


async def test_what_is_too_much_for_the_workspace_is_not_indexed(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag_indexes, "MOST_BYTES", 20)
    fits, exceeds = await text(api, content="Open from nine."), await text(api, content="Closed on Sundays.")
    assert (await index(api, fits)).status == "succeeded"
    refused_one = await index(api, exceeds)
    assert (refused_one.status, chunk_ids(refused_one)) == ("rag_limit_exceeded", [])
    assert (await api.send(GetRagOverview())).total_used_bytes == 15
    monkeypatch.undo()
    again = await index(api, exceeds)
    assert (again.id, again.status) == (refused_one.id, "succeeded")
    assert (await api.send(GetRagOverview())).total_used_bytes == 15 + 18


async def test_an_index_that_was_too_much_keeps_no_passages(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    document = await text(api, content="Open from nine.")
    first = await index(api, document)
    monkeypatch.setattr(rag_indexes, "MOST_BYTES", 20)
    assert (await index(api, document, LARGE)).status == "rag_limit_exceeded"
    await api.send(DeleteRagIndex(documentation_id=document, rag_index_id=first.id))
    gone = GetChunk(documentation_id=document, chunk_id=chunk_ids(first)[0])
    assert isinstance(await refused(api, gone), NotFound)
    assert chunk_ids(await index(api, document)) == chunk_ids(first)
