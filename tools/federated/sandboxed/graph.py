"""Program that runs an exported graph on images, under the limits of a trial.

No generated code is imported. The graph comes from generated code, so it is tried here before any
node runs it.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np

from edgewright.tools.federated.sandboxed.program import fault_of, respond
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.lockdown import lock_down


def main() -> None:
    """Write the graph's output, or print the fault."""
    argument = json.loads(sys.argv[1])
    limits, files = SandboxLimits.model_validate(argument["limits"]), argument["extra"]
    lock_down(
        memory_bytes=limits.memory_bytes,
        file_bytes=limits.disk_bytes,
        open_files=limits.open_files,
    )
    try:
        sessions = importlib.import_module("edgewright.tools.models.engines.onnx.sessions")
        session = sessions.Session(Path(files["graph"]), threads=1)
        output = session.run(np.load(files["images"], allow_pickle=False))
        np.save(files["logits"], output, allow_pickle=False)
    except Exception as error:  # noqa: BLE001 - the runtime's errors have no common class
        respond(fault=fault_of(error).model_dump())
    else:
        respond(done=True)


if __name__ == "__main__":
    main()
