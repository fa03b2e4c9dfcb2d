"""The chat-model coder with a real small model, served by ``transformers serve`` on loopback.

SmolLM2-135M cannot write a design. The test shows that it reads the whole prompt in time, and that
whatever it answers, a design follows that holds what the person said.
"""

from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.coder import make_coder
from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.fl_coder.protocol import TrainingProblem
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.trials.check import check
from edgewright.tools.federated.trials.prepare import load_card
from edgewright.tools.settings import ChatModelSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
WORDS = "Five clinics have photos of digits. Train in at most 4 rounds."


def test_whatever_a_real_model_answers_a_design_follows_that_holds_the_words(
    served, run: RunFolder
) -> None:
    card = load_card(run)
    settings = ChatModelSettings(
        model=served.model, base_url=f"{served.url}/v1", api_key="local", timeout_s=300
    )
    proposal = make_coder(settings).propose(TrainingProblem(purpose=WORDS, card=card), [])
    assert served.answers() in (1, 2)  # the whole prompt was read in time, perhaps twice
    if proposal.coder == "embedded":
        assert served.answers() == 2  # the first answer and its repair
        assert proposal.note.startswith("The chat model was not used: ")
        promises = read_promises(WORDS, len(card.clients))
        assert broken(proposal.candidate, promises, len(card.clients), None) == ()
        assert check(proposal.candidate, card).faults == ()
    else:
        assert proposal.coder == "chat-model"
