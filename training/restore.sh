#!/usr/bin/env bash
# How the draft that gives grey photographs colours was learnt (tier live), run from the root of the repository with the extra
# `learn` installed and the data beside it: training/restore.sh [MINUTES]. It does not work yet: docs/notes/training.md.
set -euo pipefail
impasto learn training/photos.txt --recipe restore --set task=grey-to-colour --tier live --seed 1 --minutes "${1:-40}" \
  --look-licence Apache-2.0 --teacher ../shared/data/weights/vgg19_compact_relu5_1.safetensors --title Colourise \
  -o runs/colourise-live.style --run runs/colourise-live
