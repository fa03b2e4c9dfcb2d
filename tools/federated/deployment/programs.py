"""The programs that Flower starts: ours in its place, so that no code of an app runs unconfined.

Flower's SuperLink and SuperNode start a program for each task by its name. A folder that precedes
all others in their search path holds programs of these names: the one for the server's or the
client's part is ours, and the others refuse, since we have no use for their kinds of tasks.
"""

from __future__ import annotations

import shlex
import sys

from flwr.supercore.constant import TASK_TYPE_TO_COMMAND

from edgewright.tools.federated.deployment.folders import ClientFolder, OperatorFolder

_OURS = '#!/bin/sh\nexec {python} -I -m {module} {folder} "$@"\n'
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
