"""``edgewright chat``: a conversation that remembers its pictures."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import typer

from edgewright.cli.commands.ask import Deadline, Embedded, Thread
from edgewright.cli.views.output import (
    Images,
    Json,
    NodeUrl,
    print_json,
    progress_console,
    report_error,
    reported_errors,
)

if TYPE_CHECKING:
    from edgewright.graphs.assistant.session import Reply, Session
    from edgewright.tools.contracts.images import ImageRef

EXAMPLES = """\
Examples:

edgewright chat --image cat.png

edgewright chat --thread garden --node http://127.0.0.1:8760
"""

COMMANDS = """\
/image FILE   attach a picture to the next request (a file or camera:NAME)
/history      show the thread so far
/new          begin another thread
/help         show this
/quit         leave (so does Ctrl-D)
Ctrl-C stops the request that is running."""


def chat(
    image: Images = None,
    node: NodeUrl = None,
    thread: Thread = None,
    deadline: Deadline = 30.0,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Talk with the assistant; later requests can speak of earlier pictures.

    Requests are read line by line from standard input.
    With --json each reply is one line of JSON.
    """
    with reported_errors(as_json):
        from edgewright.graphs.assistant.context import AssistantContext
        from edgewright.graphs.assistant.session import open_session

        context = AssistantContext(
            node_url=node, planner="embedded" if embedded else "auto", deadline_s=deadline
        )
        with asyncio.Runner() as runner:
            opening = open_session(context, thread=thread)
            conversation = Conversation(runner, _enter(runner, opening, as_json), as_json)
            try:
                for each in image or []:
                    conversation.attach(each)
                conversation.run()
            finally:
                runner.run(opening.__aexit__(None, None, None))


def _enter(
    runner: asyncio.Runner, opening: AbstractAsyncContextManager[Session], as_json: bool
) -> Session:
    if as_json:
        return runner.run(opening.__aenter__())
    with progress_console().status("opening"):
        return runner.run(opening.__aenter__())


class Conversation:
    """Reads lines and has them done; an error ends a request, never the conversation.

    Args:
        runner: Runs one request at a time, so that Ctrl-C stops that request alone.
        session: The thread.
        as_json: Whether replies are printed as JSON.
    """

    def __init__(self, runner: asyncio.Runner, session: Session, as_json: bool) -> None:
        self._runner = runner
        self._session = session
        self._as_json = as_json
        self._console = progress_console()
        self._attached: list[ImageRef] = []

    def run(self) -> None:
        """Read and answer until the input ends."""
        self._say(f"thread {self._session.thread}; /help lists the commands")
        while True:
            try:
                line = input("> " if sys.stdin.isatty() else "").strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                self._say("/quit or Ctrl-D leaves")
                continue
            if line == "/quit":
                return
            if line:
                self._take(line)

    def attach(self, where: str) -> None:
        """Take a picture for the next request."""
        from edgewright.tools.images.files import resolve_image

        image = resolve_image(where, self._session.services.images)
        self._attached.append(image)
        self._say(f"attached {image.name}")

    def _take(self, line: str) -> None:
        from edgewright.tools.errors import EdgewrightError

        try:
            self._command(line) if line.startswith("/") else self._request(line)
        except EdgewrightError as error:
            report_error(error, self._as_json)
        except KeyboardInterrupt:
            self._say("stopped; the thread goes on")

    def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if name == "/image" and rest.strip():
            self.attach(rest.strip())
        elif name == "/history":
            for turn in self._runner.run(self._session.history()):
                typer.echo(f"> {turn.request}\n{turn.answer}")
        elif name == "/new":
            self._session.start_new_thread()
            self._attached = []
            self._say(f"thread {self._session.thread}")
        else:
            self._say(COMMANDS)

    def _request(self, text: str) -> None:
        reply = self._as_json_reply(text) if self._as_json else self._shown_reply(text)
        self._attached = []
        if self._as_json:
            print_json(reply.as_json())
        else:
            typer.echo(reply.answer)

    def _as_json_reply(self, text: str) -> Reply:
        return self._runner.run(self._session.ask(text, images=self._attached))

    def _shown_reply(self, text: str) -> Reply:
        from edgewright.cli.views.progress import progress
        from edgewright.cli.views.results import cost_table

        with progress(self._console, self._attached) as view:
            asking = self._session.ask(text, images=self._attached, on_event=view)
            reply = self._runner.run(asking)
        if reply.results:
            self._console.print(cost_table(reply.results))
        return reply

    def _say(self, text: str) -> None:
        if not self._as_json:
            self._console.print(text, style="dim", markup=False)
