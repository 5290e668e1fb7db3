#!/usr/bin/env bash
# Eight methods on images, equal training time for each, PARALLEL runs of one thread side by side;
# their numbers, and a picture of each seed's runs beside each other. Runs that are complete are
# left as they are.
# usage: scripts/reproduce_images.sh [FOLDER=runs/junction]
#   FLAGS: more flags of logan-train, such as --video=street.mp4; without, the rendered junction
#   STEPS: of the pairwise penalty; the others get as many as fit into the same time
#   METHODS, SEEDS: which of them to run, space-separated
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export FOLDER=${1:-runs/junction} FLAGS=${FLAGS:-} STEPS=${STEPS:-6000}
methods=${METHODS:-gan wgan wgan-gp bigan autoencoder gradient-autoencoder pairwise pairwise-autoencoder}
mkdir -p "$FOLDER"

# Flags of each method, with the best of the settings tried, and its steps as a percentage of the
# pairwise penalty's: both from results/README.md.
flags_of() {
  local alone="--autoencoder_weight=0 --latent_length=8"
  local slow="--loss=vanilla --learning_rate=2e-4 --beta_1=0.5 --discriminator_steps=1"
  local critic="--discriminator_steps=5 --batch_size=320 --learning_rate=3e-4"
  case $1 in
    gan) echo --model=gan --penalty=none $alone $slow --steps=$((STEPS * 125 / 100)) ;;
    wgan) echo --model=gan --penalty=none --weight_clip=0.01 $alone $critic \
      --steps=$((STEPS * 50 / 100)) ;;
    wgan-gp) echo --model=gan --penalty=gradient --penalty_weight=10 $alone $critic \
      --steps=$((STEPS * 32 / 100)) ;;
    bigan) echo --penalty=none $alone $slow --steps=$((STEPS * 120 / 100)) ;;
    autoencoder) echo --penalty=none --autoencoder_weight=100 --latent_length=8 --loss=vanilla \
      --discriminator_steps=1 --steps=$((STEPS * 105 / 100)) ;;
    gradient-autoencoder) echo --penalty=gradient --penalty_weight=10 --steps="$STEPS" ;;
    pairwise) echo $alone --steps="$STEPS" ;;
    pairwise-autoencoder) echo --steps=$((STEPS * 92 / 100)) ;;
    *) echo "METHODS: expected some of those in the script's list. Received: $1" >&2
      return 1 ;;
  esac
}

run_one() {
  local method=$1 seed=$2 flags
  local workdir=$FOLDER/$method-seed$seed
  flags=$(flags_of "$method")
  # An interrupted run ends xargs as well, by the code 255.
  # shellcheck disable=SC2086
  logan-train --experiment=traffic --seed="$seed" --workdir="$workdir" --threads=1 --noprogress \
    $flags $FLAGS || return $(($? > 128 ? 255 : 1))
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
