"""Guides from one source in two forms: MCP prompts that a person picks, and skills that a client loads by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LONGEST_ARGUMENT = 4_000


class WrongArguments(ValueError):
    """The arguments of a prompt are unknown or too long, or a required one is missing."""


@dataclass(frozen=True)
class Argument:
    name: str
    description: str
    required: bool = False


@dataclass(frozen=True)
class Guide:
    """One guide. `name`: of the prompt; the skill, and the folder in `library/`, have the same name with hyphens."""

    name: str
    title: str
    arguments: tuple[Argument, ...]

    @property
    def skill(self) -> str:
        return self.name.replace("_", "-")

    def prompt(self, given: Mapping[str, str]) -> str:
        """The text of the prompt: the given arguments, then the guide. Raises WrongArguments."""
        known = {argument.name for argument in self.arguments}
        if strangers := sorted(set(given) - known):
            raise WrongArguments(f"Prompt {self.name} has no argument {strangers[0]!r}; it has: {', '.join(known)}.")
        if missing := [a.name for a in self.arguments if a.required and not given.get(a.name, "").strip()]:
            raise WrongArguments(f"Prompt {self.name} needs {', '.join(missing)}.")
        if long := [name for name, value in given.items() if len(value) > LONGEST_ARGUMENT]:
            raise WrongArguments(f"{long[0]} is longer than {LONGEST_ARGUMENT:,} characters.")
        facts = [f"- {name}: {given[name].strip()}" for name in (a.name for a in self.arguments) if given.get(name)]
        return "\n".join(["This time:", *facts, "", body_of(self)] if facts else [body_of(self)])


def _agent(*, required: bool = True) -> Argument:
    return Argument("agent_id", "Id of the agent.", required)


GUIDES = (
    Guide(
        "build_agent",
        "Build an agent from a goal",
        (
            Argument("goal", "What it is for, and who calls.", required=True),
            Argument("document_id", "A document that it must know, if there is one already."),
            Argument("language", "Language of the callers, as en or de."),
        ),
    ),
    Guide(
        "improve_agent",
        "Improve an agent from failed conversations",
        (_agent(), Argument("goal", "What should get better.")),
    ),
    Guide(
        "debug_conversation",
        "Debug one conversation",
        (
            Argument("conversation_id", "Id of the conversation.", required=True),
            Argument("question", "What seemed wrong."),
        ),
    ),
    Guide(
        "write_tests",
        "Write tests from conversations",
        (_agent(), Argument("conversation_id", "A conversation to begin with.")),
    ),
    Guide("launch_checklist", "Check an agent before its launch", (_agent(),)),
    Guide("weekly_report", "Report on a week of conversations", (_agent(required=False),)),
    Guide(
        "migrate_agent",
        "Migrate an agent between platforms",
        (_agent(), Argument("target", "Where to: hosted or embedded.")),
    ),
)
BY_NAME = {guide.name: guide for guide in GUIDES}


@cache
def text_of(guide: Guide) -> str:
    """The whole SKILL.md of a guide."""
    return files("callwright.mcp_server").joinpath("library", guide.skill, "SKILL.md").read_text(encoding="utf-8")


def description_of(guide: Guide) -> str:
    """The description in the front matter of a guide."""
    lines = text_of(guide).split("---\n", 2)[1].splitlines()
    return next(line.removeprefix("description: ") for line in lines if line.startswith("description: "))


def body_of(guide: Guide) -> str:
    return text_of(guide).split("---\n", 2)[2].strip()
