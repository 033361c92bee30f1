"""Guides as skills: `skills/list` and `skills/get` of the extension io.modelcontextprotocol/skills.

Clients of the newest protocol revision load them by themselves when a task fits; the others have the prompts.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, PaginatedRequestParams, RequestParams

from .prompts import GUIDES, Guide, description_of, text_of

FRESH_MS = 300_000
_REVISIONS = frozenset({"2026-07-28"})
MARK: dict[str, Any] = {"resultType": "complete", "ttlMs": FRESH_MS, "cacheScope": "public"}


class SkillParams(RequestParams):
    uri: str


class Skills(Extension):
    identifier = "io.modelcontextprotocol/skills"

    def settings(self) -> dict[str, Any]:
        return {}

    def methods(self) -> Sequence[MethodBinding]:
        return [
            MethodBinding("skills/list", PaginatedRequestParams, _listed, _REVISIONS),
            MethodBinding("skills/get", SkillParams, _one, _REVISIONS),
        ]


def uri_of(guide: Guide) -> str:
    return f"skill://{guide.skill}/SKILL.md"


def guide_at(uri: str) -> Guide | None:
    return next((guide for guide in GUIDES if uri_of(guide) == uri), None)


async def _listed(_: Any, __: PaginatedRequestParams) -> dict[str, Any]:
    return MARK | {"skills": [_entry(guide) for guide in GUIDES]}


async def _one(_: Any, params: SkillParams) -> dict[str, Any]:
    guide = guide_at(params.uri)
    if guide is None:
        raise MCPError(code=INVALID_PARAMS, message="Unknown skill; skills/list names them.", data={"uri": params.uri})
    return MARK | {"skill": _entry(guide)}


def _entry(guide: Guide) -> dict[str, Any]:
    raw = text_of(guide).encode()
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    return {
        "uri": uri_of(guide),
        "frontmatter": {"name": guide.skill, "description": description_of(guide)},
        "resources": [{"uri": uri_of(guide), "digest": digest, "size": len(raw)}],
    }
