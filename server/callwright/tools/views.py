"""Small result models that several tools share."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """A result: its fields are `structuredContent`, and their rendering is the text."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Deleted(View):
    deleted: str
    name: str
    also: list[str] = []
    """What the deletion changed elsewhere."""


class Page(View):
    """A page of a list. `next_cursor` goes back as `cursor`."""

    has_more: bool = False
    next_cursor: str | None = None
