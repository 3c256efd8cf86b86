# make demo: install what it needs and judge the samples.  make test: install what it needs and run the tests.
PY := .venv/bin/python
STAMP := .venv/.dubgate-installed
# Tests at once; on a machine of 16 cores: make test JOBS=8
JOBS ?= 2

.PHONY: demo test check mutants bench install samples format

install: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(PY) || python3.11 -m venv .venv || python3 -m venv .venv
	$(PY) -m pip install -q --upgrade pip
	$(PY) -m pip install -q -e '.[dev]'
	$(PY) -m pip install -q --no-deps resemblyzer==0.1.4
	touch $(STAMP)

demo: install
	$(PY) -m dubgate demo

# The same examples each time: one that nobody saw yet is for `make check` to find, not for whoever installs this.
test: install
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(JOBS) --dist worksteal --hypothesis-profile=ci

check: install
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(JOBS) --dist worksteal

format: install
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

mutants: install
	$(PY) tests/mutants.py --jobs $(JOBS)

bench: install
	$(PY) -m pip install -q -e '.[bench]'
	$(PY) tests/bench/run.py

# Makes the committed sounds again; needs flite, festival with festvox-kdlpc16k, and espeak-ng.
samples: install
	$(PY) samples/make.py
