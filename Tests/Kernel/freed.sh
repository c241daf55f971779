#!/bin/bash
# freed.sh DMMETA IMAGE [NAME] [COUNT]
#
# Deletes COUNT (5) random sets of devices of thin metadata, each from a copy of its own, and
# compares how many data blocks the kernel gets back with what `thin_ls --free-if-deleted` says.
# SEED=n makes the same choice again. Status 1 if they differ, 2 if there is no answer.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# -ge 2 ] || { echo "usage: freed.sh DMMETA IMAGE [NAME] [COUNT]" >&2; exit 2; }

dmmeta=$(realpath "$1") image=$2
name=${3:-$(basename "$2" .img)}
seed=${SEED:-$RANDOM}
"$kernel_tests/build.sh"
description=$("$kernel_tests/superblock.py" "$image") || exit 2
eval "$description"
[ "$kind" = thin ] || { echo "$image: not thin metadata" >&2; exit 2; }

# One device first, then all of them, then any.
sets=$(awk -v ids="$ids" -v count="${4:-5}" -v seed="$seed" 'BEGIN {
  srand(seed)
  n = split(ids, id, ",")
  for (i = 1; i <= count; i++) {
    set = ""
    share = rand()
    one = 1 + int(rand() * n)
    for (k = 1; k <= n; k++)
      if (i == 2 || k == one || (i > 2 && rand() < share)) set = set (set ? "," : "") id[k]
    printf "%s%s", (i > 1 ? ":" : ""), set
  }
}')

# They go to the kernel on its command line, which has 2048 characters.
[ ${#sets} -le 1500 ] || { echo "freed $name: too many sets of so many devices" >&2; exit 2; }

work=$(mktemp -d "$RIG/freed.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$image" "$work/metadata"
truncate -s "$bytes" "$work/room"
start=$SECONDS status=0
PARAMETERS="block=$block blocks=$blocks sets=$sets" boot "$work" \
  "$kernel_tests/guest/freed.sh" "$work/metadata" "$work/room" || status=$?
if [ $status != 0 ] || ! grep -aq '^@@VERDICT accepted' "$work/output.txt"; then
  grep -aE '^@@' "$work/output.txt" | tail -n 5 || true
  echo "freed $name: the machine did not finish, status $status"
  exit 2
fi
compared=0
while read -r set freed; do
  said=$("$dmmeta" thin_ls --free-if-deleted "$set" "$image" | grep -oE '^[0-9]+')
  if [ "$said" != "$freed" ]; then
    echo "freed $name: $set frees $freed blocks, thin_ls says $said (SEED=$seed)"
    status=1
  fi
  compared=$((compared + 1))
done < <(sed -n 's/^@@FREED //p' "$work/output.txt")
[ $compared = "${4:-5}" ] || status=2
echo "freed $name: $compared sets, status $status ($((SECONDS - start)) s)"
exit $status
