"""Sessions of ONNX Runtime: the hardware that runs them, and their options."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.adapter import Features
from edgewright.tools.settings import execution_providers

_SUFFIX = "ExecutionProvider"
#: Providers that are used without being named in the settings, best first. TensorRT compiles each
#: graph for minutes, so it has to be named.
_DETECTED = ("CUDA", "OpenVINO", "CPU")
#: Inputs with more numbers than this need much more memory than the usual ones.
_LARGE = 1_000_000


class Session:
    """One graph, loaded; it has one input and one output.

    Args:
        path: File of the graph; external weights lie beside it.
        threads: Number of threads that run each operation; None means one per core.
        shared: Whether it takes its memory from what all such graphs of the process share. After a
            large input, what it needed goes back to the system.
    """

    def __init__(self, path: Path, *, threads: int | None, shared: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; they are raised as well
        # Threads that wait for work must not occupy the cores that other workers need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if shared:
            _share_memory()
            options.add_session_config_entry("session.use_env_allocators", "1")
            options.enable_mem_pattern = False  # it keeps the memory of each size of input
        self._shared = shared
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=[f"{name}{_SUFFIX}" for name in providers()]
        )
        self._input = self._session.get_inputs()[0].name

    @property
    def metadata(self) -> dict[str, str]:
        """Return the texts that the file keeps beside its graph, by name."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, features: Features) -> Features:
        """Run the graph on a batch, one after another: graphs are exported for a single image."""
        batch = np.ascontiguousarray(features)
        large = self._shared and batch[:1].size > _LARGE
        options = _return_memory() if large else None
        outputs: list[Features] = [
            self._session.run(None, {self._input: batch[index : index + 1]}, options)[0]
            for index in range(len(batch))
        ]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)


@cache
def _share_memory() -> None:
    """Set up the memory that graphs of this process share; it grows by what is requested."""
    info = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    growth = {
        "max_mem": 0,
        "arena_extend_strategy": 1,
        "initial_chunk_size_bytes": 1 << 20,
        "max_dead_bytes_per_chunk": 1 << 22,
    }
    onnxruntime.create_and_register_allocator(info, onnxruntime.OrtArenaCfg(growth))


@cache
def _return_memory() -> onnxruntime.RunOptions:
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def providers() -> tuple[str, ...]:
    """Return the execution providers to use, best first; the CPU runs what the others cannot.

    Raises:
        UnavailableError: A provider in the settings is not installed (``provider_missing``).
    """
    available = [name.removesuffix(_SUFFIX) for name in onnxruntime.get_available_providers()]
    by_lower_name = {name.lower(): name for name in available}
    chosen = [name.lower() for name in execution_providers() or _DETECTED]
    missing = [name for name in execution_providers() if name.lower() not in by_lower_name]
    if missing:
        raise UnavailableError(
            f"EDGEWRIGHT_PROVIDERS names {', '.join(missing)}, but the installed ONNX Runtime has "
            f"{', '.join(available)}; install the build for this hardware, such as onnxruntime-gpu",
            code="provider_missing",
        )
    found = [by_lower_name[name] for name in chosen if name in by_lower_name]
    return tuple(dict.fromkeys([*found, "CPU"]))
