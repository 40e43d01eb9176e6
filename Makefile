# `make` prints the targets: the words behind ## on each one's line.
# DIR names the folder that stands for /opt/ml, PORT the server's port, IMAGE the image.

# The image's Python, where this machine has it: the same XGBoost then grows the same trees.
PYTHON ?= $(shell python3.12 -c '' 2>/dev/null && echo python3.12 || echo python3)
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
BIN := .venv/bin

# make/install.py looks after .venv: run by the Python that is named, else by .venv's own, else by
# python3.12 or python3.
NAMED := $(filter-out file,$(origin PYTHON))
install_with = @for python in $(if $(NAMED),,$(BIN)/python) "$(PYTHON)"; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
			exec "$$python" make/install.py --uv $(UV_VERSION) $(1); \
	done; \
	found=$$(command -v "$(PYTHON)" >/dev/null && "$(PYTHON)" -V 2>&1 || echo absent); \
	echo "sagetree needs Python 3.11 or newer: $(PYTHON) is $$found." \
		"Name another with make PYTHON=python3.12"; exit 1

# A machine that keeps no compiled modules compiles them for each process anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo try test test-quick test-long nightly soak fuzz spark check cloud-check generated docs page format data prepare train \
	evaluate serve predict image sdk cloud-demo test-image lock clean

help: ## print this list
	@awk -F ': .*## ' '/^[a-z-]+:.* ## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

install: ## make .venv from uv.lock, or mend it; the targets below do this first
	$(call install_with)

demo: install ## the whole example: generate, prepare, train, evaluate, serve, predict
	@$(BIN)/python -m local_test.demo --dir "$(DIR)" --policies $(POLICIES) --seed $(SEED) --pictures

try: install ## 1000 rows through train, evaluate, serve and one prediction, in seconds
	@$(BIN)/python -m local_test.trial

test: install ## the test suite, but for what needs Docker or minutes
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not docker and not long"

# As far as 20 seconds reach.
test-quick: install ## the tests that are nearest to what has changed since the last commit
	@$(BIN)/python make/quick.py

# Jobs killed again and again, a server under load, and many examples of each property.
test-long: install ## the tests that take minutes by their nature
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "(long or hypothesis) and not nightly and not docker" \
		--hypothesis-profile=many

nightly: install ## all long tests, and the suite on every Python from 3.11 on that is here
	@make/nightly.sh

# Ten minutes of full load and trouble; the newest result is kept.
soak: install ## ten minutes of load and trouble for the server
	@mkdir -p bench/results
	@$(BIN)/python -m bench.soak --seconds 600 >bench/results/soak.txt; code=$$?; cat bench/results/soak.txt; exit $$code

# Each decoder, and the reader of requests, for SECONDS; begins with the inputs in tests/fuzz/corpus, stops at the first find.
# No limit of memory: atheris itself takes some KB for each input it tries.
fuzz: ## random bodies for each decoder and random requests, SECONDS=60 each
	$(call install_with,--group fuzz)
	@for folder in tests/fuzz/corpus/*/; do \
		name=$$(basename $$folder); mkdir -p .fuzz/$$name; \
		tar -xzf tests/fuzz/corpus/$$name.tar.gz -C .fuzz/$$name; \
		echo "$$name for $(SECONDS) s"; \
		$(BIN)/python -m tests.fuzz.target $$name .fuzz/$$name $$folder \
			-max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=0 -max_len=65536 -artifact_prefix=.fuzz/ \
			>.fuzz/$$name.log 2>&1 || { tail -40 .fuzz/$$name.log; exit 1; }; \
		tail -1 .fuzz/$$name.log; \
	done

# In one Spark on two cores; bench/prepare_engines.py compares the example of any size.
spark: ## prepare on Spark, held against DuckDB
	$(call install_with,--group spark)
	@$(BIN)/python -m pytest -m "long and not docker" tests/prepare/spark

check: install ## format, lint, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each program in an environment of its own, below .cloud-check; npm and PyPI bring them.
cloud-check: install ## other programs' findings in cloud's templates, but for the accepted ones
	@$(BIN)/python -m tests.cloud.linters

# What follows from the hyperparameters: container/algorithm.json, container/hyperparameters.md;
# from src/cloud/pipeline: the pipeline's definition in cloud/template.yaml.
generated: install ## make anew what follows from the code: tables, docs/architecture.svg
	@$(BIN)/python container/generate.py
	@$(BIN)/python cloud/embed.py
	@$(BIN)/python -m docs.picture

docs: ## the book: guide and reference as a site of plain files, in .site
	$(call install_with,--group docs)
	@$(BIN)/python -m docs.book

page: install ## make README's pictures anew, docs/page.png and docs/report.png, by Chromium
	@$(BIN)/python -m docs.page

format: install ## format the code, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The example's tables, joined and split, as the channels of DIR.
data: install ## the example's tables, as channels of DIR
	@$(BIN)/python -m local_test.demo --dir "$(DIR)" --policies $(POLICIES) --seed $(SEED) --only-data

prepare: install ## join and split the tables in DIR/processing/input
	@local_test/prepare_local.sh "$(DIR)"

train: install ## train on DIR/input
	@test -d "$(DIR)/input/data/train" || $(MAKE) --no-print-directory data DIR="$(DIR)"
	@local_test/train_local.sh "$(DIR)"

evaluate: install ## evaluate DIR's model on its held-out rows
	@local_test/evaluate_local.sh "$(DIR)"

serve: install ## serve DIR's model on PORT=8080
	@local_test/serve_local.sh --reload --port=$(PORT) "$(DIR)"

predict: ## post PAYLOAD to the server on PORT
	@local_test/predict.sh --port=$(PORT) "$(PAYLOAD)"

# XGBOOST=gpu builds with CUDA; DOCKER_BUILD_FLAGS='--build-arg BASE_IMAGE=...' from another base.
image: install ## build the image IMAGE=sagetree
	@container/engine.sh
	docker build $(DOCKER_BUILD_FLAGS) --build-arg XGBOOST=$(XGBOOST) \
		--build-arg VERSION=$$($(BIN)/uv version --short) \
		--build-arg REVISION=$$(git describe --always --abbrev=40 --dirty --exclude='*' || echo unknown) \
		--tag $(IMAGE) .
	@container/report.sh $(IMAGE)
	@$(BIN)/python container/audit.py $(IMAGE)

# In environments of their own, for local_test/sdk.
sdk: install .sdk/v2/.installed .sdk/v3/.installed .sdk/aws/.installed .sdk/lambda/.installed ## SageMaker's SDKs, the AWS CLI, Lambda's emulator

.sdk/%/.installed: local_test/sdk/requirements-%.txt | install
	@test -x .sdk/$*/bin/python || $(BIN)/python -m venv .sdk/$*
	$(BIN)/uv pip install --quiet $(if $(filter lambda,$*),--no-deps) --python .sdk/$*/bin/python -r $<
	@touch $@

# At most two minutes on two cores; nothing leaves the machine, nothing is left on it.
cloud-demo: install ## the solution on AWS on your desk: stack, pipeline, endpoint, API, clean-up
	@container/engine.sh
	@docker image inspect $(IMAGE) >/dev/null 2>&1 || \
		{ echo "There is no image $(IMAGE) to run: build it with 'make image'"; exit 1; }
	@$(BIN)/python -m local_test.cloud.demo --image $(IMAGE)

test-image: sdk ## the tests of the image, with SageMaker's SDKs
	@container/engine.sh
	@docker image inspect $(IMAGE) >/dev/null 2>&1 || \
		{ echo "There is no image $(IMAGE) to test: build it with 'make image'"; exit 1; }
	@SAGETREE_IMAGE=$(IMAGE) $(BIN)/python -m pytest -m docker

# Not after install, which refuses a lock that is not pyproject.toml's; it brings uv even then.
lock: ## make uv.lock anew, and the lists for the image's builder and bench.quality
	@test -x $(BIN)/uv || $(MAKE) --no-print-directory install || test -x $(BIN)/uv
	$(BIN)/uv lock
	cd container/builder && "$(CURDIR)/$(BIN)/uv" pip compile --quiet --universal --generate-hashes \
		--python-version 3.12 --no-annotate --no-header requirements.in --output-file requirements.txt
	cd bench/quality && "$(CURDIR)/$(BIN)/uv" pip compile --quiet --python-version 3.11 \
		--no-annotate --no-header requirements.in --output-file requirements.txt

clean: ## remove .venv, caches, and what the example left in DIR
	rm -rf .venv .cloud-check .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	rm -rf local_test/try_dir "$(DIR)/model" "$(DIR)/model.tar.gz" "$(DIR)/output" "$(DIR)/pictures" "$(DIR)/processing" "$(DIR)/input/data"
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
