"""The programs that Flower starts: ours in its place, so that no code of an app runs unconfined.

Flower's SuperLink and SuperNode start a program for each task by its name. A folder that precedes
all others in their search path holds programs of these names: the one for the server's or the
client's part is ours, and the others refuse, since we have no use for their kinds of tasks.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time

from flwr.supercore.constant import TASK_TYPE_TO_COMMAND

from edgewright.tools.federated.deployment.folders import ClientFolder, OperatorFolder

_OURS = '#!/bin/sh\nexec {python} -I -m {module} {folder} "$@"\n'
#: How long Flower may take to end a program in an orderly way once its starter is gone. With a
#: SuperLink that does not answer any more, its last messages can get stuck for ever.
_GRACE_S = 5.0
_POLL_S = 0.5
_REFUSAL = "#!/bin/sh\necho 'this deployment runs no such task' >&2\nexit 1\n"


def write_programs(folder: OperatorFolder | ClientFolder, name: str, module: str) -> None:
    """Write the programs that a SuperLink or a SuperNode finds.

    Args:
        folder: The folder of the operator or the client; our program gets it as its first argument.
        name: Name of the program of Flower's whose place ours takes.
        module: Full name of our program's module.
    """
    folder.programs.mkdir(parents=True, exist_ok=True)
    for each in sorted(set(TASK_TYPE_TO_COMMAND.values())):
        text = _REFUSAL
        if each == name:
            python, root = shlex.quote(sys.executable), shlex.quote(str(folder.root))
            text = _OURS.format(python=python, module=module, folder=root)
        program = folder.programs / each
        program.write_text(text, "utf-8")
        program.chmod(0o700)


def end_with_starter(grace_s: float = _GRACE_S) -> None:
    """End this process soon after the one that started it, whatever it waits for.

    Args:
        grace_s: How long it may take to end by itself, in seconds.
    """
    starter = os.getppid()

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(_POLL_S)
        time.sleep(grace_s)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-starter", daemon=True).start()
