#!/bin/bash
# random-test.sh DMMETA [KERNEL...]
#
# Random things are done to pools in the emulated machine (random-pool.py says which), on each of
# these kernels for $RANDOM_MINUTES (20 unless given): one with a known fault, this Debian's own, and
# one of the 6.12 series. A KERNEL is named as for build.sh, "own" for this Debian's; with "faulty:"
# in front it may give data away.
#
# Each run starts from a seed, which is printed; SEED=n with RANDOM_MINUTES=0 brings one back. Status
# 1 if anything is wrong.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# -ge 1 ] || { echo "usage: random-test.sh DMMETA [KERNEL...]" >&2; exit 2; }
dmmeta=$(realpath "$1")
shift
[ $# -gt 0 ] ||
  set -- faulty:linux-image-6.1.0-47-amd64 own linux-image-amd64/bookworm-backports

failed=0
for kernel; do
  KERNEL=${kernel#faulty:}
  [ "$KERNEL" != own ] || KERNEL=
  export KERNEL
  choose_machine
  "$kernel_tests/build.sh"
  echo "kernel $(cat "$machine/kernel")"
  faulty=
  case $kernel in faulty:*) faulty=faulty ;; esac
  seed=${SEED:-$((RANDOM << 15 | RANDOM))}
  end=$((SECONDS + ${RANDOM_MINUTES:-20} * 60))
  runs=0
  while [ $runs = 0 ] || [ $SECONDS -lt $end ]; do
    "$kernel_tests/random-pool.py" "$dmmeta" "$seed" $faulty || failed=1
    seed=$((seed + 1)) runs=$((runs + 1))
  done
  echo "$runs runs"
done
exit $failed
