# Everything that a person types. Only Python 3.11+ and git are needed beforehand.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_COMPILE_BYTECODE := 1
# One native thread for each test process: the cores are shared by the test workers.
TEST_ENV := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
# One worker for each core, as far as 16 GB of memory go: a worker and the processes that it starts take up to 2 GB. A
# worker takes neighbouring tests first, which share what they begin with, and helps the others when it is done.
TEST_WORKERS := -n logical --maxprocesses 8

.PHONY: install run test test-postgresql check format bench docs lock browser clean

install: $(VENV)/.installed

run: $(VENV)/.installed
	@$(BIN)/python -m modelops serve

test: $(VENV)/.installed-dev browser
	$(TEST_ENV) $(BIN)/python -m pytest $(TEST_WORKERS) --dist worksteal --ignore tests/browser
	$(TEST_ENV) $(BIN)/python -m pytest -n logical --maxprocesses 3 --dist loadfile tests/browser

# The records, the services, the doors and the runner of analyses on a PostgreSQL server of their own.
test-postgresql: $(VENV)/.installed-dev
	$(TEST_ENV) $(BIN)/python -m tests.postgresql $(TEST_WORKERS) \
		tests/store/test_audit_trail.py tests/store/test_transactions.py tests/services tests/api tests/jobs \
		tests/ui/test_ui_pages_people.py --ignore tests/services/test_cases.py

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 0 tests/test_architecture.py tests/test_docs.py

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/speed.py --rows 100000 --repeats 1
	$(BIN)/python benchmarks/answer.py

browser: $(VENV)/.installed-dev
	@$(BIN)/python tests/browser/install.py

docs: $(VENV)/.installed
	$(BIN)/python -m modelops analyses --metrics > docs/metrics.md

# New versions of everything; the old pins are not kept as preferences.
lock: $(VENV)/bin/uv
	rm -f requirements.txt requirements-dev.txt
	echo uv | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" - -o requirements-setup.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/uv: requirements-setup.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.txt

$(VENV)/.installed: requirements.txt $(VENV)/bin/uv
	$(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode --require-hashes -r requirements-dev.txt
	@touch $@
