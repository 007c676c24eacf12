#!/usr/bin/env bash
# Join the tiers of a look that training/look.sh or training/filter.sh has learnt into the file that is shipped, with its record:
# training/ship.sh NAME. Every reference must be listed as clean in the data's table of sources, which gives the credits.
set -euo pipefail
name=${1:?which look}
script=filter
case $name in
  turner) script=look told="Sea, smoke and amber light after J. M. W. Turner's Shipwreck of the Minotaur. For dark, grand and weathered shots." ;;
  starry-night) script=look told="Blue and yellow strokes that turn with the forms, after Van Gogh's Starry Night. For skies, nights, portraits." ;;
  kandinsky) script=look told="Hard colours, black lines and overlapping planes, after Kandinsky's Composition VII. For music, titles, dreams." ;;
  monet) script=look told="Lilac, green and blue dabs after Monet's Water Lilies. For gardens, water and soft light." ;;
  watercolour) told="Washes with darker rims on glowing paper; forms stay, detail runs together. A look by rule." ;;
  pencil) told="Graphite on paper: contours, soft tone, hatching along the forms. A look by rule." ;;
  ink) told="Black brush and pen on paper, shadows spotted in. A look by rule." ;;
  comic) told="Ink outlines over flat, saturated colours, as in a modern colour comic. A look by rule." ;;
  flat) told="A few calm areas without outline, for brands: lay your own colours on with --palette. A look by rule." ;;
  oil) told="Thick dabs along the forms, with a little relief. A look by rule." ;;
  neon) told="Night in a city of signs: violet shadows, magenta and cyan lights that glow. A look by rule." ;;
  noir) told="Black and white of the forties: deep shadows, modelled light, a bloom round lamps. A look by rule." ;;
  film) told="A print from a modern colour stock: teal shadows, warm lights, a red glow round lamps. A look by rule." ;;
  retro) told="A snapshot of the seventies: faded blacks, creamy lights, little blue. A look by rule." ;;
  *) echo "no look is called $name" >&2; exit 2 ;;
esac
credits=(); [[ $script == filter ]] && credits=(--sources ../shared/data/SOURCES.tsv)
python tools/ship.py "$name" "runs/$name-live.style" "runs/$name-full.style" --command "training/$script.sh $name" \
  --description "$told" --records training/records "${credits[@]}" "${@:2}"
