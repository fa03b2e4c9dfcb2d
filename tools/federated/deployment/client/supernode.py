"""The SuperNode of a client: it runs until it is interrupted, and says why it is not connected."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from edgewright.tools.errors import InputError
from edgewright.tools.federated.deployment.client.samples import sample_counts
from edgewright.tools.federated.deployment.folders import ClientFolder
from edgewright.tools.federated.deployment.programs import write_programs
from edgewright.tools.federated.grids.processes import free_port, running
from edgewright.tools.models.engines.torch.lite0_weights import weights_files
from edgewright.tools.sandbox.backends import find_sandbox

#: The program of Flower's whose place ours takes.
_PROGRAM = "flwr-clientapp"
_POLL_S = 0.5
_RETRY_S = 3.0
#: What Flower's log says, and what it means for a person.
_LOG_LINES = (
    (re.compile(r"SuperNode ID"), "connected"),
    (re.compile(r"Receiving: train message"), "training a round"),
    (re.compile(r"Receiving: evaluate message"), "scoring the model"),
    (re.compile(r"Sent successfully"), "sent its reply"),
    (re.compile(r"ailed to receive|ailed to send"), "the connection was interrupted; trying again"),
    (re.compile(r"raised an exception"), "a round failed; its log has the cause"),
)
_NOT_TRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", re.IGNORECASE)
_NOT_ADMITTED = re.compile(r"code: 2004|Failed to activate SuperNode")


def join(folder: ClientFolder, on_event: Callable[[str], None]) -> None:
    """Run a client's SuperNode until it is interrupted.

    Args:
        folder: A prepared folder.
        on_event: Receives a line whenever something changes.

    Raises:
        InputError: The samples are missing (``no_shard``), or the SuperLink's certificate is not
            the invitation's (``not_trusted``).
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    invitation = folder.invitation()
    train, held = sample_counts(folder)
    sandbox = find_sandbox().name
    on_event(f"client {invitation.client}: {train} training and {held} validation samples")
    on_event(f"the model's code runs in a sandbox ({sandbox}) without network access")
    weights_files()  # once, since a round's program may not take as long
    folder.logs.mkdir(parents=True, exist_ok=True)
    write_programs(folder, _PROGRAM, f"{__package__}.program")
    log = folder.logs / "supernode.log"
    said = ""
    while True:
        began = log.stat().st_size if log.exists() else 0
        _run_once(folder, log, began, on_event)
        line = _reason(log, began, invitation.address, folder.public_key(invitation.client))
        if line != said:
            on_event(line)
            said = line
        time.sleep(_RETRY_S)


def _run_once(
    folder: ClientFolder, log: Path, position: int, on_event: Callable[[str], None]
) -> None:
    """Run the SuperNode until it ends, and report what its log says."""
    invitation = folder.invitation()
    arguments = [
        "flower-supernode", "--superlink", invitation.address, "--port", str(free_port()),
        "--root-certificates", str(folder.authority),
        "--auth-supernode-private-key", str(folder.key),
        "--node-config",
        f"partition-id={invitation.client} num-partitions={invitation.clients}",
    ]  # fmt: skip
    with running(
        "supernode", arguments, folder.flower, folder.logs, programs=folder.programs
    ) as process:
        ended = False
        while not ended:
            ended = process.poll() is not None
            lines, position = _new_lines(log, position)
            for line in lines:
                for pattern, meaning in _LOG_LINES:
                    if pattern.search(line):
                        on_event(meaning)
            if not ended:
                time.sleep(_POLL_S)


def _new_lines(log: Path, position: int) -> tuple[list[str], int]:
    with log.open("rb") as file:
        file.seek(position)
        complete, newline, _ = file.read().rpartition(b"\n")
    if not newline:
        return [], position
    return complete.decode("utf-8", "replace").split("\n"), position + len(complete) + 1


def _reason(log: Path, began: int, address: str, key: Path) -> str:
    """Return why the SuperNode ended.

    Raises:
        InputError: The SuperLink is not the one of the invitation (``not_trusted``).
    """
    text = log.read_bytes()[began:].decode("utf-8", "replace")
    if _NOT_TRUSTED.search(text):
        raise InputError(
            f"the certificate of {address} is not the one of the invitation, or not for this "
            "address; ask the operator for a new invitation",
            code="not_trusted",
        )
    if _NOT_ADMITTED.search(text):
        return f"not admitted yet; send {key} to the operator"
    return f"{address} does not answer; trying again"
