"""The assistant as a graph: understand, plan, then waves of offload and execute, then answer."""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, TimeoutPolicy

from edgewright.graphs.assistant.context import Context
from edgewright.graphs.assistant.failures import RETRY
from edgewright.graphs.assistant.nodes import (
    after_plan,
    answer,
    execute,
    next_wave,
    offload,
    plan,
    record_failure,
    record_outage,
    train,
    understand,
)
from edgewright.graphs.assistant.state import AssistantInput, AssistantState

#: Steps of one turn: four fixed ones and two for each wave of a plan's tasks.
RECURSION_LIMIT = 50


def build_graph(
    *, task_timeout_s: float = 620.0, retry: RetryPolicy = RETRY
) -> StateGraph[AssistantState, Context, AssistantInput, AssistantState]:
    """Build the graph; the caller compiles it with the checkpointer of its choice.

    Args:
        task_timeout_s: Last resort against a branch that hangs. The node keeps the task's own
            deadline (``Context.deadline_s``), which must be shorter.
        retry: When and how often the node is asked again.

    Returns:
        The graph, not compiled.
    """
    timeout = TimeoutPolicy(run_timeout=task_timeout_s)
    graph = StateGraph(AssistantState, context_schema=Context, input_schema=AssistantInput)
    graph.add_node("understand", understand)
    graph.add_node("plan", plan)
    graph.add_node("train", train)
    graph.add_node(
        "offload", offload, timeout=timeout, retry_policy=retry, error_handler=record_outage
    )
    graph.add_node(
        "execute", execute, timeout=timeout, retry_policy=retry, error_handler=record_failure
    )
    graph.add_node("answer", answer)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "plan")
    graph.add_conditional_edges("plan", after_plan)
    graph.add_edge("train", "offload")
    graph.add_conditional_edges("offload", next_wave, ["execute", "answer"])
    graph.add_edge("execute", "offload")
    graph.add_edge("answer", END)
    return graph


#: For ``langgraph dev`` and other servers, which bring their own checkpointer.
graph = build_graph().compile(name="assistant").with_config(recursion_limit=RECURSION_LIMIT)
