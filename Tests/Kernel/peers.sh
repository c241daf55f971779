#!/bin/bash
# peers.sh [DIRECTORY]
#
# Fetches Debian's builds of thin-provisioning-tools, to compare ours with: 0.9.0 (C++, Debian 12)
# and 1.1.0 (Rust, Debian 13). They are unpacked, not installed, as DIRECTORY/VERSION/pdata_tools
# (default .peers in the project's root); each is all tools in one: `pdata_tools thin_check FILE`.
#
# Works from the machine's own Debian mirror with package lists of its own, so the system's apt is
# not touched. A version that is not to be had is named and left out; that is not a failure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
directory=${1:-$here/../../.peers}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

works() { "$directory/$1/pdata_tools" thin_check --version >/dev/null 2>&1; }

# The first Debian archive in the system's sources, in either of the two notations.
mirror() {
  sed -nE -e 's/^URIs: *([^ ]*).*/\1/p' -e 's/^deb (\[[^]]*\] *)?([a-z+]+:[^ ]*).*/\2/p' \
    /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    2>/dev/null | grep -m 1 'debian/*$'
}

# fetch SUITE VERSION: subshell, so that nothing but the result is left behind.
fetch() (
  state=$(mktemp -d)
  trap 'rm -rf "$state"' EXIT
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keys] $(mirror) $1 main" > "$state/sources.list"
  options=(-qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache"
    -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  cd "$state" &&
    apt-get "${options[@]}" update &&
    apt-get "${options[@]}" download "thin-provisioning-tools=$2*" &&
    dpkg -x thin-provisioning-tools_*.deb unpacked &&
    mkdir -p "$directory/$2" &&
    cp unpacked/usr/sbin/pdata_tools "$directory/$2/"
)

for peer in bookworm:0.9.0 trixie:1.1.0; do
  suite=${peer%:*} version=${peer#*:}
  works "$version" || fetch "$suite" "$version" >/dev/null 2>&1 || true
  if works "$version"; then
    echo "peer $version: $directory/$version/pdata_tools"
  else
    rm -rf "${directory:?}/$version"
    echo "peer $version: NOT AVAILABLE (apt has no thin-provisioning-tools $version here)"
  fi
done
