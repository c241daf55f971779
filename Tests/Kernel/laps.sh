#!/bin/bash
# laps.sh DMMETA KIND REOPEN
#
# Linux works on an era device or a cache (KIND) with little room for metadata, which is kept after
# each turn, and opens it anew every REOPEN turns. Blocks get written again and again, for one place
# of the array and then for another. In each state the index of the array is lost: what DMMETA
# brings back must not be wrong, and has to be all in more than half of the states.
# Status 1: something is wrong, 2: there were no states to judge with.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# = 3 ] || { echo "usage: laps.sh DMMETA KIND REOPEN" >&2; exit 2; }

dmmeta=$(realpath "$1") kind=$2 reopen=$3
size=$((512 << 10))
"$kernel_tests/build.sh"
work=$(mktemp -d "$RIG/laps.XXXXXX")
trap 'rm -rf "$work"' EXIT
start=$SECONDS
truncate -s $size "$work/metadata"
truncate -s 1G "$work/origin"
truncate -s 256M "$work/fast"
truncate -s $((size * 60)) "$work/copies"
disks=("$work"/{metadata,origin})
[ "$kind" = era ] || disks+=("$work/fast")
copies=vdc
[ "$kind" = era ] || copies=vdd
PARAMETERS="block=128 kind=$kind reopen=$reopen copies=$copies" TIMEOUT=900 \
  boot "$work" "$kernel_tests/guest/laps.sh" "${disks[@]}" "$work/copies" || exit 2
grep -aq '^@@ worked' "$work/output.txt" || { last_words "$work" >&2; exit 2; }
"$kernel_tests/laps.py" "$dmmeta" "$kind" "$work/copies" $size "$work"
echo "laps, $kind opened anew every $reopen turns ($((SECONDS - start)) s)"
