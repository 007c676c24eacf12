#!/usr/bin/env bash
# Eight looks in one live network, run from the root of the repository with the extra `learn` installed and the data beside it.
# One folder per look, so that the looks are called by what they are. Arguments: minutes in all, photographs per look and step, a
# mark of the run folder.
set -euo pipefail
data=../shared/data
styles=$data/styles
mkdir -p runs/many
look() { mkdir -p "runs/many/$1" && cp "$styles/$2" "runs/many/$1/"; }
look great-wave refs_pd/hokusai_great_wave.jpg
look starry-night refs_pd/vangogh_starry_night.jpg
look water-lilies refs_pd/monet_water_lilies_1919.jpg
look shipwreck refs_pd/turner_shipwreck_minotaur.jpg
look composition refs_pd/kandinsky_composition_vii.jpg
look red-chalk refs_pd/red_chalk_peasant_dress.jpg
look watercolour handmade_stylit/watercolor2/watercolor2_example0_0.jpg
look pencil handmade_stylit/pencil0_bw/pencil0_example0_0.jpg
impasto learn runs/many --recipe styles --tier live -o training/drafts/many-live.style --run "runs/many-live${3:+-$3}" --seed 1 \
  --set "batch=${2:-1}" --set gram=25 --set content=1.8 --set steady=14 --set recoloured=0.3 \
  --from training/base.style --photos training/photos.txt --minutes "${1:-60}" \
  --teacher own \
  --title "Eight looks" --licence "public domain; watercolour and pencil: MIT (Creative Flow+)" --look-licence Apache-2.0 --overwrite
