#: METADATA=2M DATA=4G THIRD=256M LOG=1
# The metadata device lies on dm-log-writes: replay-log.py makes of the log the device as it was
# after any of its writes, so every commit can be interrupted at every place.
new md "$(sectors /dev/vda) log-writes /dev/vda /dev/vdc" || exit 1
metadata=/dev/mapper/md
mark() { dmsetup message md 0 mark "$1"; say "mark $1"; }
mark start
pool || exit 1
mark created
thin_new 0 $GiB; thin_new 1 $GiB; write_blocks 0 0 260; write_random 1 5 40 4096
commit; mark written
transaction 0 1; snapshot 2 0 $GiB; write_blocks 0 100 20; write_blocks 2 0 5
commit; mark snapshot
discard 0 50 60; discard 1 0 4096
commit; mark discarded
message reserve_metadata_snap; write_blocks 1 0 40
commit; mark held
message release_metadata_snap; thin_delete 2
commit; mark deleted
write_random 0 8 60 8192
sleep 1
mark end
teardown
dmsetup remove md
