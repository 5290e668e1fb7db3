#!/usr/bin/env bash
# The tables of results/toy.md: every experiment with and without the penalty over the seeds,
# PARALLEL runs of one thread each side by side. Runs that are complete are left as they are.
# usage: scripts/reproduce_toy.sh [FOLDER=runs/toy]
#   EXPERIMENTS, PENALTIES, SEEDS: what to run, space-separated; FLAGS: more flags of logan-train
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export FOLDER=${1:-runs/toy} FLAGS=${FLAGS:-}
experiments=${EXPERIMENTS:-ring8 ring16 grid25 grid25_wide swiss line line_far}
penalties=${PENALTIES:-pairwise none}
mkdir -p "$FOLDER"

run_one() {
  local experiment=$1 penalty=$2 seed=$3
  local workdir=$FOLDER/$experiment-$penalty-seed$seed
  # An interrupted run ends xargs as well, by the code 255.
  # The published tables are of the last weights, from before a run kept the best ones.
  # shellcheck disable=SC2086
  logan-train --experiment="$experiment" --penalty="$penalty" --seed="$seed" --weights=last \
    --workdir="$workdir" --threads=1 --noprogress $FLAGS || return $(($? > 128 ? 255 : 1))
  logan-evaluate --workdir="$workdir" --threads=1 | sed -n 3p
}
export -f run_one

for seed in ${SEEDS:-0 1 2 3 4}; do
  for experiment in $experiments; do
    for penalty in $penalties; do
      echo "$experiment $penalty $seed"
    done
  done
done | xargs -P "${PARALLEL:-2}" -L 1 bash -c 'run_one "$@"' _
python scripts/summarize.py --folder="$FOLDER"
