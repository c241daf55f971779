#: METADATA=4M DATA=1G
# A new pool in which nothing was made.
pool || exit 1
teardown
