# pyright: basic
"""Documents: from a text, a file, a page; their passages; who uses them."""

from .sdk import Sdk

MODEL = "e5_mistral_7b_instruct"
HOURS = "Bicycles are repaired on Mondays. " * 30


def sweep(sdk: Sdk) -> None:
    text = sdk.call("knowledge_base.documents.create_from_text", text=HOURS, name="Hours").id
    documents(sdk, text)
    indexes(sdk, text)
    refusals(sdk, text)
    users(sdk, text)


def documents(sdk: Sdk, text: str) -> None:
    markdown = ("prices.md", b"# Prices\n\nA tyre costs 30 pounds.", "text/markdown")
    file = sdk.call("knowledge_base.documents.create_from_file", file=markdown).id
    page = sdk.call("knowledge_base.documents.create_from_url", url=f"{sdk.peer}/page").id
    older = sdk.call("add_to_knowledge_base", name="Older way", file=("note.txt", b"We also sell bells.", "text/plain"))
    for what, each in (("text", text), ("file", file), ("page", page), ("file of the older way", older.id)):
        got = sdk.call("knowledge_base.documents.get", each)
        sdk.saw(f"a {what}", [got.type, got.name, got.extracted_inner_html[:33]])
    sdk.call("knowledge_base.documents.get_content", file)
    sdk.saw("the content of a file", sdk.text())
    sdk.saw("a renamed document", sdk.call("knowledge_base.documents.update", page, name="Our page").name)
    listed = sdk.call("knowledge_base.list", types=["file", "url"], sort_by="name", sort_direction="asc")
    sdk.saw("files and pages by name", [row.name for row in listed.documents])
    first = sdk.call("knowledge_base.list", page_size=1)
    sdk.call("knowledge_base.list", page_size=1, cursor=first.next_cursor)
    for each in (file, page, older.id):
        sdk.call("knowledge_base.documents.delete", each)
    sdk.saw("documents once deleted", [row.name for row in sdk.call("knowledge_base.list").documents])


def indexes(sdk: Sdk, text: str) -> None:
    sdk.refused("knowledge_base.documents.chunk.get", text, "chunk_no")
    index = sdk.call("knowledge_base.document.compute_rag_index", text, model=MODEL)
    sdk.saw("an index", [index.status, index.progress_percentage])
    passage = sdk.call("knowledge_base.documents.chunk.get", text, index.chunk_ids[0])
    sdk.saw("a passage", passage.content[:33])
    sdk.saw("indexes", len(sdk.call("get_document_rag_indexes", text).indexes))
    sdk.saw("bytes in all indexes", sdk.call("rag_index_overview").total_used_bytes)
    sdk.refused("delete_document_rag_index", text, "ragindex_no")
    sdk.refused("knowledge_base.document.compute_rag_index", text, model=7)
    sdk.call("delete_document_rag_index", text, index.id)
    sdk.saw("indexes once deleted", sdk.call("get_document_rag_indexes", text).indexes)


def users(sdk: Sdk, text: str) -> None:
    knowing = {"knowledge_base": [{"type": "text", "name": "Hours", "id": text, "usage_mode": "auto"}]}
    ada = sdk.call("agents.create", name="Ada", conversation_config={"agent": {"prompt": knowing}}).agent_id
    sdk.saw("agents that know it", [each.name for each in sdk.call("knowledge_base.documents.get_agents", text).agents])
    sdk.saw("agents in the list", [each.name for each in sdk.call("knowledge_base.list").documents[0].dependent_agents])
    sdk.saw("pages that Ada knows", sdk.call("agents.knowledge_base.size", ada).number_of_pages > 0)
    sdk.refused("knowledge_base.documents.delete", text)
    sdk.call("knowledge_base.documents.delete", text, force=True)
    sdk.saw("what Ada knows then", sdk.call("agents.get", ada).conversation_config.agent.prompt.knowledge_base)
    sdk.call("agents.delete", ada)


def refusals(sdk: Sdk, text: str) -> None:
    for url in (
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "http://example.com/",
        "ftp://example.com/",
        f"{sdk.peer}/nowhere",
        f"{sdk.peer}/elsewhere",
    ):
        sdk.refused("knowledge_base.documents.create_from_url", url=url)
    sdk.refused("add_to_knowledge_base", url="https://wiki.internal/")
    sdk.refused("add_to_knowledge_base", name="Neither a page nor a file")
    sdk.refused("knowledge_base.documents.create_from_file", file=("a.pdf", b"%PDF-1.7", "application/pdf"))
    sdk.refused("knowledge_base.documents.create_from_file", file=("empty.txt", b"", "text/plain"))
    sdk.refused("knowledge_base.documents.create_from_text", text=None, name="Nothing")
    sdk.refused("knowledge_base.list", page_size=101)
    sdk.refused("knowledge_base.list", cursor="of-another-list")
    sdk.refused("knowledge_base.documents.update", text, name=7)
