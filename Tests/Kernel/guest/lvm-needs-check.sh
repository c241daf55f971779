# Only needs_check is set: LVM activates the pool, but the kernel keeps its metadata as it is.
. /lvm.sh
volumes="vg/one vg/snap"
harmless="$harmless|until repaired|switching pool to read-only mode"

# write BLOCK: to a volume, in blocks of the pool.
write() { dd if=/tmp/block of=/dev/vg/one bs=64k seek="$1" conv=notrunc,fsync oflag=direct; }
# pool_is WORDS METADATA DATA: its state; sizes are in blocks.
pool_is() {
  try 0 dmsetup status vg-pool-tpool
  says " $1 "
  says "/$2 "
  says "/$3 "
}

check 0
says "needs_check is set"
same "with needs_check"
pool_is ro 1024 2048
says " needs_check "

say "Blocks that are mapped, and not shared, can be written; a new one can't."
dd if=/dev/vg/one of=/tmp/block bs=64k skip=100 count=1 2>/dev/null
try 0 write 100
try fail write 2000

say "LVM adds space, which the kernel does not use."
try 0 lvextend --poolmetadatasize +4M vg/pool
kernel_says "unable to grow the metadata device until repaired"
try 0 lvextend --size +32M vg/pool
kernel_says "unable to grow the data device until repaired"
pool_is ro 1024 2048

say "It does when the flag is cleared; and more."
inactive
mend
pool_is rw 2048 2560
try 0 lvextend --poolmetadatasize +4M vg/pool
try 0 lvextend --size +32M vg/pool
pool_is rw 3072 3072
same "after needs_check was cleared"
try 0 write 2000
try 0 write 100
inactive
check 0
verdict
