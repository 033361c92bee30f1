"""How a text is cut into passages."""

import pytest

from callwright.engine.knowledge.chunking import LONGEST, OVERLAP, chunks


def cut(text: str) -> list[str]:
    return [passage.text for passage in chunks("doc_1", text)]


def test_short_paragraphs_share_a_passage() -> None:
    assert cut("Open from nine.\r\n\r\nClosed on Sundays.\n \n\nUntil noon.") == [
        "Open from nine.\n\nClosed on Sundays.\n\nUntil noon."
    ]


def test_a_passage_begins_with_the_last_sentences_of_the_one_before() -> None:
    first, second = "One. " * 250 + "The last one counts.", "Two. " * 250
    one, two = cut(f"{first}\n\n{second}")
    assert one == first
    lead, _, rest = two.partition("\n\n")
    assert rest == second.strip()
    assert first.endswith(lead)
    assert lead.endswith("One. The last one counts.")
    assert len(lead) <= OVERLAP


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "word " * 2_000, "A sentence. " * 900, "第一句。" * 2_000, "\n" * 5_000]
)
def test_whatever_the_text_no_passage_is_long_and_nothing_is_lost(text: str) -> None:
    found = cut(text)
    assert all(0 < len(piece) <= LONGEST + OVERLAP + 2 for piece in found)
    assert "".join(piece.split("\n\n")[-1] for piece in found).replace(" ", "") == text.replace(" ", "").strip()


def test_the_same_text_gives_the_same_ids_and_another_document_others() -> None:
    text = "A sentence. " * 900
    ids = [passage.id for passage in chunks("doc_1", text)]
    assert ids == [passage.id for passage in chunks("doc_1", text)]
    assert len({*ids, *(passage.id for passage in chunks("doc_2", text))}) == 2 * len(ids)


def test_repeated_paragraphs_are_passages_of_their_own() -> None:
    ids = [passage.id for passage in chunks("doc_1", "\n\n".join(["Same. " * 240] * 4))]
    assert len(set(ids)) == len(ids) == 4
