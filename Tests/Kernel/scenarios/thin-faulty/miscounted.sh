#: METADATA=4M DATA=1G KERNEL=linux-image-6.1.0-47-amd64
# A kernel with the fault of CVE-2026-46107 took data blocks for free that a snapshot maps; they
# were discarded.
pool || exit 1
miscount
teardown
