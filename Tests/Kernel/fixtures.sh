#!/bin/bash
# fixtures.sh [NAME...]
#
# Makes the images below fixtures/kernel/ anew, or only those named, by running their scenarios.
# Runs of a scenario are alike but not byte for byte, so the images are kept, not made by the tests.
set -euo pipefail
. "$(dirname "$0")/boot.sh"

cd "$kernel_tests/scenarios"
if [ $# = 0 ]; then
  scenarios=(*/*.sh)
else
  scenarios=("${@/#/*/}")
  # shellcheck disable=SC2206  # the patterns are meant to expand
  scenarios=(${scenarios[@]/%/.sh})
fi
failed=0
for scenario in "${scenarios[@]}"; do
  target=$(dirname "$scenario")
  name=$(basename "$scenario" .sh)
  "$kernel_tests/run.sh" "$scenario" || { failed=1; continue; }
  mkdir -p "$project/fixtures/kernel/$target"
  for kind in img log states; do
    made=$RIG/out/$name.$kind
    [ ! -e "$made" ] || xz -9e -c "$made" > "$project/fixtures/kernel/$target/$name.$kind.xz"
  done
done
exit $failed
