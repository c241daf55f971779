#: METADATA=4M DATA=2G
# A device is deleted as the last thing before the pool is taken down, so nothing has been written
# over its tree yet: 2, a snapshot of 0 that shares blocks with 0 and 3 and has some of its own.
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 400
thin_new 1 $GiB; write_random 1 11 80 4096
transaction 0 1
snapshot 2 0 $GiB; write_blocks 2 50 30; write_blocks 2 1000 25
transaction 1 2
snapshot 3 2 $GiB; write_blocks 3 60 10; write_blocks 0 300 20
write_blocks 2 1100 40; discard 2 200 15
transaction 2 3
commit
thin_off 2
status
message "delete 2"
teardown
