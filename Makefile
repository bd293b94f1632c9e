# What a developer does, by name. `make dev` and `make test` need python3 (3.11+), python3-venv, python3-dev, a C compiler.
PYTHON ?= python3
BIN := .venv/bin
STAMP := build/.venv-ready
ARGS ?=
JSON ?=
RUNS ?=
CASES ?=

.PHONY: venv dev check test-quick test test-debug test-asan test-atom wheel-aarch64 test-aarch64 bench drill wheel lock clean tools

venv: $(STAMP)

$(STAMP): pyproject.toml setup.py $(wildcard kernels/*.pyx) $(wildcard kernels/simd/*.h)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[console,quantize,cloud,record,test]'
	$(BIN)/python -c "import kernels, sys; sys.exit(kernels.IMPLEMENTATION != 'compiled' and 'the kernels did not compile: is there a C compiler, and python3-dev?')"
	mkdir -p build && touch $(STAMP)

dev: venv
	$(BIN)/edge dev $(ARGS)

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-quick: venv
	$(BIN)/pytest -q -m "not slow"

test: venv tools check test-debug test-asan test-atom
	$(BIN)/pytest

# mosquitto and chromium are Debian's packages; the script installs them where it may and else says what to do.
tools:
	bash tests/tools/ensure-tools mosquitto chromium

test-debug: venv
	bash tests/tools/kernel-build debug

test-asan: venv
	bash tests/tools/kernel-build asan

# Debian's qemu-user with a processor of the Atom E3930's kind: SSE4.2, no AVX.
test-atom: venv
	bash tests/tools/ensure-tools qemu-x86_64
	bash tests/tools/kernel-build atom

# Debian's cross compiler, Python for arm64 and qemu-user; no part of `make test`.
wheel-aarch64: venv
	bash tests/tools/wheel-aarch64 wheel

test-aarch64: venv
	bash tests/tools/wheel-aarch64 test

# RUNS=3: everything three times over, a target held in two is held. CASES: parts of names, in quotes where they have blanks.
bench: venv
	$(BIN)/python tests/speed/bench.py $(CASES) $(if $(RUNS),--runs $(RUNS)) $(if $(JSON),--json $(JSON))

drill: venv
	$(BIN)/python tests/drills/drill.py $(if $(JSON),--json $(JSON))

wheel: venv
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

lock: venv
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --no-annotate --no-header --allow-unsafe \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file build/device.lock pyproject.toml
	{ head -1 device.lock; awk '/^# lock /{print "# lock " $$3 + 1}' device.lock; cat build/device.lock; } > build/device.lock.new
	mv build/device.lock.new device.lock

clean:
	rm -rf build dist .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name '*.so' -delete -o -name '__pycache__' -prune -exec rm -rf {} +
