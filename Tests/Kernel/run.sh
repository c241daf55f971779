#!/bin/bash
# run.sh SCENARIO
#
# Runs one scenario (a name, or a path to one) in the virtual machine; leaves the metadata device as
# $RIG/out/NAME.img, and what happened as NAME.txt. A scenario's head says what it needs:
#   #: METADATA=4M DATA=1G       sizes of vda and vdb
#   #: THIRD=256M                size of vdc, if there shall be one
#   #: LOG=1                     keep vdc, a log of dm-log-writes, as NAME.log
#   #: STATES=1                  keep vdc, copies of the metadata, as NAME.states, and no NAME.img
#   #: ENDS=crash                end, crash (by itself) or power-cut (see KILL_ON in boot.sh)
#   #: KERNEL=PACKAGE[/SUITE]    another kernel than this Debian's own
#   #: MEMORY= TIMEOUT= KILL_ON= KILL_DELAY=   as in boot.sh
# A KERNEL that the environment has goes before the scenario's, an empty one too.
# Fails if the run did not end in the way it says.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# = 1 ] || { echo "usage: run.sh SCENARIO" >&2; exit 2; }

scenario=$1
[ -f "$scenario" ] || scenario=$(echo "$kernel_tests"/scenarios/*/"$1.sh")
[ -f "$scenario" ] || { echo "no scenario $1" >&2; exit 2; }
name=$(basename "$scenario" .sh)

[ -z "${KERNEL+given}" ] || given=$KERNEL
METADATA= DATA= THIRD= LOG= STATES= ENDS=end
eval "$(sed -n 's/^#: //p' "$scenario")"
export KERNEL=${given-${KERNEL:-}}
choose_machine
"$kernel_tests/build.sh"
work=$(mktemp -d "$RIG/run.XXXXXX")
trap 'rm -rf "$work"' EXIT
disks=()
add_disk() { truncate -s "$2" "$work/$1"; disks+=("$work/$1"); }
add_disk metadata "$METADATA"
add_disk data "$DATA"
[ -z "$THIRD" ] || add_disk third "$THIRD"

start=$SECONDS status=0
boot "$work" "$scenario" "${disks[@]}" || status=$?
image=$RIG/out/$name.img
cp --sparse=always "$work/metadata" "$image"
if [ -n "$LOG" ]; then
  cp --sparse=always "$work/third" "$RIG/out/$name.log"
  "$kernel_tests/replay-log.py" "$RIG/out/$name.log" trim
fi
if [ -n "$STATES" ]; then
  rm "$image"
  cp --sparse=always "$work/third" "$RIG/out/$name.states"
fi
{
  echo "kernel $(cat "$machine/kernel"), metadata $METADATA, data $DATA${THIRD:+, third disk $THIRD}"
  echo "--- scenario"
  cat "$scenario"
  echo "--- output"
  cat "$work/output.txt"
} > "$RIG/out/$name.txt"

ended="in no known way, status $status"
if grep -aq '^@@END status=0' "$work/output.txt"; then ended=end
elif [ $status = 0 ] && [ -n "${KILL_ON:-}" ]; then ended=power-cut
elif [ $status = 0 ] && grep -aq '^@@ crash' "$work/output.txt"; then ended=crash
fi
echo "$name: $ended after $((SECONDS - start)) s"
[ "$ended" = "$ENDS" ] || { echo "$name: should have ended: $ENDS" >&2; exit 1; }
