# The metadata has a leak, and needs_check is set: neither LVM nor thin_check lets that pass.
. /lvm.sh
volumes="vg/one vg/snap"

check 1
says "leak: data space map"
says "needs_check is set"
says "--clear-needs-check-flag"
look
try 74 thin_check --auto-repair /dev/mapper/vg-pool_tmeta
says "is a read-only device"
look_away

say "LVM has it checked, but not mended, unless it is asked to."
try fail lvchange -ay vg/pool
says "Manual repair required"
try fail lvextend --poolmetadatasize +4M vg/pool
says "Manual repair required"

mend
same "after leaks were mended"
inactive
check 0
case "$said" in *leak* | *needs_check*) bad "not everything was mended" ;; esac
leave
