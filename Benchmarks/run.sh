#!/bin/bash
# run.sh [quick|full] [PROGRAM]
#
# Compares the speed of our program with Debian's thin-provisioning-tools 1.1.0, on metadata that it
# makes for that, and prints Markdown: Benchmarks/run.sh full > Benchmarks/RESULTS.md
# Messages go to standard error. `quick` takes some three minutes, `full`, the default, far longer.
#
# PROGRAM is .build/release/dmmeta unless given; it is built when it isn't there. The environment:
#   PEER=path      another pdata_tools to compare with
#   RUNS=n         measured runs of each, after one that is not (5; quick: 3)
#   BENCH_MEMORY   a folder in memory, with 15 GB to spare (/dev/shm; quick: 3 GB)
#   BENCH_DISK     a folder on a disk, with 6 GB to spare (.bench; quick: 1 GB)
#   BENCH_BUILD    where the measuring program is built (.build-bench)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
export PYTHONDONTWRITEBYTECODE=1 SWIFT_BACKTRACE=enable=no

mode=full program=$root/.build/release/dmmeta
for argument; do
  case $argument in
    quick | full) mode=$argument ;;
    -*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 64 ;;
    *) program=$(realpath "$argument") ;;
  esac
done
if [ ! -x "$program" ]; then
  swift build -c release --package-path "$root" --product dmmeta >&2
fi
if [ -z "${PEER:-}" ]; then
  "$root/Tests/Kernel/peers.sh" >&2
  PEER=$root/.peers/1.1.0/pdata_tools
fi
build=${BENCH_BUILD:-$root/.build-bench}
swift build -c release --package-path "$here" --scratch-path "$build" >&2

exec python3 "$here/compare.py" --mode "$mode" --program "$program" --peer "$PEER" \
  --bench "$build/release/bench" --launch "$build/release/launch" \
  --memory "${BENCH_MEMORY:-/dev/shm}" --disk "${BENCH_DISK:-$root/.bench}" \
  ${RUNS:+--runs "$RUNS"}
