"""Documents that come from files and web pages."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from httpx2 import AsyncClient, Response
from inline_snapshot import snapshot
from starlette.requests import Request
from starlette.responses import Response as Answer

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.bounds import Bounds
from callwright.contract.errors import Refused
from callwright.contract.knowledge_base import (
    CreateDocument,
    CreateFileDocument,
    CreateUrlDocument,
    GetDocument,
    GetDocumentContent,
    ListDocumentDependents,
    ListDocuments,
)
from callwright.contract.operation import Blob
from tests.contract.facts import assert_answer
from tests.peers import serving
from tests.transports import Clock, numbered, settings

from .helpers import JSON, agent, dump, knowing, problems, read, refused, text

pytestmark = pytest.mark.anyio

BASE = "/v1/convai/knowledge-base"
HTML = b"<title>Our  hours</title><h1>Hours</h1><script>alert(1)</script><p>Open from <b>nine</b>.</p>"


async def upload(wire: AsyncClient, filename: str, data: bytes, media_type: str = "", **fields: str) -> Response:
    """Send a file as a form, as SDKs and browsers do."""
    file = (filename, data, media_type) if media_type else (filename, data)
    return await wire.post(f"{BASE}/file", files={"file": file}, data=fields)


async def content(api: ApiClient, id: str) -> str:
    return (await api.send(GetDocumentContent(documentation_id=id))).data.decode()


async def nothing_is_kept(api: ApiClient) -> bool:
    return (await api.send(ListDocuments())).documents == []


async def test_a_file_reads_back_with_its_text_and_its_name(api: ApiClient, wire: AsyncClient) -> None:
    made = await upload(wire, "hours.html", HTML, "text/html")
    assert_answer(CreateFileDocument, 200, made.json())
    assert made.json() == {"id": "doc_1", "name": "hours.html"}
    found = dump(await api.send(GetDocument(documentation_id="doc_1")))
    assert_answer(GetDocument, 200, found)
    assert found == snapshot(
        {
            "id": "doc_1",
            "name": "hours.html",
            "metadata": {"created_at_unix_secs": 1800000000, "last_updated_at_unix_secs": 1800000000, "size_bytes": 24},
            "supported_usages": ["prompt", "auto"],
            "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
            "extracted_inner_html": "<p># Hours</p><p>Open from nine.</p>",
            "type": "file",
            "filename": "hours.html",
        }
    )
    assert await content(api, "doc_1") == "# Hours\n\nOpen from nine."
    [row] = dump(await api.send(ListDocuments(types=["file"])))["documents"]
    assert row["id"] == "doc_1"


async def test_the_api_layer_sends_the_same_form(api: ApiClient) -> None:
    blob = Blob("application/octet-stream", "Grüße\n".encode("utf-8-sig"), "notes.md")
    made = await api.send(CreateFileDocument(file=blob, name="Notes"))
    assert (made.name, await content(api, made.id)) == ("Notes", "Grüße\n")


KINDS: dict[str, tuple[str, bytes, str, str]] = {
    "plain text": ("a.txt", b"words", "text/plain", "words"),
    "Markdown by its ending": ("a.MD", b"# words", "", "# words"),
    "Markdown by its type": ("a", b"# words", "text/markdown; charset=utf-8", "# words"),
    "HTML called plain": ("a.htm", b"<p>words", "text/plain", "words"),
    "UTF-16": ("a.txt", "wörds".encode("utf-16"), "text/plain", "wörds"),
    "a page that names its encoding": (
        "a.html",
        '<meta charset="iso-8859-1"><p>wörds'.encode("iso-8859-1"),
        "text/html",
        "wörds",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_text_markdown_and_html_are_read(api: ApiClient, wire: AsyncClient, kind: str) -> None:
    name, data, media_type, words = KINDS[kind]
    made = await upload(wire, name, data, media_type)
    assert await content(api, made.json()["id"]) == words


UNREAD: dict[str, tuple[str, bytes, str, str]] = {
    "a PDF": (
        "a.pdf",
        b"%PDF-1.7",
        "application/pdf",
        snapshot(
            "This kind of file (PDF) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first."
        ),
    ),
    "a PDF that is called text": (
        "a.txt",
        b"%PDF-1.7",
        "text/plain",
        snapshot(
            "This kind of file (PDF) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first."
        ),
    ),
    "a zipped office file": (
        "a.docx",
        b"PK\x03\x04",
        "",
        snapshot(
            "This kind of file (zip, as office files are) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first."
        ),
    ),
    "nothing known": (
        "a",
        b"words",
        "",
        snapshot(
            "This kind of file (unknown) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first."
        ),
    ),
    "an image": (
        "a.png",
        b"\x89PNG",
        "image/png",
        snapshot(
            "This kind of file (image/png) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first."
        ),
    ),
    "bytes": (
        "a.txt",
        b"a\0b",
        "text/plain",
        snapshot("This is no text. Read are plain text (.txt), Markdown (.md) and HTML (.html)."),
    ),
    "another encoding": (
        "a.txt",
        "wörds".encode("iso-8859-1"),
        "text/plain",
        snapshot("Its text cannot be read as UTF-8. Save it as UTF-8."),
    ),
    "no text": (
        "a.txt",
        b" \n",
        "text/plain",
        snapshot("There is no text in it. (Pages that a script fills show none either.)"),
    ),
    "a page of scripts": (
        "a.html",
        b"<script>x</script>",
        "text/html",
        snapshot("There is no text in it. (Pages that a script fills show none either.)"),
    ),
    "an encoding that is none": (
        "a.html",
        b"<meta charset=hex>616263",
        "text/html",
        snapshot("Its text cannot be read as HEX. Save it as UTF-8."),
    ),
}


@pytest.mark.parametrize("kind", UNREAD)
async def test_what_is_not_read_is_refused_in_words(api: ApiClient, wire: AsyncClient, kind: str) -> None:
    name, data, media_type, words = UNREAD[kind]
    answer = await upload(wire, name, data, media_type)
    assert (answer.status_code, answer.json()["detail"]["message"]) == (400, words)
    assert await nothing_is_kept(api)


async def test_a_files_name_is_only_a_name(wire: AsyncClient, api: ApiClient) -> None:
    made = (await upload(wire, "..\\..\\etc/pass\u202ewd.txt", b"words", "text/plain")).json()
    assert made["name"] == "pass wd.txt"
    assert dump(await api.send(GetDocument(documentation_id=made["id"])))["filename"] == "pass wd.txt"


async def test_a_form_without_a_file_is_refused(api: ApiClient, wire: AsyncClient) -> None:
    assert problems(await wire.post(f"{BASE}/file", data={"name": "n"})) == snapshot(["body.file: Field required"])
    assert problems(await wire.post(f"{BASE}/file", json={"file": "words"})) == snapshot(["body.file: Field required"])
    nul = await upload(wire, "a.txt", b"words", "text/plain", name="a\0b")
    assert problems(nul) == snapshot(["body.name: A text has no NUL characters"])
    broken = await wire.post(f"{BASE}/file", content=b"x", headers={"content-type": "multipart/form-data"})
    assert (broken.status_code, broken.json()["detail"]["message"]) == snapshot((400, "Missing boundary in multipart."))
    assert await nothing_is_kept(api)


async def test_a_file_that_is_too_large_is_refused_while_it_arrives(api: ApiClient, wire: AsyncClient) -> None:
    answer = await upload(wire, "a.txt", b"x" * (31 * 1024 * 1024), "text/plain")
    assert (answer.status_code, answer.json()["detail"]["message"]) == (413, "The body is larger than 30 MB.")
    assert await nothing_is_kept(api)


async def test_the_agents_that_use_a_document_are_listed_page_by_page(api: ApiClient, wire: AsyncClient) -> None:
    document = await text(api)
    users = [await agent(api, knowing(document), name=name) for name in ("Ada", "Bob", "Cleo")]
    path = f"{BASE}/{document}/dependent-agents"
    first = (await wire.get(path, params={"page_size": 2})).json()
    second = (await wire.get(path, params={"page_size": 2, "cursor": first["next_cursor"]})).json()
    for page in (first, second):
        assert_answer(ListDocumentDependents, 200, page)
    assert [row["id"] for row in (*first["agents"], *second["agents"])] == users
    assert (second["has_more"], second["next_cursor"]) == (False, None)


# --- web pages

PAGES: dict[str, Answer] = {
    "/hours": Answer(HTML, media_type="text/html"),
    "/untitled": Answer("<p>words", media_type="text/html"),
    "/latin": Answer("wörds".encode("iso-8859-1"), headers={"content-type": "text/plain; charset=iso-8859-1"}),
    "/moved": Answer(status_code=301, headers={"location": "/hours?a=1"}),
    "/inside": Answer(status_code=302, headers={"location": "http://169.254.169.254/latest"}),
    "/gone": Answer("<p>gone", 404),
    "/pdf": Answer(b"%PDF-1.7", media_type="application/pdf"),
    "/empty": Answer("", media_type="text/html"),
    "/zipped": Answer(b"x", headers={"content-encoding": "gzip", "content-type": "text/plain"}),
    "/large": Answer(b"x" * (10 * 1024 * 1024 + 1), media_type="text/plain"),
}


@pytest.fixture
async def site() -> AsyncGenerator[tuple[str, list[str]]]:
    """A web site, and the paths that it was asked for."""
    asked: list[str] = []

    async def serve(scope: JSON, receive: object, send: object) -> None:
        request = Request(scope)
        asked.append(request.url.path)
        assert "authorization" not in request.headers
        await PAGES[request.url.path](scope, receive, send)  # pyright: ignore[reportArgumentType]

    async with serving(serve) as url:
        yield url, asked


@pytest.fixture
async def opened(tmp_path: Path, clock: Clock) -> AsyncGenerator[ApiClient]:
    """An embedded platform that may read pages of this machine."""
    app = App(settings(tmp_path / "opened", allow_private=("127.0.0.1",)), "embedded", clock=clock, ids=numbered())
    yield await app.api()
    await app.close()


def page(url: str, name: str | None = None) -> CreateUrlDocument:
    return CreateUrlDocument.model_validate({"url": url} | ({"name": name} if name else {}))


async def test_a_page_is_read_once_and_kept_as_text(opened: ApiClient, site: tuple[str, list[str]]) -> None:
    url, asked = site
    made = await opened.send(page(f"{url}/hours"))
    assert (made.id, made.name) == ("doc_1", "Our hours")
    assert await content(opened, made.id) == "# Hours\n\nOpen from nine."
    found = dump(await opened.send(GetDocument(documentation_id=made.id)))
    assert_answer(GetDocument, 200, found)
    assert (found["type"], found["url"], found.get("filename")) == ("url", f"{url}/hours", None)
    assert asked == ["/hours"]


async def test_a_page_is_named_by_the_caller_its_title_or_its_address(
    opened: ApiClient, site: tuple[str, list[str]]
) -> None:
    url, _ = site
    assert (await opened.send(page(f"{url}/hours", "Hours"))).name == "Hours"
    untitled = await opened.send(page(f"{url}/untitled"))
    assert untitled.name == f"{url}/untitled".removeprefix("http://")
    assert await content(opened, (await opened.send(page(f"{url}/latin"))).id) == "wörds"


FAILING: dict[str, str] = {
    "/moved": snapshot(
        "The page sends its readers on to SITE/hours?a=1. Give that address, if it is the one you mean."
    ),
    "/inside": snapshot(
        "The page sends its readers on to http://169.254.169.254/latest. Give that address, if it is the one you mean."
    ),
    "/gone": snapshot("The page answers 404."),
    "/pdf": snapshot(
        "This kind of file (PDF) is not read. Read are plain text (.txt), Markdown (.md) and HTML (.html); convert it first."
    ),
    "/empty": snapshot("There is no text in it. (Pages that a script fills show none either.)"),
    "/zipped": snapshot("The page cannot be read (DecodingError)."),
    "/large": snapshot("The page is larger than 10 MB."),
}


@pytest.mark.parametrize("path", FAILING)
async def test_a_page_that_gives_no_text_says_why(opened: ApiClient, site: tuple[str, list[str]], path: str) -> None:
    url, asked = site
    error = await refused(opened, page(f"{url}{path}"))
    assert error.status == 400
    assert str(error).replace(url, "SITE") == FAILING[path]
    assert asked == [path]
    assert await nothing_is_kept(opened)


async def test_a_page_inside_is_refused_with_the_guards_words(api: ApiClient, site: tuple[str, list[str]]) -> None:
    url, asked = site
    error = await refused(api, page(f"{url}/hours"))
    assert (error.status, str(error)) == snapshot(
        (
            400,
            "127.0.0.1 leads into a private network or to this machine. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE.",
        )
    )
    assert str(await refused(api, page("ftp://example.com/x"))) == snapshot(
        "An address starts with https:// and a host."
    )
    assert asked == []


async def test_a_server_that_sets_no_outside_address_reads_no_page(api: ApiClient, site: tuple[str, list[str]]) -> None:
    url, asked = site
    bounded = ApiClient("http://embedded", transport=api._http._transport, bounds=Bounds(no_outbound=True))  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(Refused, match="no-outbound"):
        await bounded.send(page(f"{url}/hours"))
    with pytest.raises(Refused, match="no-outbound"):
        await bounded.send(CreateDocument.model_validate({"url": f"{url}/hours"}))
    file = Blob("text/plain", b"words", "a.txt")
    assert (await bounded.send(CreateDocument.model_validate({"file": file}))).name == "a.txt"
    assert asked == []


async def test_the_older_way_adds_the_document_to_an_agent_too(opened: ApiClient, site: tuple[str, list[str]]) -> None:
    url, _ = site
    ada = await agent(opened)
    file = Blob("text/plain", b"words", "a.txt")
    made = await opened.send(CreateDocument.model_validate({"file": file, "name": "Words", "agent_id": ada}))
    linked = await opened.send(CreateDocument.model_validate({"url": f"{url}/hours", "agent_id": ada}))
    known = (await read(opened, ada))["conversation_config"]["agent"]["prompt"]["knowledge_base"]
    assert known == [
        {"type": "file", "name": "Words", "id": made.id, "usage_mode": "auto"},
        {"type": "url", "name": "Our hours", "id": linked.id, "usage_mode": "auto"},
    ]
    users = dump(await opened.send(ListDocumentDependents(documentation_id=linked.id)))["agents"]
    assert [user["id"] for user in users] == [ada]


async def test_the_older_way_takes_one_source_for_an_agent_that_exists(api: ApiClient, wire: AsyncClient) -> None:
    assert problems(await wire.post(BASE, files={"name": (None, "n")})) == snapshot(
        ["body: Value error, give either a url or a file"]
    )
    missing = await wire.post(f"{BASE}?agent_id=agent_no", files={"file": ("a.txt", b"words", "text/plain")})
    assert (missing.status_code, missing.json()["detail"]["message"]) == snapshot(
        (404, "No agent 'agent_no'. GET /v1/convai/agents lists them.")
    )
    nobody = await wire.post(f"{BASE}?agent_id=", files={"file": ("a.txt", b"words", "text/plain")})
    assert nobody.status_code == 200
    assert len((await api.send(ListDocuments())).documents) == 1
