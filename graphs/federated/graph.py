"""Federated training as a graph: propose, check, approve, train, score, decide, register."""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph

from edgewright.graphs.federated.context import TrainingContext
from edgewright.graphs.federated.nodes import (
    after_check,
    after_decide,
    after_propose,
    approve,
    check,
    decide,
    prepare,
    propose,
    register,
    score,
    train,
)
from edgewright.graphs.federated.state import FederatedInput, FederatedState

#: Steps of a run: six for each trial and two for each repair, of as many trials as may be set.
RECURSION_LIMIT = 2000


def build_graph() -> StateGraph[FederatedState, TrainingContext, FederatedInput, FederatedState]:
    """Build the graph; the caller compiles it with the checkpointer of its choice.

    Approval needs a checkpointer: it interrupts the run until a person has answered.
    """
    graph = StateGraph(FederatedState, context_schema=TrainingContext, input_schema=FederatedInput)
    graph.add_node("prepare", prepare)
    graph.add_node("propose", propose)
    graph.add_node("check", check)
    graph.add_node("approve", approve)
    graph.add_node("train", train)
    graph.add_node("score", score)
    graph.add_node("decide", decide)
    graph.add_node("register", register)
    graph.add_edge(START, "prepare")
    graph.add_edge("prepare", "propose")
    graph.add_conditional_edges("propose", after_propose)
    graph.add_conditional_edges("check", after_check)
    graph.add_edge("train", "score")
    graph.add_edge("score", "decide")
    graph.add_conditional_edges("decide", after_decide)
    graph.add_edge("register", END)
    return graph


#: For ``langgraph dev`` and other servers, which bring their own checkpointer.
graph = build_graph().compile(name="federated").with_config(recursion_limit=RECURSION_LIMIT)
