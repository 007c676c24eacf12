#!/usr/bin/env bash
# How the comic draft is learnt, run from the root of the repository with the extra `learn` installed and the data beside it: first
# tones and palette with the recipe's gentle settings, then texture, with larger works so that ink lines are two to three pixels wide.
# The panels are by David Revoy (Pepper&Carrot, CC BY 4.0): name him wherever the look is shown.
set -euo pipefail
data=../shared/data
stage=${1:?stage: first or second}
common=("$data/styles/comic_panels_revoy_ccby" --recipe folder --tier live --photos training/photos.txt --seed 1
  --teacher "$data/weights/vgg19_normalised_relu3_1.safetensors" --teacher "$data/weights/vgg19_compact_relu5_1.safetensors"
  --title "Comic" --author "David Revoy" --licence "CC BY 4.0" --source "Pepper&Carrot, www.peppercarrot.com" --look-licence CC-BY-4.0)
learn() { impasto learn "${common[@]}" -o "runs/comic-$1.style" --run "runs/comic-$1" "${@:2}"; }
case $stage in
  first) learn 1 --minutes 28 --from training/base.style --set nearest=0 --set gram=1.5 ;;
  second)
    learn 2 --minutes 90 --from runs/comic-1.style --set style_side=960 --set crop_px=128 --set adversary=2 --set nce=0.3 \
      --set gram=12 --set nearest=8 --set steady=12 --set softened=0.2 ;;
esac
