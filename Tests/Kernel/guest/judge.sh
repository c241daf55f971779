# Sourced by the scripts that judge: faults are said and counted, and a verdict is given at the end.

faults=0
bad() { say "FAULT: $*"; faults=$((faults + 1)); }

# What dm says when all is well.
harmless='IMA_DISABLE|uevent: version|initialised|[dD]iscard|reached low water mark'
harmless="$harmless|growing the (data|metadata) device"

# verdict: call it last. A complaint of the kernel is a fault as well.
verdict() {
  local complaints
  complaints=$(dmesg | grep -E 'device-mapper|BUG|WARNING|Call Trace|I/O error' |
    grep -vE "$harmless")
  [ -z "$complaints" ] || bad "the kernel complains: $complaints"
  if [ $faults = 0 ]; then echo "@@VERDICT accepted"; else echo "@@VERDICT refused"; fi
}

# give_up REASON: for what leaves nothing to go on with.
give_up() { bad "$*"; verdict; exit 0; }

# Hands vda's content out, on vdb.
copy_out() { sync; dd if=/dev/vda of=/dev/vdb bs=64k conv=notrunc 2>/dev/null; sync; }
