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
folder=${1:-runs/junction}
methods=${METHODS:-gan wgan wgan-gp bigan autoencoder gradient-autoencoder pairwise pairwise-autoencoder}
seeds=${SEEDS:-0 1 2}

# The steps of the published tables, which a machine's measured times (--equal=time) would change.
steps_of() {
  python -c 'import sys
from logan.settings import METHODS
for name in sys.argv[2:]:
    print(f"--method_flags={name}:--steps={round(int(sys.argv[1]) / METHODS[name].image_step)}")' "$@"
}
# shellcheck disable=SC2086
steps=$(steps_of "${STEPS:-6000}" $methods)

# The published tables are of the last weights, from before a run kept the best ones.
# shellcheck disable=SC2086
logan-sweep --experiment=traffic --methods="${methods// /,}" --seeds="${seeds// /,}" $steps --weights=last \
  --workdir="$folder" --run_names='{method}-seed{seed}' --jobs="${PARALLEL:-2}" --threads=1 ${FLAGS:-}

for seed in $seeds; do
  for method in $methods; do
    echo "$folder/$method-seed$seed"
  done
done | xargs -P "${PARALLEL:-2}" -I{} logan-visualize --workdir={} --threads=1 >/dev/null

for seed in $seeds; do
  runs=$(for method in $methods; do echo "$folder/$method-seed$seed"; done | paste -sd,)
  logan-compare --workdirs="$runs" --output="$folder/compare-seed$seed.png"
done
