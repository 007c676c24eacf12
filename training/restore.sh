#!/usr/bin/env bash
# How the drafts of the recipe `restore` were learnt (tier live), run from the root of the repository with the extra `learn`
# installed and the data beside it: training/restore.sh colourise | noir | neon.
set -euo pipefail
name=${1:?which: colourise, noir or neon}
common=(training/photos.txt --recipe restore --tier live --seed 1 --look-licence Apache-2.0 -o "runs/$name-live.style"
  --run "runs/$name-live" --teacher ../shared/data/weights/vgg19_compact_relu5_1.safetensors)
case $name in
  colourise) impasto learn "${common[@]}" --set task=grey-to-colour --minutes "${2:-40}" --title Colourise ;;
  noir | neon) impasto learn "${common[@]}" --set "look=$name" --from training/base.style --minutes 12 --title "${name^}" ;;
esac
