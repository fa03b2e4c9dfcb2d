"""Plain-language requests over sensors, devices and edge servers.

This is the public interface. Each name is imported on first use, so that ``import edgewright``
stays cheap and a node needs no agent framework. Everything else in the package is internal.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright.graphs.assistant.context import AssistantContext
    from edgewright.graphs.assistant.session import Reply, Session, open_session
    from edgewright.graphs.langchain_tools import make_tools
    from edgewright.graphs.services.services import Services, open_services
    from edgewright.tools.contracts.images import ImageRef
    from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse
    from edgewright.tools.errors import (
        DeadlineError,
        EdgewrightError,
        InputError,
        LinkError,
        NotFoundError,
        RefusedError,
        TransientError,
        UnavailableError,
    )
    from edgewright.tools.images.files import resolve_image
    from edgewright.tools.nodes.client import NodeClient
    from edgewright.tools.settings import ChatModelSettings, Settings

    __version__: str

__all__ = [
    "AssistantContext",
    "ChatModelSettings",
    "DeadlineError",
    "EdgewrightError",
    "ImageRef",
    "InputError",
    "InvokeOptions",
    "InvokeResponse",
    "LinkError",
    "NodeClient",
    "NotFoundError",
    "RefusedError",
    "Reply",
    "Services",
    "Session",
    "Settings",
    "TransientError",
    "UnavailableError",
    "__version__",
    "make_tools",
    "open_services",
    "open_session",
    "resolve_image",
]

_NAMES_OF = {
    "graphs.assistant.context": ("AssistantContext",),
    "graphs.assistant.session": ("Reply", "Session", "open_session"),
    "graphs.langchain_tools": ("make_tools",),
    "graphs.services.services": ("Services", "open_services"),
    "tools.contracts.images": ("ImageRef",),
    "tools.contracts.invocation": ("InvokeOptions", "InvokeResponse"),
    "tools.errors": (
        "DeadlineError",
        "EdgewrightError",
        "InputError",
        "LinkError",
        "NotFoundError",
        "RefusedError",
        "TransientError",
        "UnavailableError",
    ),
    "tools.images.files": ("resolve_image",),
    "tools.nodes.client": ("NodeClient",),
    "tools.settings": ("ChatModelSettings", "Settings"),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}


# Type checkers take the imports above; with this function in view they would accept any name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name on first use."""
        if name == "__version__":
            from importlib.metadata import version

            value = version(__name__)
        elif name in _MODULE_OF:
            value = getattr(_imported(_MODULE_OF[name], name), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return __all__


def _imported(module: str, name: str) -> object:
    try:
        return import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{__name__}.{name} needs the module {error.name!r}; "
            "run: pip install 'edgewright[agent]'",
            name=error.name,
        ) from error
