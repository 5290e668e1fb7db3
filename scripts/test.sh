#!/usr/bin/env bash
# Format, lint, types, tests, in a virtual environment of its own.
# usage: scripts/test.sh [--slow] [pytest arguments]      --slow adds the tests that take minutes
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
marks='not slow'
if [ "${1:-}" = --slow ]; then
  marks=''
  shift
fi
ruff format --check .
ruff check .
mypy
# Two files at a time: most of a test's time is spent on one core. tests/conftest.py says which start first.
pytest -m "$marks" -n "${TEST_WORKERS:-2}" --dist loadfile --no-loadscope-reorder "$@"
