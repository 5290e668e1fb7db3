#!/usr/bin/env bash
# The toy pictures of results/figures: the article's figures 3 to 9, drawn from the seed-0 runs of
# scripts/reproduce_toy.sh and from two runs of an encoder alone, which are trained here.
# usage: scripts/reproduce_figures.sh [FOLDER=runs/toy]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
folder=${1:-runs/toy}

pairs=
for experiment in ring8 ring16 grid25; do
  for penalty in none pairwise; do
    pairs+=${pairs:+,}$folder/$experiment-$penalty-seed0
  done
done
logan-compare --workdirs="$pairs" --columns=2 --output="$folder/toy_comparison.png"
cp "$folder/toy_comparison.png" results/figures/

for penalty in none pairwise; do
  logan-visualize --workdir="$folder/line-$penalty-seed0"
  cp "$folder/line-$penalty-seed0/figures/joint_space.png" "results/figures/joint_space_$penalty.png"
done

logan-train --experiment=line --method=separate-discriminators --seed=100 --threads=1 --workdir="$folder/line-separate-seed100"
logan-visualize --workdir="$folder/line-separate-seed100"
cp "$folder/line-separate-seed100/figures/joint_space.png" results/figures/joint_space_separate.png

logan-visualize --workdir="$folder/grid25-pairwise-seed0"
cp "$folder/grid25-pairwise-seed0/figures/latent_map.png" results/figures/latent_map_grid25.png
cp "$folder/grid25-pairwise-seed0/figures/curves.png" results/figures/curves_grid25.png

encoders=
for experiment in encoder-unimodal encoder-modes; do
  encoders+=${encoders:+,}$folder/$experiment-none-seed0
done
METHOD='' EXPERIMENTS='encoder-unimodal encoder-modes' PENALTIES=none scripts/reproduce_toy.sh "$folder"
logan-compare --workdirs="$encoders" --output="$folder/encoder.png"
cp "$folder/encoder.png" results/figures/
