#: METADATA=4M DATA=1G THIRD=256M
# Devices over a read-only external origin, one of them larger than it; a snapshot of one.
pool || exit 1
size=$(sectors /dev/vdc)
message "create_thin 0"; thin_on 0 $size /dev/vdc
message "create_thin 1"; thin_on 1 $((size * 2)) /dev/vdc
write_random 0 21 60 4096; write_blocks 1 0 32; write_4k 1 5000
snapshot 2 0 $size /dev/vdc; write_random 2 22 20 4096
teardown
