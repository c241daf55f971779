#: METADATA=4M DATA=1G
# The data blocks of a deleted device are given, after the next activation, to a new one.
pool no_discard_passdown || exit 1
thin_new 0 $GiB; write_blocks 0 0 150; teardown
pool no_discard_passdown; message "delete 0"; teardown
pool no_discard_passdown; thin_new 1 $GiB; write_blocks 1 5 150; teardown
