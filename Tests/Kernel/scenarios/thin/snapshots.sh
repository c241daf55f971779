#: METADATA=4M DATA=4G
# Snapshots, also of snapshots, with sharing broken on both sides; devices deleted; several
# transaction ids.
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 500
transaction 0 1
snapshot 1 0 $GiB; write_blocks 0 100 50; write_random 0 7 60 500
transaction 1 2
snapshot 2 0 $GiB; snapshot 3 1 $GiB; write_blocks 3 0 20; write_blocks 2 480 40
transaction 2 3
thin_new 10 $GiB; write_blocks 10 0 64
snapshot 11 10 $GiB; write_random 11 3 30 64; discard 11 10 20
snapshot 4 2; snapshot 5 4; snapshot 6 5
thin_delete 1; thin_delete 10; thin_delete 5
transaction 3 42
write_blocks 0 200 10
teardown
