"""The in-process grid: runs Flower apps without network or serialisation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.common.constant import SUPERLINK_NODE_ID, ErrorCode
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

#: Node ids in the order of partitions; Flower reserves 0 and 1.
_FIRST_NODE = 2
_RUN = 1


class InProcessGrid(Grid):
    """Passes each message to the ClientApp directly and returns its reply.

    Replies are produced one at a time, so that only one is in memory.

    Args:
        app: The ClientApp.
        clients: Number of clients; client ``i`` has partition id ``i``.
        run_config: The app's settings.
        on_error: Called with exceptions of the ClientApp; replies contain only their type.
    """

    def __init__(
        self,
        app: ClientApp,
        clients: int,
        run_config: Mapping[str, str | int | float | bool],
        *,
        on_error: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._app = app
        self._on_error = on_error
        self._run = Run.create_empty(run_id=_RUN)
        # Flower labels every message with the identity of the process's task.
        TaskIdentity.task_id = TaskIdentity.run_id = _RUN
        TaskIdentity.node_id = SUPERLINK_NODE_ID
        self._replies: dict[str, Message] = {}
        self._contexts = {
            _FIRST_NODE + client: Context(
                run_id=_RUN,
                node_id=_FIRST_NODE + client,
                node_config={"partition-id": client, "num-partitions": clients},
                state=RecordDict(),
                run_config=dict(run_config),
            )
            for client in range(clients)
        }

    def set_run(self, run: Run) -> None:
        """Set the run that this grid belongs to."""
        self._run = run

    @property
    def run(self) -> Run:
        """The run that this grid belongs to."""
        return self._run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Create a message for a node."""
        return Message(content, dst_node_id, message_type, group_id=group_id, ttl=ttl)

    def get_node_ids(self) -> Iterable[int]:
        """List the nodes."""
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Process messages and store their replies."""
        ids = []
        for message in messages:
            ids.append(uuid.uuid4().hex)
            self._replies[ids[-1]] = self._deliver(message)
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Return stored replies."""
        return [self._replies.pop(name) for name in list(message_ids) if name in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Message]:
        """Yield the reply to each message; the timeout is left to the sandbox."""
        del timeout
        for message in messages:
            yield self._deliver(message)

    def _deliver(self, message: Message) -> Message:
        try:
            return self._app(message, self._contexts[message.metadata.dst_node_id])
        except Exception as error:  # noqa: BLE001 - a client's failure is a reply, as in Flower
            self._on_error(error)
            reason = f"the client app raised {type(error).__name__}"
            return Message(Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason), reply_to=message)
