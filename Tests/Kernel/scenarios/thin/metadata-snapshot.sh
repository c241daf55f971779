#: METADATA=4M DATA=4G
# A metadata snapshot is held while writing, snapshots and a deletion go on.
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 300
thin_new 1 $GiB; write_random 1 5 80 4096
transaction 0 7
message reserve_metadata_snap
status
write_blocks 0 300 100; write_random 0 9 50 300
snapshot 2 0 $GiB; write_blocks 2 0 30
thin_delete 1
thin_new 3 $GiB; write_blocks 3 0 10
transaction 7 8
teardown
