#: METADATA=4M DATA=24M KERNEL=linux-image-6.1.0-47-amd64
# The same as miscounted.sh where there is no room to go on in: what the kernel took for free was
# given to others, and written over.
pool error_if_no_space || exit 1
miscount
teardown
