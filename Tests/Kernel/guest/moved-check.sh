# Activates several pools, one after the other, and says what their volumes read as. vda and vdb hold
# $parameter_count metadata and data devices, one behind the other, of $parameter_metadata and
# $parameter_data sectors; $parameter_blocks are the data blocks of each, with commas.
. /judge.sh

job=0
for blocks in $(echo "$parameter_blocks" | tr , ' '); do
  echo "0 $parameter_metadata linear /dev/vda $((job * parameter_metadata))" |
    dmsetup create "metadata$job" || give_up "no metadata device"
  # No longer than the pool has it.
  echo "0 $((blocks * block)) linear /dev/vdb $((job * parameter_data))" |
    dmsetup create "data$job" || give_up "no data device"
  metadata=/dev/mapper/metadata$job data=/dev/mapper/data$job
  if pool; then
    for id in 0 1 2 3; do
      thin_on $id $((160 * block)) || bad "pool $job: volume $id does not activate"
      echo "@@SUM $job $id $(checksum $id)"
    done
    # It can be worked with, too.
    snapshot 8 0 || bad "pool $job: no snapshot"
    write_blocks 0 0 3 || bad "pool $job: cannot write"
    thin_delete 8 || bad "pool $job: cannot delete"
    teardown
  else
    bad "pool $job does not activate"
  fi
  dmsetup remove "metadata$job"
  dmsetup remove "data$job"
  job=$((job + 1))
done
verdict
