# Sourced by the other scripts: makes .venv with the exact versions of constraints.txt, once for
# each state of setup.cfg and constraints.txt, and puts it in front of PATH.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
    if "$candidate" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Expected Python 3.10 to 3.13 with venv on PATH, or its path in PYTHON. Found none." >&2
  return 1
}

wanted=$(cat setup.cfg constraints.txt pyproject.toml | cksum)
if [ "$(cat .venv/.installed 2>/dev/null)" != "$wanted" ]; then
  python=$(find_python)
  echo "Installing logan and its dependencies into .venv …"
  "$python" -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --editable '.[test]'
  echo "$wanted" >.venv/.installed
fi
PATH=$PWD/.venv/bin:$PATH
unset PYTHONPATH PYTHONHOME
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}
