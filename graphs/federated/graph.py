"""Federated training as a graph: propose, check, approve, train, score, decide, register."""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph

from edgewright.graphs.federated.context import TrainingContext, TrainingServices
from edgewright.graphs.federated.state import FederatedInput, FederatedState
from edgewright.graphs.federated.steps import (
    OpenShared,
    Steps,
    after_check,
    after_decide,
    after_propose,
)
from edgewright.tools.errors import UnavailableError
from edgewright.tools.settings import ChatModelSettings

#: Steps of a run: six for each trial and two for each repair, for the maximum number of trials.
RECURSION_LIMIT = 2000


async def _no_services(chat: ChatModelSettings) -> TrainingServices:
    raise UnavailableError(
        "this graph was built for callers that open services themselves; put them into the context",
        code="no_services",
    )


def build_graph(
    open_shared: OpenShared = _no_services,
) -> StateGraph[FederatedState, TrainingContext, FederatedInput, FederatedState]:
    """Build the graph; the caller compiles it with the checkpointer of its choice.

    Approval needs a checkpointer: it interrupts the run until a person has answered.

    Args:
        open_shared: Returns services for runs whose context brings none.

    Returns:
        The graph, not compiled.
    """
    steps = Steps(open_shared)
    graph = StateGraph(FederatedState, context_schema=TrainingContext, input_schema=FederatedInput)
    graph.add_node("prepare", steps.prepare)
    graph.add_node("propose", steps.propose)
    graph.add_node("check", steps.check)
    graph.add_node("approve", steps.approve)
    graph.add_node("train", steps.train)
    graph.add_node("score", steps.score)
    graph.add_node("decide", steps.decide)
    graph.add_node("register", steps.register)
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "propose")
    graph.add_conditional_edges("propose", after_propose)
    graph.add_conditional_edges("check", after_check)
    graph.add_edge("train", "score")
    graph.add_edge("score", "decide")
    graph.add_conditional_edges("decide", after_decide)
    graph.add_edge("register", END)
    return graph
