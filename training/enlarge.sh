#!/usr/bin/env bash
# How the shipped `enlarge` was learnt (pictures twice as large, tier live), run from the root of the repository with the extra
# `learn` installed and the data beside it. The second stage goes on from the first with the critic earlier and features
# weighing more. 1349 steps in the first on a fifth to a half of one core.
set -euo pipefail
data=../shared/data
common=(training/photos.txt --recipe restore --set task=small-to-large --tier live --seed 1 --title Enlarge --look-licence Apache-2.0
  --teacher "$data/weights/vgg19_compact_relu5_1.safetensors")
impasto learn "${common[@]}" -o runs/enlarge-1.style --run runs/enlarge-1 --minutes 32
impasto learn "${common[@]}" -o runs/enlarge-2.style --run runs/enlarge-2 --minutes 40 --from runs/enlarge-1.style \
  --set adversary=0.03 --set content=1.0 --set adversary_from=0.2
python tools/ship.py enlarge runs/enlarge-2.style --earlier runs/enlarge-1.style --sources "$data/SOURCES.tsv"
python training/enlarge_figures.py impasto/styles/shipped/enlarge.style
