#!/usr/bin/env bash
# How training/base.style was made: what looks start from (`impasto learn --from training/base.style`), in both tiers. Run from the
# root of the repository with the extra `learn` installed and the data beside it. One core per tier; 2095 and 2196 steps.
set -euo pipefail
data=../shared/data
for pair in live:45 full:75; do
  tier=${pair%:*}
  impasto learn training/photos.txt --recipe base --tier "$tier" -o "runs/base-$tier.style" --run "runs/base-$tier" \
    --minutes "${pair#*:}" --seed 1 --teacher "$data/weights/vgg19_normalised_relu3_1.safetensors" \
    --look-licence Apache-2.0 --title "Base"
done
python tools/ship.py base runs/base-live.style runs/base-full.style --folder training
