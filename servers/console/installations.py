"""Models as the console shows them, and their installation on the machine of the server."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from edgewright.servers.front import Front
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.library import models
from edgewright.tools.models.catalogue import catalogue, catalogued
from edgewright.tools.models.install.installer import install
from edgewright.tools.models.inventory import list_catalogue, list_models

log = logging.getLogger(__name__)

Json = dict[str, Any]


class _AbandonedError(Exception):
    """Ends an installation that was stopped; raised where it reports its progress."""


class _Installation:
    """The installation of a model, on a thread.

    Args:
        name: Name of the model.

    Attributes:
        doing: What is being done; empty at the end.
        error: Why it failed; empty otherwise.
        abandoned: Whether it was stopped.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.doing = "starting"
        self.error = ""
        self.abandoned = threading.Event()

    def run(self) -> None:
        """Install the model. Blocks."""
        try:
            install(self.name, progress=self._progress)
        except EdgewrightError as error:
            self.error = error.message
        except _AbandonedError:
            self.error = "The installation was stopped; what was fetched is kept."
        except Exception:  # no traceback may reach a page
            log.exception("the installation of %s failed", self.name)
            self.error = "internal error; the server's log has the details"
        finally:
            self.doing = ""

    def _progress(self, doing: str) -> None:
        if self.abandoned.is_set():
            raise _AbandonedError
        self.doing = doing


class Installations:
    """The models of this machine, and those that are being installed.

    Args:
        front: The front, whose work they are.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._latest: dict[str, _Installation] = {}

    async def entries(self) -> Json:
        """List the models that can be installed, with what is being done, and those that run."""
        entries, runnable = await asyncio.to_thread(
            lambda: (list_catalogue(catalogue().values()), list_models(models()))
        )
        for entry in entries:
            latest = self._latest.get(entry["name"])
            entry["doing"] = latest.doing if latest else ""
            entry["error"] = latest.error if latest else ""
        return {"catalogue": entries, "models": runnable}

    def begin(self, caller: str, name: str) -> None:
        """Begin to install a model, or to repair it; what is under way goes on.

        Args:
            caller: Name of the caller.
            name: Name of the model.

        Raises:
            NotFoundError: The catalogue has no such model (``unknown_model``).
            OverloadedError: There is no place for this caller.
        """
        catalogued(name)
        latest = self._latest.get(name)
        if latest is not None and latest.doing:
            return
        installation = _Installation(name)
        self._front.start(caller, lambda: asyncio.to_thread(installation.run))
        self._latest[name] = installation

    def stop(self, name: str | None = None) -> None:
        """Stop the installation of a model, or of all of them."""
        for each in self._latest.values():
            if name in (None, each.name):
                each.abandoned.set()
