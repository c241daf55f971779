#!/bin/bash
# accept.sh IMAGE [NAME] [ID...]
#
# Does the kernel accept this thin, cache or era metadata? It activates a copy, works on it (reads,
# writes, snapshots, discards, deletions, as the target has them), commits, activates it again and,
# for thin, deletes everything: then no data block may be in use, and no more metadata blocks than
# in a new pool. Status 0: accepted, without a fault or a complaint of the kernel. 1: refused.
# 2: could not be judged. Leaves $RIG/out/accept.NAME.txt and .img, the metadata after the work.
#
# What it cannot see: keys in the wrong place and wrong counts of mapped blocks; kmap.sh can.
#
# ID...: the thin devices to work on, all of them unless given. From the environment:
#   STRICT=1       thin: wrong counts in the metadata space map are faults, not remarks
#   DATABLOCKS=n   thin: a larger data device, which an image whose data is full needs
#   NODELETE=1     thin: do not delete everything
#   DIRTY=n MAPPED=n   cache: so many blocks have to be found
#   ORIGIN=n       cache: the origin's sectors
#   TIMEOUT=s      seconds, 300 unless given
# Full metadata needs a larger device: lengthen a copy of the image, the kernel will make use of it.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# -ge 1 ] || { echo "usage: accept.sh IMAGE [NAME] [ID...]" >&2; exit 2; }

given=$1
name=${2:-$(basename "$given" .img)}
shift $(($# > 1 ? 2 : 1))
"$kernel_tests/build.sh"
description=$("$kernel_tests/superblock.py" "$given") || exit 2
eval "$description"
[ $# = 0 ] || ids=$(IFS=,; echo "$*")

case $kind in
  thin) parameters="blocks=${DATABLOCKS:-$blocks} used=$used transaction=$transaction ids=$ids
    ${STRICT:+strict=1} ${NODELETE:+keep=1}" ;;
  cache) parameters="blocks=$blocks version=$version policy=$policy origin=${ORIGIN:-$origin}
    ${DIRTY:+dirty=$DIRTY} ${MAPPED:+mapped=$MAPPED}" ;;
  era) parameters="blocks=$blocks era=$era" ;;
esac

work=$(mktemp -d "$RIG/accept.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$given" "$work/metadata"
truncate -s "$bytes" "$work/result"
start=$SECONDS status=0
PARAMETERS="block=$block $parameters" \
  boot "$work" "$kernel_tests/guest/accept-$kind.sh" "$work/metadata" "$work/result" || status=$?
cp "$work/output.txt" "$RIG/out/accept.$name.txt"
cp --sparse=always "$work/result" "$RIG/out/accept.$name.img"

grep -aE '^@@ (FAULT|REMARK)' "$work/output.txt" | sed 's/^@@ /  /' | head -n 5 || true
verdict=$(sed -n 's/^@@VERDICT //p' "$work/output.txt")
if [ $status = 0 ] && [ "$verdict" = accepted ]; then
  result=0
elif grep -aq '^@@BOOT' "$work/output.txt"; then
  result=1   # no verdict also means that the kernel choked on it
else
  result=2
fi
echo "accept $name: ${verdict:-no verdict, status $status} ($((SECONDS - start)) s)"
[ -n "$verdict" ] || last_words "$work"
exit $result
