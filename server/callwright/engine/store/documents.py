"""The size of documents in pages, the unit in which the platform counts knowledge when it estimates prices."""

from sqlalchemy import func, select

from ...contract.llms import CHARACTERS_A_PAGE
from ...contract.merge import Json
from ...contract.references import references_in
from ..schema.tables import document
from .transaction import Tx


def pages_of(tx: Tx, agent_document: Json) -> float:
    """Pages of all documents that the configuration names, each counted once, rounded to hundredths."""
    ids = {reference.id for reference in references_in(agent_document) if reference.kind == "document"}
    characters = select(func.coalesce(func.sum(func.length(document.c.content)), 0)).where(
        tx.own(document), document.c.id.in_(ids)
    )
    return round(int(tx.db.execute(characters).scalar_one()) / CHARACTERS_A_PAGE, 2)
