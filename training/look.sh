#!/usr/bin/env bash
# How the shipped looks that come from one painting were learnt, all but the great wave: training/look.sh NAME live|full [WORDS...],
# run from the root of the repository with the extra `learn` installed and the data beside it (hashes of every file: `impasto
# styles show NAME`). One core per network. Words that follow go to `impasto learn` as they are and overrule.
# They start from a draft of the starry night, which had the base before it: a network that knows strokes learns others sooner.
# When both tiers are there, tools/ship.py makes one file of them.
set -euo pipefail
name=${1:?which look} tier=${2:?tier: live or full}
styles=../shared/data/styles
weights=(gram=20 content=4 nearest=8 steady=20 adversary=2.5 settle=1.4)
public=(--licence "public domain" --look-licence Apache-2.0)
case $name in
  turner) reference=refs_pd/turner_shipwreck_minotaur.jpg
    card=(--title "The Shipwreck" --author "J. M. W. Turner (1775-1851)" --source "The Shipwreck of the Minotaur, about 1810" "${public[@]}") ;;
  starry-night) reference=refs_pd/vangogh_starry_night.jpg
    card=(--title "The Starry Night" --author "Vincent van Gogh (1853-1890)" --source "The Starry Night, 1889" "${public[@]}") ;;
  kandinsky) reference=refs_pd/kandinsky_composition_vii.jpg
    card=(--title "Composition VII" --author "Wassily Kandinsky (1866-1944)" --source "Composition VII, 1913" "${public[@]}") ;;
  monet) reference=refs_pd/monet_water_lilies_1919.jpg
    card=(--title "Water Lilies" --author "Claude Monet (1840-1926)" --source "Water Lilies, 1919" "${public[@]}") ;;
  *) echo "no look is called $name" >&2; exit 2 ;;
esac
case $tier in live) minutes=22 ;; full) minutes=28 ;; *) echo "a tier is live or full" >&2; exit 2 ;; esac
settings=(); for weight in "${weights[@]}"; do settings+=(--set "$weight"); done
impasto learn "$styles/$reference" --photos training/photos.txt --seed 1 --teacher own --tier "$tier" \
  --from "training/drafts/starry-night-$tier.style" --minutes "$minutes" "${settings[@]}" "${card[@]}" -o "runs/$name-$tier.style" --run "runs/$name-$tier" "${@:3}"
