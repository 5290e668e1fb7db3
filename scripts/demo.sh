#!/usr/bin/env bash
# The paper's claim in a few minutes: trains ring8 without and with the pairwise penalty side by side,
# a thread each, measures and draws both. usage: scripts/demo.sh [FOLDER=runs/demo] [flags of logan-train]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
folder=${1:-runs/demo}
shift || true
plain=$folder/ring8-none-seed0
penalised=$folder/ring8-pairwise-seed0
logan-train --experiment=ring8 --method=pairwise --penalty=none --workdir="$plain" --threads=1 --noprogress "$@" &
# However this script ends, what runs in the background ends too; the same command goes on from there.
trap 'kill "$!" 2>/dev/null || true' EXIT
logan-train --experiment=ring8 --method=pairwise --penalty=pairwise --workdir="$penalised" --threads=1 "$@"
wait "$!"
for command in logan-evaluate logan-visualize; do
  "$command" --workdir="$plain" >/dev/null &
  "$command" --workdir="$penalised" >/dev/null
  wait "$!"
done
trap - EXIT
echo
logan-compare --workdirs="$plain,$penalised" --output="$folder/compare.png"
echo "
Side by side:    $folder/compare.png
Plain BiGAN:     $plain/figures/
With the penalty: $penalised/figures/  (training.gif shows how it got there)"
