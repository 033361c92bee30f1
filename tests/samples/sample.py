"""What a row of the table of sample calls is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callwright.contract.operation import Operation

Json = dict[str, Any]
File = tuple[str | None, bytes, str]
"""Name, content and media type of one part of a form."""


@dataclass(frozen=True)
class Sdk:
    """One call of the platform's own Python SDK 2.23.0, which sends what we send for the same arguments.

    `ours` are arguments that the SDK fills in by itself. `wrapped`: the SDK takes the body as one `request`.
    """

    method: str
    arguments: Json = field(default_factory=dict[str, Any])
    ours: Json = field(default_factory=dict[str, Any])
    wrapped: bool = False
    label: str = ""


@dataclass(frozen=True)
class Sample:
    """An operation and the tool that sends it, as every sweep over the whole surface calls them.

    The rows of one resource stand in the order in which they can be made. An operation that more tools send has a row
    for each: the first is the operation's own, the others hold what is about their tool.
    """

    op: type[Operation[Any]]
    tool: str = ""

    # --- the operation at the wire of the embedded platform
    request: Json | None = None
    """The body. `{name}` in it is the id of what was made before, by the name of the parameter that takes it."""
    files: Mapping[str, File] | None = None
    query: str = ""
    answers: tuple[int, str] | None = None
    """Status and media type, where the answer is not 200 and JSON."""
    makes: tuple[str, ...] | None = None
    """Makes one of its kind for other tests: the parameter that takes its id, and where the answer has it, or nothing."""
    lists: str | None = None
    """Lists all of its kind: the field of the answer that has the rows; empty where the answer itself is the list."""

    # --- the operation beside the platform's own SDK
    sdk: Sequence[Sdk] = ()
    without_sdk: str = ""
    """Why SDK 2.23.0 has no method for it."""
    arguments: Json = field(default_factory=dict[str, Any])
    """Of the operation, where no call of the SDK says them."""

    # --- the tool
    calls: Sequence[Json] = ()
    """Arguments that between them set every declared field of the request (`probing.PROBE`: all fields of a document)."""
    whole_config: Json | None = None
    """Arguments beside a `config` that takes each field of the request by its own name, and no other."""
    read_as: Json | None = None
    """What the platform answers to this read, where other calls depend on it."""
    unreached: Mapping[str, str] = field(default_factory=dict[str, str])
    """Fields of the request that no tool sets, and why."""
    beside_ids: Json = field(default_factory=dict[str, Any])
    """Arguments beside the ids of what it is about, with which it would change what another tenant has."""
    largest: Json = field(default_factory=dict[str, Any])
    """Arguments beside ids and the largest page, with which it has the most to say."""
    guarded: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Arguments with which it carries a guarded path, by its pattern and words that say where it stands.
    See `home` in laws/test_guarded.py."""
    phrases: Sequence[str] = ()
    """What people ask for in their own words, where the search should name this tool first."""
