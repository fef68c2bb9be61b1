#!/bin/sh
# What the kernel charges a cgroup beside the pages of files: while they are in memory, after their reclaim, after the file is gone.
# Usage: slots.sh [DIRECTORY]. Needs root and the memory controller of cgroup version 1; DIRECTORY is on ext4. Prints bytes and pages.
set -eu
root=/sys/fs/cgroup/memory
here=${1:-.}
[ "$(id -u)" = 0 ] && [ -f $root/memory.limit_in_bytes ] || { echo "skipped: needs root and the memory controller of cgroup version 1" >&2; exit 77; }
cg=$root/slots_$$
mkdir "$cg"
trap 'rm -f "$here/slots.dat"; rmdir "$cg"' EXIT
in_cgroup() { sh -c 'echo $$ > "$0/cgroup.procs"; exec "$@"' "$cg" "$@"; }
say() {
    sleep 3 # counters are added up every two seconds
    echo "$1: kernel $(cat "$cg/memory.kmem.usage_in_bytes") B, cache $(($(sed -n 's/^cache //p' "$cg/memory.stat") / 4096)) pages"
}
in_cgroup dd if=/dev/zero of="$here/slots.dat" bs=64k count=6400 2> /dev/null
say "400 MiB written"
sync "$here/slots.dat"
echo 0 > "$cg/memory.force_empty"
say "reclaimed"
in_cgroup dd if="$here/slots.dat" of=/dev/null bs=64k 2> /dev/null
say "read in again"
rm "$here/slots.dat"
say "removed"
echo $((64 << 20)) > "$cg/memory.limit_in_bytes"
for mib in 200 800 2000; do
    in_cgroup dd if=/dev/zero of="$here/slots.dat" bs=64k count=$((mib * 16)) 2> /dev/null
    say "$mib MiB written under a limit of 64 MiB"
    rm "$here/slots.dat"
done
