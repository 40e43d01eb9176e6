# make demo | test | test-long | fuzz | check | train | serve | predict | evaluate | prepare | image | test-image | clean
# DIR names the folder that stands for /opt/ml, PORT the server's port, IMAGE the image.

PYTHON ?= python3
DIR ?= local_test/test_dir
PORT ?= 8080
PAYLOAD ?= local_test/payloads/claims.csv
POLICIES ?= 20000
SEED ?= 1
SECONDS ?= 60
IMAGE ?= sagetree
XGBOOST ?= cpu
# A build fetches from PyPI and Debian by whatever way this machine has to them.
DOCKER_BUILD_FLAGS ?= --network host

UV_VERSION := 0.13.9
# sagemaker-training, for users' own scripts, comes as a source that is compiled.
SCRIPT_EXTRA := $(if $(shell command -v cc),--extra script)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# A machine that keeps no compiled modules compiles them for each process anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test test-long fuzz soak check generated format data prepare train evaluate serve predict image test-image sdk lock clean

help:
	@sed -n '1,2s/^# //p' Makefile

install: $(INSTALLED)

$(INSTALLED): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "sagetree needs Python 3.11 or newer: $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another with make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >$(VENV)/install.log 2>&1 || \
		{ echo "The installer uv cannot be fetched from PyPI: is it reachable? Details: $(VENV)/install.log"; exit 1; }
	@$(BIN)/uv sync --quiet --locked --inexact $(SCRIPT_EXTRA) >$(VENV)/install.log 2>&1 || \
		{ echo "The locked packages cannot be fetched from PyPI: is it reachable? Details: $(VENV)/install.log"; exit 1; }
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/python -m local_test.demo --dir $(DIR) --policies $(POLICIES) --seed $(SEED)

test: $(INSTALLED)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not docker and not long"

# What takes minutes by its nature: jobs killed again and again, a server under load.
test-long: $(INSTALLED)
	@$(BIN)/python -m pytest -m "long and not docker"

# Ten minutes of full load and trouble; the newest result is kept.
soak: $(INSTALLED)
	@mkdir -p bench/results
	@$(BIN)/python -m bench.soak --seconds 600 >bench/results/soak.txt; code=$$?; cat bench/results/soak.txt; exit $$code

# Each decoder for SECONDS; begins with the inputs in tests/fuzz/corpus, stops at the first find.
# No limit of memory: atheris itself takes some KB for each input it tries.
fuzz: $(INSTALLED)
	@$(BIN)/uv sync --quiet --locked --inexact $(SCRIPT_EXTRA) --group fuzz
	@for folder in tests/fuzz/corpus/*/; do \
		name=$$(basename $$folder); mkdir -p .fuzz/$$name; \
		tar -xzf tests/fuzz/corpus/$$name.tar.gz -C .fuzz/$$name; \
		echo "$$name for $(SECONDS) s"; \
		$(BIN)/python -m tests.fuzz.target $$name .fuzz/$$name $$folder \
			-max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=0 -max_len=65536 -artifact_prefix=.fuzz/ \
			>.fuzz/$$name.log 2>&1 || { tail -40 .fuzz/$$name.log; exit 1; }; \
		tail -1 .fuzz/$$name.log; \
	done

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What follows from the hyperparameters: container/algorithm.json, container/hyperparameters.md.
generated: $(INSTALLED)
	@$(BIN)/python container/generate.py

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The example's tables, joined and split, as the channels of DIR.
data: $(INSTALLED)
	@$(BIN)/python -m local_test.demo --dir $(DIR) --policies $(POLICIES) --seed $(SEED) --only-data

prepare: $(INSTALLED)
	@local_test/prepare_local.sh $(DIR)

train: $(INSTALLED)
	@test -d $(DIR)/input/data/train || $(MAKE) --no-print-directory data DIR=$(DIR)
	@local_test/train_local.sh $(DIR)

evaluate: $(INSTALLED)
	@local_test/evaluate_local.sh $(DIR)

serve: $(INSTALLED)
	@local_test/serve_local.sh --reload --port=$(PORT) $(DIR)

predict:
	@local_test/predict.sh --port=$(PORT) $(PAYLOAD)

# XGBOOST=gpu builds with CUDA; DOCKER_BUILD_FLAGS='--build-arg BASE_IMAGE=...' from another base.
image: $(INSTALLED)
	@container/engine.sh
	docker build $(DOCKER_BUILD_FLAGS) --build-arg XGBOOST=$(XGBOOST) \
		--build-arg VERSION=$$($(BIN)/uv version --short) \
		--build-arg REVISION=$$(git describe --always --abbrev=40 --dirty --exclude='*' || echo unknown) \
		--tag $(IMAGE) .
	@container/report.sh $(IMAGE)
	@$(BIN)/python container/audit.py $(IMAGE)

# SageMaker's SDKs and the AWS CLI, each in an environment of its own, for local_test/sdk.
sdk: $(INSTALLED) .sdk/v2/.installed .sdk/v3/.installed .sdk/aws/.installed

.sdk/%/.installed: local_test/sdk/requirements-%.txt
	@test -x .sdk/$*/bin/python || $(PYTHON) -m venv .sdk/$*
	$(BIN)/uv pip install --quiet --python .sdk/$*/bin/python -r $<
	@touch $@

test-image: $(INSTALLED) sdk
	@container/engine.sh
	@docker image inspect $(IMAGE) >/dev/null 2>&1 || \
		{ echo "There is no image $(IMAGE) to test: build it with 'make image'"; exit 1; }
	@SAGETREE_IMAGE=$(IMAGE) $(BIN)/python -m pytest -m docker

lock: $(INSTALLED)
	$(BIN)/uv lock
	cd container/builder && $(CURDIR)/$(BIN)/uv pip compile --quiet --universal --generate-hashes \
		--python-version 3.12 --no-annotate --no-header requirements.in --output-file requirements.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	rm -rf $(DIR)/model $(DIR)/model.tar.gz $(DIR)/output $(DIR)/processing $(DIR)/input/data
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
