# make run: everything set up, and the main job once.  make test: everything set up, and all tests.
# Needs Python 3.11+ and a package index; no root, no Docker, no PostgreSQL, no Airflow.

PYTHON ?= python3
UV_VERSION := 0.13.9
STAMP := .venv/.saferkc-setup

# a shell that forbids it would make every import of Airflow, dbt and Great Expectations compile anew
unexport PYTHONDONTWRITEBYTECODE
# the environment is this checkout's own, whichever one is active in the shell
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME
export UV_COMPILE_BYTECODE := 1
export UV_PROJECT_ENVIRONMENT := .venv
# only the Python that was asked for: none is downloaded
export UV_PYTHON_DOWNLOADS := never

.PHONY: run test setup clean
.DEFAULT_GOAL := run

run: $(STAMP)
	@.venv/bin/saferkc run

# PYTEST_ARGS names some tests. All of them: the short ones last, which fill both processes to the end, and those
# through Airflow by themselves, since they need both cores
test: $(STAMP)
ifdef PYTEST_ARGS
	@.venv/bin/pytest $(PYTEST_ARGS)
else
	@.venv/bin/pytest --numprocesses 2 --no-loadscope-reorder tests/integration tests/unit
	@.venv/bin/pytest tests/end_to_end
endif

setup: $(STAMP)
	@:

$(STAMP): uv.lock pyproject.toml .tools/uv-$(UV_VERSION)
	@echo "Installing the locked packages into .venv"
	@.tools/bin/uv sync --locked --quiet --python "$$(command -v $(PYTHON))"
	@touch $@

.tools/uv-$(UV_VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or later is needed, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo not there)." \
			"Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) comes without ensurepip, which makes virtual environments." \
			"On Debian and Ubuntu: apt install python3-venv. Or name another Python: make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@echo "Installing uv $(UV_VERSION) into .tools"
	@$(PYTHON) -m venv --clear .tools
	@.tools/bin/python -m pip install -qq --disable-pip-version-check --no-warn-script-location uv==$(UV_VERSION)
	@touch $@

# removes what set-up made; the state of the warehouse (.saferkc) stays
clean:
	@rm -rf .tools .venv
