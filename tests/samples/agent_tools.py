"""Sample calls of the operations on tools of agents."""

from callwright.contract.agent_tools import CreateTool, DeleteTool, GetTool, ListToolDependents, ListTools, UpdateTool

from . import guarding, plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreateTool,
        tool="create_tool",
        request={"tool_config": plain.TOOLS[0]},
        makes=("tool_id", "id"),
        sdk=[Sdk(f"{whole.P}.tools.create", {"tool_config": whole.WEBHOOK}, wrapped=True)],
        calls=[{"name": "crm", "kind": "client", "description": "d", "config": probing.PROBE}],
        guarded={pattern: {"config": config} for pattern, config in guarding.TOOLS.items()},
        phrases=["create a webhook tool that agents call"],
    ),
    Sample(
        ListTools,
        tool="list_tools",
        lists="tools",
        sdk=[Sdk(f"{whole.P}.tools.list")],
        phrases=["which stored tools are there"],
    ),
    Sample(
        GetTool,
        tool="get_tool",
        sdk=[Sdk(f"{whole.P}.tools.get", {"tool_id": whole.T})],
        read_as={
            "id": "tool_1",
            "tool_config": {"type": "client", "name": "crm", "description": "d"},
            "access_info": probing.ACCESS,
            "usage_stats": {"avg_latency_secs": 1},
        },
    ),
    Sample(
        UpdateTool,
        tool="update_tool",
        request={"tool_config": {**plain.TOOLS[0], "description": "Finds a table."}},
        sdk=[Sdk(f"{whole.P}.tools.update", {"tool_id": whole.T, "tool_config": whole.WEBHOOK}, wrapped=True)],
        calls=[{"tool_id": "tool_1", "config": probing.PROBE}],
        beside_ids={"config": {"description": "Mallory"}},
        guarded={pattern: {"tool_id": "tool_4", "config": config} for pattern, config in guarding.TOOLS.items()},
        phrases=["change the url of a tool"],
    ),
    Sample(DeleteTool, tool="delete_tool", sdk=[Sdk(f"{whole.P}.tools.delete", {"tool_id": whole.T})]),
    Sample(
        ListToolDependents,
        tool="list_tool_agents",
        sdk=[Sdk(f"{whole.P}.tools.get_dependent_agents", {"tool_id": whole.T, "cursor": "c", "page_size": 1})],
        calls=[probing.PAGE | {"tool_id": "tool_1"}],
    ),
]
