"""Starting the processes of model workers."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from functools import cache
from multiprocessing import util
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.tools.models.specification import engine_module

# The fork server imports the engine once; each worker is then forked from it in milliseconds.
_CONTEXT = multiprocessing.get_context("forkserver")
_PRELOAD = ["edgewright.edge_runtime.workers.operations"]
#: Waits before a process is started again while what forks workers is replaced, in seconds.
_WAITS_S = (0.0, 0.05, 0.2, 0.5)
#: A path of a socket has up to 107 bytes; multiprocessing adds a random name.
_MAX_FOLDER_BYTES = 80

Entry = Callable[[socket.socket, WorkerSettings], None]


def spawn(entry: Entry, settings: WorkerSettings) -> tuple[BaseProcess, socket.socket]:
    """Start a worker process; takes milliseconds, the first time seconds.

    Args:
        entry: Runs in the process, with the other end of the channel.
        settings: Of the worker.

    Returns:
        The process, and this side of the channel.
    """
    _CONTEXT.set_forkserver_preload([*_PRELOAD, engine_module()])
    _shorten_address()
    ours, theirs = _CONTEXT.Pipe()
    with ours, theirs:
        process = _CONTEXT.Process(
            target=_enter,
            args=(entry, theirs, settings),
            name=f"worker-{settings.model}",
            daemon=True,
        )
        _start(process)
        return process, _as_socket(ours)


@cache
def _shorten_address() -> None:
    """Let the fork server's socket have a short path, however long the temporary folder's path is.

    The kernel accepts 107 bytes. The socket is bound and used by this process alone, so its folder
    can be named by an open handle.
    """
    folder = util.get_temp_dir()
    if len(os.fsencode(folder)) <= _MAX_FOLDER_BYTES:
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    # Where multiprocessing keeps the folder; it removes it by its real path.
    multiprocessing.current_process()._config["tempdir"] = f"/proc/self/fd/{handle}"  # type: ignore[attr-defined]


def _start(process: BaseProcess) -> None:
    """Start a process, also while what forks workers was killed and is being replaced."""
    for wait_s in _WAITS_S:
        try:
            process.start()
        except (OSError, EOFError):
            time.sleep(wait_s)
        else:
            return
    process.start()


def _enter(entry: Entry, connection: Connection, settings: WorkerSettings) -> None:
    """Start a worker process."""
    with connection:
        channel = _as_socket(connection)
    entry(channel, settings)


def _as_socket(connection: Connection) -> socket.socket:
    """Return a pipe's end, which a new process can inherit, as a socket for the event loop."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=os.dup(connection.fileno()))
