#!/usr/bin/env bash
# How the shipped looks that follow a rule were learnt (impasto/learn/material/filters/): training/filter.sh NAME live|full
# [WORDS...], run from the root of the repository with the extra `learn` installed and the data beside it (hashes of every file:
# `impasto styles show NAME`). One core per network. Words that follow go to `impasto learn` as they are and overrule.
# When both tiers are there, tools/ship.py makes one file of them.
set -euo pipefail
name=${1:?which look} tier=${2:?tier: live or full}
case $tier in live) minutes=14 ;; full) minutes=18 ;; *) echo "a tier is live or full" >&2; exit 2 ;; esac
impasto learn training/photos.txt --recipe restore --set "look=$name" --seed 1 --teacher own --tier "$tier" \
  --from training/base.style --minutes "$minutes" --set batch=2 --set adversary_from=0.4 --title "${name^}" --look-licence Apache-2.0 \
  -o "runs/$name-$tier.style" --run "runs/$name-$tier" "${@:3}"
