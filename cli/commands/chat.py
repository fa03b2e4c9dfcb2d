"""``edgewright chat``: a conversation that remembers its images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.cli.commands.ask import Deadline, Explain, Thread, answered, print_reply
from edgewright.cli.views.output import (
    Embedded,
    Images,
    Json,
    NodeUrl,
    progress_console,
    report_error,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    import asyncio

    from edgewright.cli.views.progress import TurnView
    from edgewright.graphs.assistant.session import Reply, Session
    from edgewright.tools.contracts.images import ImageRef

EXAMPLES = """\
Examples:

edgewright chat --image cat.png

edgewright chat --thread garden --node http://127.0.0.1:8760
"""

COMMANDS = """\
/image FILE   attach an image to the next request (a file or camera:NAME)
/save FILE     save a picture of the last answer: what was seen, and the answer
/explain      show or hide the plan, the expected costs and each step
/history      show the thread so far
/new          start a new thread
/help         show this list
/quit         leave (or press Ctrl-D)
Ctrl-C stops the request that is running."""


def chat(
    image: Images = None,
    node: NodeUrl = None,
    thread: Thread = None,
    deadline: Deadline = 30.0,
    embedded: Embedded = False,
    explain: Explain = False,
    as_json: Json = False,
) -> None:
    """Talk with the assistant; requests can refer to earlier images.

    Requests are read line by line from standard input; /help lists the
    commands. With --json each reply is one line of JSON.
    """
    with reported_errors(as_json):
        import asyncio

        from edgewright.cli.views.progress import TurnView
        from edgewright.graphs.assistant.context import AssistantContext
        from edgewright.graphs.assistant.session import open_session

        context = AssistantContext(
            node_url=node, planner="embedded" if embedded else "auto", deadline_s=deadline
        )
        view = TurnView(progress_console(), explain=explain and not as_json)
        with asyncio.Runner() as runner:
            opening = open_session(context, thread=thread, on_progress=view.preparing)
            with view.during(
                "starting" if context.settings.node_url else "starting a private node"
            ):
                session = runner.run(opening.__aenter__())
            conversation = Conversation(runner, session, view, as_json)
            try:
                for each in image or []:
                    conversation.attach(each)
                conversation.run()
            finally:
                runner.run(opening.__aexit__(None, None, None))


class Conversation:
    """Reads lines and answers them; an error ends a request, never the conversation.

    Args:
        runner: Runs one request at a time, so that Ctrl-C stops that request alone.
        session: The thread.
        view: Follows each request.
        as_json: Whether replies are printed as JSON.
    """

    def __init__(
        self, runner: asyncio.Runner, session: Session, view: TurnView, as_json: bool
    ) -> None:
        self._runner = runner
        self._session = session
        self._view = view
        self._as_json = as_json
        self._attached: list[ImageRef] = []
        self._last: Reply | None = None

    def run(self) -> None:
        """Read and answer until the input ends."""
        from edgewright.tools.storage.reading import typed

        self._note(f"thread {self._session.thread}; /help lists the commands")
        while True:
            try:
                line = typed(input("> " if sys.stdin.isatty() else "")).strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                self._note("type /quit or press Ctrl-D to leave")
                continue
            if line == "/quit":
                return
            if line:
                self._take(line)

    def attach(self, where: str) -> None:
        """Attach an image to the next request."""
        from edgewright.tools.images.files import resolve_image

        image = resolve_image(where, self._session.services.images)
        self._attached.append(image)
        self._note(f"attached {image.name}")

    def _take(self, line: str) -> None:
        try:
            self._command(line) if line.startswith("/") else self._request(line)
        except KeyboardInterrupt:
            self._note("stopped; the thread continues")
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - it ends the request, not the conversation
            report_error(error, self._as_json)

    def _command(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        if name == "/image" and argument.strip():
            self.attach(argument.strip())
        elif name == "/explain":
            self._view.explain = not self._view.explain and not self._as_json
            self._note(f"explanations are {'on' if self._view.explain else 'off'}")
        elif name == "/save" and argument.strip():
            self._save(Path(argument.strip()))
        elif name == "/history":
            for turn in self._runner.run(self._session.history()):
                say(f"> {turn.request}\n{turn.answer}")
        elif name == "/new":
            self._session.start_new_thread()
            self._attached = []
            self._note(f"thread {self._session.thread}")
        else:
            self._note(COMMANDS)

    def _request(self, text: str) -> None:
        with self._view.during("planning"):
            reply, wall_s = self._runner.run(
                answered(self._session, text, self._attached, self._view)
            )
        self._attached, self._last = [], reply
        if self._as_json:
            print_json(reply.as_json())
        else:
            print_reply(reply, wall_s, self._view, how_to_save="/save FILE.png")

    def _save(self, path: Path) -> None:
        from edgewright.cli.views.evidence import check_picture_path, save_picture

        check_picture_path(path)
        if self._last is None:
            self._note("there is no answer yet")
            return
        self._note(save_picture(self._last, self._session.services.images, path))

    def _note(self, text: str) -> None:
        if not self._as_json:
            self._view.console.print(text, style="dim", markup=False)
