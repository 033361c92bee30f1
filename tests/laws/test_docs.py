"""The documents are short where they begin, lead nowhere that is not there, and name only what there is."""

import re
from pathlib import Path

import pytest

from callwright.settings import described

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES, *sorted((ROOT / "examples").rglob("*.md"))]
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))

README_BYTES = 12_000


def prose(text: str) -> str:
    """A document without its blocks of code, in which brackets and hashes mean other things."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(document: Path) -> list[str]:
    """Targets of the links that stay inside the project."""
    found = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(document.read_text(encoding="utf-8")))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(document: Path) -> set[str]:
    """What a link may name after `#`: each heading in small letters, with hyphens for blanks."""
    headings = re.findall(r"^#+ (.+)$", prose(document.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path) -> list[str]:
    """Links whose file or heading is not there."""
    found: list[str] = []
    for target in links(document):
        file, _, anchor = target.partition("#")
        path = document if not file else document.parent / file
        if not path.exists() or (anchor and anchor not in anchors(path)):
            found.append(target)
    return found


def test_the_readme_is_short() -> None:
    assert len(README.read_bytes()) <= README_BYTES


@each_document
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    assert broken(document) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A b, c\n[x](#a-b-c) [y](other.md) [z](#b) [w](https://example.com)\n```\n# d [v](no.md)\n```\n[u](#d)\n"
    )
    assert broken(page) == ["other.md", "#b", "#d"]


def test_the_readme_ends_with_a_list_of_every_page() -> None:
    rest = README.read_text(encoding="utf-8").partition("## Where the rest is\n")[2]
    listed = re.findall(r"^- \[([^\]]+)\]\(([^)]+)\): ", rest, flags=re.MULTILINE)
    assert all(name == target for name, target in listed)
    pages = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {name for name, _ in listed} == pages | {"CONTRIBUTING.md", "CHANGELOG.md"}


@each_document
def test_every_setting_and_script_that_is_named_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    known = {setting["name"] for setting in described()}
    assert set(re.findall(r"\bCALLWRIGHT_[A-Z_]*[A-Z]\b", text)) - known == set()
    scripts = set(re.findall(r"\bscripts/[\w-]+(?:\.\w+)?", text))
    assert {name for name in scripts if not (ROOT / name).exists()} == set()
