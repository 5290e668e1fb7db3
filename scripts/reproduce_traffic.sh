#!/usr/bin/env bash
# Snapshots of a fixed camera: the plain BiGAN and the penalised one with one thread each, side by
# side, then their pictures and numbers. usage: scripts/reproduce_traffic.sh VIDEO [FOLDER=runs/traffic]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
video=${1:?expected the path of a video}
folder=${2:-runs/traffic}
for penalty in none pairwise; do
  (
    workdir=$folder/traffic-$penalty-seed0
    logan-train --experiment=traffic --video="$video" --penalty=$penalty --workdir="$workdir" \
      --threads=1 --noprogress ${FLAGS:-}
    for command in evaluate visualize generate reconstruct interpolate; do
      logan-$command --workdir="$workdir" --threads=1
    done
  ) &
done
wait
logan-compare --workdirs="$folder/traffic-none-seed0,$folder/traffic-pairwise-seed0" \
  --output="$folder/compare.png"
