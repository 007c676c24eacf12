#!/usr/bin/env bash
# How the shipped look `great-wave` was learnt, run from the root of the repository with the extra `learn` installed and the
# data beside it (hashes of every file: `impasto styles show great-wave`). First calm, with the content held tightly, so that
# forms settle; then from there with the texture terms raised, which is where the woodblock comes from.
set -euo pipefail
data=../shared/data
common=("$data/styles/refs_pd/hokusai_great_wave.jpg" --photos training/photos.txt --seed 1
  --teacher "$data/weights/vgg19_normalised_relu3_1.safetensors" --teacher "$data/weights/vgg19_compact_relu5_1.safetensors"
  --title "The Great Wave" --author "Katsushika Hokusai (1760-1849)" --licence "public domain"
  --source "The Great Wave off Kanagawa, about 1831")
stage=${1:?stage: first or second} tier=${2:?tier: live or full}
case $stage in
  first) impasto learn "${common[@]}" -o "runs/great-wave-$tier-1.style" --run runs/great-wave --tier "$tier" --minutes 22 ;;
  second) impasto learn "${common[@]}" -o "runs/great-wave-$tier.style" --from "runs/great-wave-$tier-1.style" --tier "$tier" \
    --run "runs/great-wave-$tier-2" --minutes "${3:-36}" --set gram=25 --set content=1.2 --set nearest=8 --set steady=14 ;;
esac
