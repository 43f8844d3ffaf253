# What a developer runs. Needs Python >= 3.11 with pip, and make; everything else goes into .venv.
# `make install` runs by itself before the others, and again only when pyproject.toml has changed.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The extras that the tests use. None of these depends on torch: the demo does without it.
EXTRAS := words,hub,pandas,report,dask,rate

# Training needs torch, in the build that suits the machine. Where pip would bring one with CUDA and there is no GPU:
#   make test TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu'
TORCH ?= torch==2.13.0
TRAIN_STAMP := $(VENV)/.installed-train

SAMPLE := thaiwiki_clean/samples/pages.jsonl

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench experiment wheel docs clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1	\2/p' Makefile

install: $(STAMP) $(TRAIN_STAMP)  ## make .venv with all that the tests need

$(STAMP): pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"needs Python 3.11 or newer, got {v[0]}.{v[1]}; name another one: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'  # older ones do not know dependency groups
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]' --group dev
	@touch $(STAMP)

$(TRAIN_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS),train]' --group dev --group study
	@touch $(TRAIN_STAMP)

demo: $(STAMP)  ## clean the sample pages into demo-out/ and say where to look
	@rm -rf demo-out
	$(BIN)/thaiwiki-clean build $(SAMPLE) demo-out
	@printf '\nOne page, with everything that was taken out of it and why\n  %s\n' \
		"$(BIN)/thaiwiki-clean explain --title ปลากัด --source $(SAMPLE)"

test: $(STAMP) $(TRAIN_STAMP)  ## run the tests (CI=true: more examples, always the same ones)
	$(BIN)/python -m pytest -n 2

check: $(STAMP)  ## ruff, the format, and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

bench: $(STAMP)  ## measure accuracy and speed; figures and commands are in benchmarks/README.md
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/speed.py

experiment: $(STAMP) $(TRAIN_STAMP)  ## the study: what cleaning does to repetition; an hour on two cores, into experiment-out/
	$(BIN)/python -m finetune experiment --size cpu --out experiment-out

wheel: $(STAMP)  ## build a wheel for this machine into dist/, rules and newmm compiled to C: cleans 1.6 times as fast, segments 8 times
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@printf '\nInstall it elsewhere: %s\n' "pip install $$(ls -t dist/*.whl | head -1)"

docs: $(STAMP)  ## build the documentation into site/
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/zensical build --clean --strict
	@printf '\nLook at site/index.html; for search: %s\n' "$(BIN)/python -m http.server --directory site"

clean:  ## remove what the other targets made, but for .venv
	rm -rf demo-out experiment-out site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
