#!/usr/bin/env bash
# The tables of results/toy.md: every experiment with and without the penalty over the seeds,
# PARALLEL runs of one thread each side by side. Runs that are complete are left as they are.
# usage: scripts/reproduce_toy.sh [FOLDER=runs/toy]
#   EXPERIMENTS, PENALTIES, SEEDS: what to run, space-separated; FLAGS: more flags of logan-train
#   METHOD: one for all; empty: that of each experiment
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
experiments=${EXPERIMENTS:-ring8 ring16 grid25 grid25_wide swiss line line_far}
penalties=${PENALTIES:-pairwise none}
seeds=${SEEDS:-0 1 2 3 4}
method=${METHOD-pairwise}
# The published tables are of the last weights and of one method for all sets, from before rings and
# line had one of their own and a run kept the best weights.
for penalty in $penalties; do
  # shellcheck disable=SC2086
  logan-sweep --experiments="${experiments// /,}" --penalty="$penalty" --seeds="${seeds// /,}" \
    ${method:+--methods="$method"} --run_names="{experiment}-$penalty-seed{seed}" --weights=last --workdir="${1:-runs/toy}" \
    --jobs="${PARALLEL:-2}" --threads=1 ${FLAGS:-}
done
