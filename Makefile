# Two doors for a newcomer:   make        builds the environment and the paper
#                             make test   builds the environment and runs the tests
# Everything else is `make help`.

PYTHON ?= python3
CORES  ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.synced
# make SNAKEMAKE_ARGS="--forceall" hands words on to Snakemake.
SNAKEMAKE := $(BIN)/python workflow/scripts/audit/run.py --profile workflow/profiles/default --cores $(CORES) $(SNAKEMAKE_ARGS)

# One thread a process: the workflow runs the processes side by side, and the sums do
# not depend on how many threads a machine happens to have.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# The venv's programs first, whatever the caller's shell has on its path.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONHASHSEED := 0
export PYTHONUTF8 := 1
export MPLBACKEND := Agg

.PHONY: all explain new-source new-specification reference profile verify diff package report expected environment test test-fast bench bench-all lint format snapshot sign dag lock clean help
.DEFAULT_GOAL := all

all: $(STAMP)  ## build everything up to results/paper.pdf
	@$(SNAKEMAKE)

environment: $(STAMP)  ## build or update the environment only

# One process more than cores: the runs on a scheduler and the downloads mostly wait.
test: $(STAMP)  ## run all tests
	@$(BIN)/python -m pytest -n $$(($(CORES) + 1))

test-fast: $(STAMP)  ## the tests that need neither the workflow nor Monte-Carlo draws
	@$(BIN)/python -m pytest -n $(CORES) -m "not montecarlo and not workflow and not long"

bench bench-all: $(STAMP)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r envs/bench.lock
	@PYTHONPATH=tests $(BIN)/python -m bench.run $(if $(filter bench-all,$@),--all)

bench:  ## time the estimators beside their peers, slow peers on a smaller panel
bench-all:  ## the same with every peer at the full size (an hour)

lint: $(STAMP)  ## style of Python and Snakemake files
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/snakemake --lint

format: $(STAMP)  ## put Python and Snakemake files into style
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format . ; $(BIN)/snakefmt Snakefile workflow/rules

report: all  ## every result with its caption in one file, results/report.html
	@$(BIN)/snakemake --report results/report.html

snapshot: $(STAMP)  ## rewrite data/snapshot from verified raw files (MONOTOWNS_MIRROR or a network) [SOURCE=one]
	@$(BIN)/python workflow/scripts/acquire/write_snapshot.py $(SOURCE)

sign: $(STAMP)  ## register the tables of the snapshot as they are, after a look at what changed
	@$(BIN)/python workflow/scripts/acquire/sign.py

profile: all  ## one page about a listed town: make profile TOWN=Норильск [REGION='...']
	@$(BIN)/python workflow/scripts/paper/profile.py "$$TOWN" "$$REGION"

verify: $(STAMP)  ## rebuild elsewhere and say how far it agrees with results/expected: make verify [SOURCE=download]
	@$(BIN)/python workflow/scripts/audit/verify.py --source $(or $(SOURCE),snapshot) --cores $(CORES)

diff: $(STAMP)  ## what moved between two commits, and the sentences touched: make diff A=commit B=commit [BUILD=1]
	@$(BIN)/python workflow/scripts/audit/diff.py $(or $(A),HEAD~1) $(or $(B),HEAD) $(if $(BUILD),--build) --cores $(CORES)

package: all  ## write the replication archive dist/monotowns-replication.zip and check it
	@$(BIN)/python workflow/scripts/audit/package.py

expected: all  ## keep the results of this run as the expected ones
	@$(BIN)/python workflow/scripts/audit/keep_expected.py

explain: $(STAMP)  ## what would run and why, down to the setting or function: make explain [TARGET=results/...]
	@$(BIN)/python workflow/scripts/audit/explain.py $(TARGET)

new-source: $(STAMP)  ## skeleton of a new source: make new-source NAME=unemployment
	@$(BIN)/python workflow/scripts/documentation/skeleton.py source $(NAME)

new-specification: $(STAMP)  ## skeleton of a new specification: make new-specification NAME=gap_rural
	@$(BIN)/python workflow/scripts/documentation/skeleton.py specification $(NAME)

reference: $(STAMP)  ## write config/reference.md from the schemas
	@$(BIN)/python workflow/scripts/documentation/reference.py

dag: $(STAMP)  ## draw the rules into the README
	@$(BIN)/python workflow/scripts/documentation/rulegraph.py

COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate -q

lock: $(STAMP)  ## resolve envs/*.in anew into hash-pinned locks; the benchmark's peers fit the study's
	@$(COMPILE) envs/requirements.in -o envs/requirements.lock
	@$(COMPILE) -c envs/requirements.lock envs/bench.in -o envs/bench.lock
	@$(BIN)/python envs/conda.py

clean:  ## remove everything that the pipeline wrote (not the environment)
	@rm -rf data/raw data/clean data/panel data/drift logs .snakemake
	@find results -mindepth 1 -maxdepth 1 ! -name expected -exec rm -rf {} +

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1 - \2/p' Makefile

# uv comes from the lock too, with its hashes; it then makes the environment equal to the lock.
$(STAMP): envs/requirements.lock pyproject.toml
	@echo "Environment: $(VENV) from envs/requirements.lock"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v[:2] <= (3, 13) else \
	  f"Python {v[0]}.{v[1]} found; this project is locked for 3.11 to 3.13. Say: make PYTHON=python3.12")'
	@sed -n '/^uv==/,/[^\\]$$/p' envs/requirements.lock > $(VENV)/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes envs/requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)
