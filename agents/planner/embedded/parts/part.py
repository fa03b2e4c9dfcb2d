"""Parts of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

#: What words are for: a task; a condition that has to hold or must not; which images are meant.
Role = Literal["task", "if", "unless", "images"]
#: What a task does: say which kind of thing an image shows, describe it, answer a question, train,
#: repeat an earlier task, something that no card does, or nothing.
Kind = Literal["label", "describe", "ask", "train", "repeat", "other", "nothing"]
#: When a task is done: in any case, where the condition beside it holds, where it does not, never.
State = Literal["always", "if", "else", "not"]

ROLES: tuple[Role, ...] = get_args(Role)
KINDS: tuple[Kind, ...] = get_args(Kind)
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Part:
    """Words of a request that belong together.

    Attributes:
        start: Where they begin in the text.
        end: Where they end.
        role: What they are for.
        kind: What a task does; of other parts it has no meaning.
        state: When a task is done; of other parts it has no meaning.
    """

    start: int
    end: int
    role: Role
    kind: Kind = "other"
    state: State = "always"

    @property
    def is_condition(self) -> bool:
        """Whether tasks depend on it."""
        return self.role in ("if", "unless")

    @property
    def depends(self) -> bool:
        """Whether it is a task that depends on a condition."""
        return self.role == "task" and self.state in ("if", "else")
