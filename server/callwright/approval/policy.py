"""The approval policy: which tool calls need a person's approval, in the platform's vocabulary.

This module is imported at every start, so it imports little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..settings import Approval, ToolPolicy, Unattended
from .exempt import Exempt

META = "callwright/approval"
TOKEN = "approval_token"  # noqa: S105  (an argument's name)
TOKEN_SCHEMA = {"type": "string", "description": "After the user agreed."}

OWN_NOTES = (
    "describe_config",
    "validate_workflow",
    "get_status",
    "show_approval_policy",
    "list_changes",
    "get_task",
    "cancel_task",
)
"""Tools about this server's own state, which send nothing to the platform: they never need approval."""

ASKING = ("delete", "dial", "grant", "secret")
"""Effects that cannot be undone, reach people, grant access or store secrets."""


@dataclass(frozen=True)
class Caps:
    """Upper bounds that hold even without approval: people rung within 24 hours, and by one batch."""

    calls_a_day: int | None = None
    recipients_a_batch: int | None = None


@dataclass(frozen=True)
class Policy:
    """Mode, exceptions for toolsets and single tools, and the fallback for clients that cannot ask their user.

    An exception for a tool takes precedence over one for its toolset, and that over the mode.
    """

    mode: Approval = "fine-grained"
    tools: Mapping[str, ToolPolicy] = field(default_factory=dict[str, ToolPolicy])
    unattended: Unattended = "person"
    toolsets: Mapping[str, ToolPolicy] = field(default_factory=dict[str, ToolPolicy])
    toolset_of: Mapping[str, str] = field(default_factory=dict[str, str])
    """The toolset of every tool; needed only if `toolsets` has exceptions."""
    carriers: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The tools that are there for an operation (`PATCH /v1/...`); needed only if one of them has an exception."""
    exempt: Exempt = field(default_factory=Exempt)
    caps: Caps = field(default_factory=Caps)

    def of_tool(self, name: str, effect: str) -> ToolPolicy:
        """The policy that the tool list shows for a tool whose strongest effect is `effect`."""
        return self.decided(name, effect)[0]

    def decided(self, name: str, effect: str) -> tuple[ToolPolicy, str]:
        """As `of_tool`, with a text that names the rule that decided."""
        own, rule = self._own(name)
        if own == "disabled":
            return own, rule
        if name in OWN_NOTES:
            return "auto_approved", "it reads only this server's own notes"
        if own is not None:
            return own, rule
        if self.mode == "none":
            return "auto_approved", "mode none: nobody is asked"
        if self.mode == "always-ask":
            return "requires_approval", "mode always-ask: every call asks"
        asks = effect in ASKING
        return "requires_approval" if asks else "auto_approved", f"mode fine-grained: effect {effect}"

    def takes_token(self, name: str, effect: str) -> bool:
        """Whether the tool has the argument `approval_token`."""
        asks = self.of_tool(name, effect) == "requires_approval"
        if self.unattended == "token":
            # A tool that writes may set a guarded path, and then needs approval although its effect does not.
            return asks or (effect != "read" and self._own(name)[0] is None and self.mode != "none")
        return self.unattended == "person" and asks and self._by_token(name, effect)

    def reason(
        self, tool: str, tool_effect: str, op_effect: str, guarded: Sequence[str], operation: str = ""
    ) -> str | None:
        """The reason why this operation of this tool needs approval; None if it needs none.

        Reads inside a writing tool supply the facts of its question, so they run before the question is asked. What a
        rule demands of the tool for this `operation` holds for every other tool that carries it, too.
        """
        for name in self.carriers.get(operation, ()):
            decided, rule = self._own(name)
            if decided == "requires_approval" and name != tool:
                return rule
        own, rule = self._own(tool)
        if own == "auto_approved" or (own is None and self.mode == "none"):
            return None
        judged = op_effect != "read" or tool_effect == "read"
        if judged and (own == "requires_approval" or self.mode == "always-ask"):
            return "every call asks" if own is None else rule
        if op_effect in ASKING:
            return op_effect
        return f"it sets {', '.join(guarded[:5])}" if guarded else None

    def disables(self, tool: str, operation: str) -> str | None:
        """The reason why no tool may carry this operation; None if it may be carried."""
        for name in self.carriers.get(operation, ()):
            decided, rule = self._own(name)
            if decided == "disabled" and name != tool:
                return rule
        return None

    def person_needed(self, tool: str, op_effect: str) -> bool:
        """Whether a person must approve outside the conversation, if the client cannot ask its user."""
        return self.unattended == "person" and not self._by_token(tool, op_effect)

    def _by_token(self, tool: str, effect: str) -> bool:
        return effect == "delete" and self.mode == "fine-grained" and self._own(tool)[0] is None

    def _own(self, tool: str) -> tuple[ToolPolicy | None, str]:
        if (own := self.tools.get(tool)) is not None:
            return own, f"the policy says so for {tool}"
        toolset = self.toolset_of.get(tool, "")
        return self.toolsets.get(toolset), f"the policy says so for the toolset {toolset}"
