#!/usr/bin/env bash
# Six methods on images, equal training time for each, PARALLEL runs of one thread side by side;
# their numbers, and a picture of each seed's runs beside each other. Runs that are complete are
# left as they are.
# usage: scripts/reproduce_images.sh [FOLDER=runs/junction]
#   FLAGS: more flags of logan-train, such as --video=street.mp4; without, the rendered junction
#   METHODS, SEEDS: which of them to run, space-separated
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export FOLDER=${1:-runs/junction} FLAGS=${FLAGS:-}
methods=${METHODS:-gan wgan wgan-gp bigan autoencoder pairwise}
mkdir -p "$FOLDER"

flags_of() {
  case $1 in
    gan) echo --model=gan --penalty=none --loss=vanilla ;;
    wgan) echo --model=gan --penalty=none --weight_clip=0.01 \
      --discriminator_steps=5 --batch_size=320 ;;
    wgan-gp) echo --model=gan --penalty=gradient --penalty_weight=10 \
      --discriminator_steps=5 --batch_size=320 ;;
    bigan) echo --penalty=none --loss=vanilla ;;
    autoencoder) echo --penalty=none --loss=vanilla --autoencoder_weight=1 ;;
    pairwise) ;;
    *) echo "METHODS: expected gan, wgan, wgan-gp, bigan, autoencoder or pairwise. Received: $1" >&2
      return 1 ;;
  esac
}

run_one() {
  local method=$1 seed=$2 flags
  local workdir=$FOLDER/$method-seed$seed
  flags=$(flags_of "$method")
  # shellcheck disable=SC2086
  logan-train --experiment=traffic --seed="$seed" --workdir="$workdir" --threads=1 --noprogress \
    $flags $FLAGS
  logan-evaluate --workdir="$workdir" --threads=1 | sed -n 3p
  logan-visualize --workdir="$workdir" --threads=1 >/dev/null
}
export -f run_one flags_of

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
