#!/usr/bin/env bash
# The API reference, made of the docstrings: a small site, index.html first.
# usage: scripts/docs.sh [FOLDER=build/docs]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
python scripts/reference.py "${1:-build/docs}"
