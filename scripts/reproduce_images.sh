#!/usr/bin/env bash
# Eight methods on images, equal training time for each, PARALLEL runs of one thread side by side;
# their numbers, and a picture of each seed's runs beside each other. Runs that are complete are
# left as they are.
# usage: scripts/reproduce_images.sh [FOLDER=runs/junction]
#   FLAGS: more flags of logan-train, such as --video=street.mp4; without, the rendered junction
#   STEPS: of the pairwise penalty; the others get as many as fit into the same time
#   METHODS, SEEDS: which of them to run, space-separated; logan-train --list shows the methods
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export FOLDER=${1:-runs/junction} FLAGS=${FLAGS:-} STEPS=${STEPS:-6000}
methods=${METHODS:-gan wgan wgan-gp bigan autoencoder gradient-autoencoder pairwise pairwise-autoencoder}
mkdir -p "$FOLDER"

# As many as take the time of STEPS with the pairwise penalty alone.
steps_of() {
  python -c 'import sys
from logan.settings import METHODS
print(round(int(sys.argv[2]) / METHODS[sys.argv[1]].image_step))' "$1" "$STEPS"
}

run_one() {
  local method=$1 seed=$2 steps
  local workdir=$FOLDER/$method-seed$seed
  steps=$(steps_of "$method") || return 255
  # An interrupted run ends xargs as well, by the code 255.
  # The published tables are of the last weights, from before a run kept the best ones.
  # shellcheck disable=SC2086
  logan-train --experiment=traffic --method="$method" --steps="$steps" --seed="$seed" --weights=last \
    --workdir="$workdir" --threads=1 --noprogress $FLAGS || return $(($? > 128 ? 255 : 1))
  logan-evaluate --workdir="$workdir" --threads=1 | sed -n 3p
  logan-visualize --workdir="$workdir" --threads=1 >/dev/null
}
export -f run_one steps_of

for seed in ${SEEDS:-0 1 2}; do
  for method in $methods; do
    echo "$method $seed"
  done
done | xargs -P "${PARALLEL:-2}" -L 1 bash -c 'run_one "$@"' _

for seed in ${SEEDS:-0 1 2}; do
  runs=$(for method in $methods; do echo "$FOLDER/$method-seed$seed"; done | paste -sd,)
  logan-compare --workdirs="$runs" --output="$FOLDER/compare-seed$seed.png"
done
python scripts/summarize.py --folder="$FOLDER"
