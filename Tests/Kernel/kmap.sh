#!/bin/bash
# kmap.sh IMAGE [NAME]
#
# Has the kernel look up every block of every device of thin metadata; leaves what it found as
# $RIG/out/NAME.kmap, lines "device virtual-block data-block". Only the first 120000 blocks of each
# device. Status 1 if a device's details count other than what the kernel found, or if it complains;
# 2 if there is no answer.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# -ge 1 ] || { echo "usage: kmap.sh IMAGE [NAME]" >&2; exit 2; }

limit=120000   # also in kmap.py
name=${2:-$(basename "$1" .img)}
"$kernel_tests/build.sh"
description=$("$kernel_tests/superblock.py" "$1") || exit 2
eval "$description"
[ "$kind" = thin ] || { echo "$1: not thin metadata" >&2; exit 2; }

work=$(mktemp -d "$RIG/kmap.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$1" "$work/metadata"
"$kernel_tests/kmap.py" number "$work/data" $((block * 512)) "$blocks"
truncate -s 512M "$work/result"
start=$SECONDS status=0
PARAMETERS="block=$block blocks=$blocks ids=$ids limit=$limit" boot "$work" \
  "$kernel_tests/guest/kmap.sh" "$work/metadata" "$work/data" "$work/result" || status=$?
grep -aE '^@@ FAULT' "$work/output.txt" | sed 's/^@@ /  /' || true
if [ $status != 0 ] || ! grep -aq '^@@VERDICT' "$work/output.txt"; then
  echo "kmap $name: the machine did not finish, status $status"
  exit 2
fi
grep -aq '^@@VERDICT accepted' "$work/output.txt" || status=1
"$kernel_tests/kmap.py" collect "$work/output.txt" "$work/result" "$RIG/out/$name.kmap" || status=1
echo "kmap $name: $(wc -l < "$RIG/out/$name.kmap") mappings ($((SECONDS - start)) s)"
exit $status
