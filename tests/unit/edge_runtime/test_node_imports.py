"""A node needs no agent framework, no federated framework, and the service itself no torch."""

import subprocess
import sys

CODE = """
import pkgutil, importlib, sys
import edgewright.edge_runtime as package
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith(("__main__", "operations")):
        importlib.import_module(module.name)
importlib.import_module("edgewright.edge_runtime.__main__")
light = set(sys.modules)
importlib.import_module("edgewright.edge_runtime.workers.operations")
names = lambda modules: {name.partition(".")[0] for name in modules}
print(*sorted(names(light) & {"torch", "torchvision", "transformers"}), "|", *sorted(
    names(sys.modules) & {"langgraph", "langchain", "langchain_core", "openai", "flwr", "skimage"}
))
"""


def test_importing_a_node_pulls_in_nothing_that_it_does_not_need():
    result = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.split() == ["|"]
