#: METADATA=4M DATA=32M
# All data blocks are in use; the last writes failed.
pool error_if_no_space || exit 1
thin_new 0 $GiB; thin_new 1 $GiB; write_blocks 0 0 300
snapshot 2 0 $GiB; write_blocks 1 0 300
status
write_blocks 0 0 5
sleep 1
teardown
say "second activation"
pool error_if_no_space
teardown
