#!/usr/bin/env bash
# How the shipped look `great-wave` was learnt, run from the root of the repository with the extra `learn` installed and the
# data beside it (hashes of every file: `impasto styles show great-wave`). First calm, with the content held tightly, so that
# forms settle; then with the texture terms raised, which is where the woodblock comes from; then content and steadiness are
# brought back, so that faces hold and the paint moves with the picture. `last` is for live alone, after both have had the others.
set -euo pipefail
data=../shared/data
common=("$data/styles/refs_pd/hokusai_great_wave.jpg" --photos training/photos.txt --seed 1
  --teacher "$data/weights/vgg19_normalised_relu3_1.safetensors" --teacher "$data/weights/vgg19_compact_relu5_1.safetensors"
  --title "The Great Wave" --author "Katsushika Hokusai (1760-1849)" --licence "public domain"
  --source "The Great Wave off Kanagawa, about 1831" --look-licence Apache-2.0)
stage=${1:?stage: first, second, third, fourth or last} tier=${2:?tier: live or full}
look() { echo "runs/great-wave-$tier-$1.style"; }
learn() { impasto learn "${common[@]}" --tier "$tier" -o "$(look "$1")" --run "runs/great-wave-$tier-$1" "${@:2}"; }
case $stage in
  first) learn 1 --minutes 22 ;;
  second) learn 2 --minutes 24 --from "$(look 1)" --set gram=25 --set content=1.2 --set nearest=8 --set steady=14 ;;
  third) learn 3 --minutes 10 --from "$(look 2)" --set gram=20 --set content=2.6 --set nearest=8 --set steady=24 ;;
  fourth)
    impasto styles blend "$(look 1):0.25" "$(look 3):0.75" -o "$(look 4)"
    learn 5 --minutes 12 --from "$(look 4)" --set gram=20 --set content=5 --set nearest=10 --set steady=32 ;;
  last) # a little of the calm look back into the live network; then both into one file
    impasto styles blend "$(look 1):0.15" "$(look 5):0.85" -o "$(look 6)" --overwrite
    earlier=(); for file in runs/great-wave-{live,full}-{1,2,3}.style; do earlier+=(--earlier "$file"); done
    python tools/ship.py great-wave runs/great-wave-live-6.style runs/great-wave-full-5.style "${earlier[@]}" "${@:3}" ;;
esac
