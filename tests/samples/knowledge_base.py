"""Sample calls of the operations on the knowledge base."""

from callwright.contract.knowledge_base import (
    ComputeRagIndex,
    CreateDocument,
    CreateFileDocument,
    CreateTextDocument,
    CreateUrlDocument,
    DeleteDocument,
    DeleteRagIndex,
    GetChunk,
    GetDocument,
    GetDocumentContent,
    GetRagIndexes,
    GetRagOverview,
    ListDocumentDependents,
    ListDocuments,
    UpdateDocument,
)

from . import plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreateTextDocument,
        tool="create_text_document",
        request={"text": "Open from nine.", "name": "Hours"},
        makes=("documentation_id", "id"),
        sdk=[Sdk(f"{whole.P}.knowledge_base.documents.create_from_text", {"text": "Ö\n\u2028🚲", "name": "é"})],
        calls=[{"text": "x", "name": "n"}],
        phrases=["add this text to the knowledge base"],
    ),
    Sample(
        CreateUrlDocument,
        tool="create_url_document",
        request={"url": "{page}", "name": "Page"},
        sdk=[
            Sdk(
                f"{whole.P}.knowledge_base.documents.create_from_url",
                {"url": "https://example.com/?a=1&b=ü#c", "name": "é"},
            )
        ],
        calls=[{"url": "https://a.example/x", "name": "n"}],
        guarded={"url": {"url": "https://h.example/?said=1"}},
        phrases=["add our web page as a document"],
    ),
    Sample(
        CreateFileDocument,
        tool="create_file_document",
        files={"file": plain.FILE},
        sdk=[Sdk(f"{whole.P}.knowledge_base.documents.create_from_file", {"file": whole.FILE, "name": "Zeiten é"})],
        calls=[{"path": "a.txt", "name": "n"}],
        phrases=["upload a file that agents should know"],
    ),
    Sample(
        CreateDocument,
        files={"file": plain.FILE},
        sdk=[
            Sdk(
                f"{whole.P}.add_to_knowledge_base",
                {"agent_id": whole.A, "name": "Zeiten é", "url": "https://example.com/ü"},
            ),
            Sdk(f"{whole.P}.add_to_knowledge_base", {"agent_id": whole.A, "name": "Zeiten é", "file": whole.FILE}),
        ],
    ),
    Sample(
        ListDocuments,
        tool="list_documents",
        lists="documents",
        sdk=[
            Sdk(
                f"{whole.P}.knowledge_base.list",
                {
                    "page_size": 7,
                    "search": "ä b",
                    "show_only_owned_documents": True,
                    "types": ["url", "text"],
                    "sort_direction": "desc",
                    "sort_by": "updated_at",
                    "use_typesense": False,
                    "cursor": "c",
                },
            )
        ],
        calls=[probing.PAGE | {"search": "a", "type": "url", "own_only": True, "sort_by": "-size"}],
        unreached={"use_typesense": "chooses the hosted platform's search engine, not what is found"},
        phrases=["which documents are there"],
    ),
    Sample(
        GetDocument,
        tool="get_document",
        sdk=[Sdk(f"{whole.P}.knowledge_base.documents.get", {"documentation_id": whole.D, "agent_id": whole.A})],
        read_as={
            "type": "text",
            "id": probing.D,
            "name": "n",
            "metadata": {"created_at_unix_secs": 1, "last_updated_at_unix_secs": 1, "size_bytes": 1},
            "supported_usages": [],
            "access_info": probing.ACCESS,
            "extracted_inner_html": "",
        },
        unreached={"agent_id": "for a key that may see the agent and not the document; this server has one key"},
    ),
    Sample(
        UpdateDocument,
        tool="update_document",
        request={"name": "Opening hours"},
        sdk=[Sdk(f"{whole.P}.knowledge_base.documents.update", {"documentation_id": whole.D, "name": "Öffnung"})],
        calls=[{"document_id": probing.D, "name": "n"}],
        beside_ids={"name": "Mallory"},
        phrases=["rename a document"],
    ),
    Sample(
        DeleteDocument,
        tool="delete_document",
        sdk=[Sdk(f"{whole.P}.knowledge_base.documents.delete", {"documentation_id": whole.D, "force": True})],
        calls=[{"document_id": probing.D, "force": True}],
        phrases=["remove a document for good"],
    ),
    Sample(
        GetDocumentContent,
        tool="get_document_content",
        answers=(200, "text/html; charset=utf-8"),
        sdk=[Sdk(f"{whole.P}.knowledge_base.documents.get_content", {"documentation_id": whole.D})],
        phrases=["read the text of the handbook document"],
    ),
    Sample(
        GetChunk,
        tool="get_document_chunk",
        sdk=[
            Sdk(f"{whole.P}.knowledge_base.documents.chunk.get", {"documentation_id": whole.D, "chunk_id": "chunk_1"})
        ],
    ),
    Sample(
        ListDocumentDependents,
        tool="list_document_agents",
        sdk=[
            Sdk(
                f"{whole.P}.knowledge_base.documents.get_agents",
                {"documentation_id": whole.D, "cursor": "c", "page_size": 2},
            )
        ],
        calls=[probing.PAGE | {"document_id": probing.D}],
        phrases=["which agents know this document"],
    ),
    Sample(
        ComputeRagIndex,
        tool="create_rag_index",
        request={"model": "e5_mistral_7b_instruct"},
        makes=("rag_index_id", "id"),
        sdk=[
            Sdk(
                f"{whole.P}.knowledge_base.document.compute_rag_index",
                {"documentation_id": whole.D, "model": "multilingual_e5_large_instruct"},
            )
        ],
        calls=[{"document_id": probing.D, "model": "e5_mistral_7b_instruct"}],
        phrases=["index the document for retrieval"],
    ),
    Sample(
        GetRagIndexes,
        tool="list_rag_indexes",
        sdk=[Sdk(f"{whole.P}.get_document_rag_indexes", {"documentation_id": whole.D})],
    ),
    Sample(
        DeleteRagIndex,
        tool="delete_rag_index",
        sdk=[Sdk(f"{whole.P}.delete_document_rag_index", {"documentation_id": whole.D, "rag_index_id": "rag_1"})],
    ),
    Sample(
        GetRagOverview,
        tool="get_rag_overview",
        sdk=[Sdk(f"{whole.P}.rag_index_overview")],
        phrases=["how much space do all indexes take"],
    ),
]
