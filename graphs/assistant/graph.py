"""The assistant as a graph: understand, plan, then waves of offload and execute, then answer."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START
from langgraph.types import RetryPolicy, TimeoutPolicy

from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.failures import RETRY
from edgewright.graphs.assistant.intake import IntakeBuilder
from edgewright.graphs.assistant.state import AssistantInput, AssistantState
from edgewright.graphs.assistant.steps import OpenShared, Steps, after_plan, next_wave
from edgewright.graphs.services.services import Services
from edgewright.tools.errors import UnavailableError
from edgewright.tools.settings import Settings

#: Maximum number of steps in a turn: four fixed ones, and two for each wave of tasks. Of a wave,
#: this many tasks run at once: a task's deadline counts from its start, so that the last of fifty
#: photographs has as much time as the first.
LIMITS: RunnableConfig = {"recursion_limit": 50, "max_concurrency": 4}


async def _no_services(settings: Settings) -> Services:
    raise UnavailableError(
        "this graph was built for callers that open services themselves; put them into the context",
        code="no_services",
    )


def build_graph(
    open_shared: OpenShared = _no_services,
    *,
    task_timeout_s: float = 620.0,
    retry: RetryPolicy = RETRY,
) -> IntakeBuilder:
    """Build the graph; the caller compiles it with the checkpointer of its choice.

    Args:
        open_shared: Returns services for runs whose context brings none.
        task_timeout_s: Last resort against a branch that hangs. The node enforces the task's own
            deadline (``AssistantContext.deadline_s``), which must be shorter.
        retry: When and how often a call to the node is retried.

    Returns:
        The graph, not compiled.
    """
    timeout = TimeoutPolicy(run_timeout=task_timeout_s)
    steps = Steps(open_shared)
    graph = IntakeBuilder(
        AssistantState, context_schema=AssistantContext, input_schema=AssistantInput
    )
    graph.add_node("understand", steps.understand)
    graph.add_node("plan", steps.plan)
    graph.add_node("train", steps.train)
    graph.add_node(
        "offload",
        steps.offload,
        timeout=timeout,
        retry_policy=retry,
        error_handler=steps.record_outage,
    )
    graph.add_node(
        "execute",
        steps.execute,
        timeout=timeout,
        retry_policy=retry,
        error_handler=steps.record_failure,
    )
    graph.add_node("answer", steps.answer)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "plan")
    graph.add_conditional_edges("plan", after_plan)
    graph.add_edge("train", "offload")
    graph.add_conditional_edges("offload", next_wave, ["execute", "train", "answer"])
    graph.add_edge("execute", "offload")
    graph.add_edge("answer", END)
    return graph
