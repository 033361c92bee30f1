"""The rules of documents."""

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.errors import NotFound
from callwright.contract.knowledge_base import (
    CreateTextDocument,
    DeleteDocument,
    GetDocument,
    GetDocumentContent,
    ListDocuments,
    UpdateDocument,
)
from tests.transports import Clock

from .helpers import JSON, agent, dump, knowing, problems, read, refused, text, workflow

pytestmark = pytest.mark.anyio

BASE = "/v1/convai/knowledge-base"


async def test_a_text_document_reads_back_as_it_was_created(api: ApiClient) -> None:
    words = "Open from nine.\n\n<b>Closed</b> on Sundays & holidays: café."
    made = await text(api, "Hours", words)
    assert dump(await api.send(GetDocument(documentation_id=made))) == snapshot(
        {
            "id": "doc_1",
            "name": "Hours",
            "metadata": {"created_at_unix_secs": 1800000000, "last_updated_at_unix_secs": 1800000000, "size_bytes": 60},
            "supported_usages": ["prompt", "auto"],
            "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
            "extracted_inner_html": "<p>Open from nine.</p><p>&lt;b&gt;Closed&lt;/b&gt; on Sundays &amp; holidays: café.</p>",
            "type": "text",
        }
    )
    content = await api.send(GetDocumentContent(documentation_id=made))
    assert (content.media_type, content.data.decode()) == ("text/html", words)
    assert dump(await api.send(ListDocuments())) == snapshot(
        {
            "documents": [
                {
                    "id": "doc_1",
                    "name": "Hours",
                    "metadata": {
                        "created_at_unix_secs": 1800000000,
                        "last_updated_at_unix_secs": 1800000000,
                        "size_bytes": 60,
                    },
                    "supported_usages": ["prompt", "auto"],
                    "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
                    "dependent_agents": [],
                    "type": "text",
                }
            ],
            "next_cursor": None,
            "has_more": False,
        }
    )


@pytest.mark.parametrize(
    ("content", "name"), [("\n\n# Opening hours \nNine.", "Opening hours"), ("", "Text"), ("x" * 200, "x" * 60)]
)
async def test_a_text_without_a_name_is_named_by_its_first_line(api: ApiClient, content: str, name: str) -> None:
    assert (await api.send(CreateTextDocument(text=content))).name == name


async def test_a_renamed_document_is_found_by_its_new_name(api: ApiClient, clock: Clock) -> None:
    made = await text(api, "Hours")
    clock.forward(seconds=5)
    answer = await api.send(UpdateDocument(documentation_id=made, name="Öffnungszeiten"))
    assert answer == await api.send(GetDocument(documentation_id=made))
    assert dump(answer)["metadata"]["last_updated_at_unix_secs"] == clock.ms // 1000
    assert [d["id"] for d in dump(await api.send(ListDocuments(search="öffnung")))["documents"]] == [made]
    assert dump(await api.send(ListDocuments(search="Hours")))["documents"] == []


async def test_documents_are_listed_by_type_and_search(api: ApiClient, wire: AsyncClient) -> None:
    a, b = await text(api, "100% wool"), await text(api, "100 wool")
    for query, found in {
        "types=text&types=file": [b, a],
        "types=text": [b, a],
        "types=url": [],
        "types=url&types=file": [],
        "search=100%25": [a],
        "search=WOOL&sort_by=name&sort_direction=asc": [b, a],
        "newer_parameter=1&newer_parameter=2": [b, a],
    }.items():
        answer = await wire.get(f"{BASE}?{query}")
        assert [row["id"] for row in answer.json()["documents"]] == found, query


async def test_deleting_a_document_in_use_names_the_agents(api: ApiClient) -> None:
    made = await text(api)
    ada, bob = await agent(api, knowing(made), name="Ada"), await agent(api, knowing(made), name="Bob")
    node: JSON = {
        "type": "override_agent",
        "label": "n",
        "additional_knowledge_base": [{"type": "text", "name": "H", "id": made}],
    }
    cleo = await agent(api, workflow=workflow(node), name="Cleo")
    error = await refused(api, DeleteDocument(documentation_id=made))
    assert (error.status, error.code, str(error)) == snapshot(
        (
            400,
            "document_in_use",
            "Document 'Handbook' is used by 'Ada' (agent_2), 'Bob' (agent_3), 'Cleo' (agent_4). Take it out there first, or delete it with force=true.",
        )
    )
    [row] = dump(await api.send(ListDocuments()))["documents"]
    assert [user["id"] for user in row["dependent_agents"]] == [ada, bob, cleo]
    assert row["dependent_agents"][0] == snapshot(
        {
            "id": "agent_2",
            "name": "Ada",
            "type": "available",
            "created_at_unix_secs": 1800000000,
            "access_level": "admin",
        }
    )


async def test_a_forced_delete_takes_the_document_out_of_its_agents(api: ApiClient) -> None:
    made, other = await text(api), await text(api, "Prices")
    locators = [{"type": "text", "name": "n", "id": id} for id in (made, other)]
    node: JSON = {"type": "override_agent", "label": "n", "additional_knowledge_base": locators}
    ada = await agent(api, {"agent": {"prompt": {"knowledge_base": locators}}}, workflow=workflow(node))
    assert dump(await api.send(DeleteDocument(documentation_id=made, force=True))) == {}
    after = await read(api, ada)
    assert [d["id"] for d in after["conversation_config"]["agent"]["prompt"]["knowledge_base"]] == [other]
    assert [d["id"] for d in after["workflow"]["nodes"]["n"]["additional_knowledge_base"]] == [other]
    assert isinstance(await refused(api, GetDocument(documentation_id=made)), NotFound)
    [row] = dump(await api.send(ListDocuments()))["documents"]
    assert [user["id"] for user in row["dependent_agents"]] == [ada]


async def test_a_document_whose_agent_is_gone_can_be_deleted(api: ApiClient, wire: AsyncClient) -> None:
    made = await text(api)
    ada = await agent(api, knowing(made))
    assert (await wire.request("DELETE", f"/v1/convai/agents/{ada}")).status_code == 200
    await api.send(DeleteDocument(documentation_id=made))
    assert dump(await api.send(ListDocuments()))["documents"] == []


async def test_a_document_needs_text_that_can_be_stored(wire: AsyncClient) -> None:
    assert problems(await wire.post(f"{BASE}/text", json={"name": "n"})) == ["body.text: Field required"]
    assert problems(await wire.post(f"{BASE}/text", content=b'{"text": "a\\u0000b"}')) == snapshot(
        ["body.text: A text has no NUL characters"]
    )
    half = await wire.post(f"{BASE}/text", content=b'{"text": "\\ud83d"}')
    assert [problem.split(":")[0] for problem in problems(half)] == ["body"]
