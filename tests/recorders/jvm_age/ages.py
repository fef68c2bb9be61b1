#!/usr/bin/env python3
"""What JVMs hold as they grow older: `ages.py PID [PID ...] > ages.csv`, beside the run, until all have ended.

Twice a second, for each process: CPU seconds, anonymous memory in the heap's address range and all other anonymous memory, MiB. The heap is found where a JVM
with compressed pointers and less than 2 GiB of heap has it, between 2 and 4 GiB. `tests/tests/data/jvm_age.csv` has of such readings the first at or after a few ages.
"""
import os, re, sys, time

LOW, HIGH = 0x80000000, 0x100000000
MAPPING = re.compile(r"^([0-9a-f]+)-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)$")


def held(pid):
    """Anonymous memory of the heap and of everything else, MiB; file pages are nobody's."""
    heap = rest = 0
    kind = None
    for line in open(f"/proc/{pid}/smaps"):
        mapping = MAPPING.match(line)
        if mapping:
            start, name = int(mapping[1], 16), mapping[2]
            kind = "file" if name and not name.startswith("[") else "heap" if LOW <= start < HIGH else "rest"
        elif line.startswith("Anonymous:"):
            kib = int(line.split()[1])
            heap += kib if kind == "heap" else 0
            rest += kib if kind == "rest" else 0
    return heap / 1024, rest / 1024


def cpu_s(pid):
    """User and system time of the process."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    pids = sys.argv[1:]
    if not pids:
        sys.exit(__doc__)
    print("pid,cpu_s,heap_mib,rest_mib")
    while pids:
        for pid in list(pids):
            try:
                age, (heap, rest) = cpu_s(pid), held(pid)
            except OSError:
                pids.remove(pid)
                continue
            print(f"{pid},{age:.2f},{heap:.1f},{rest:.1f}", flush=True)
        time.sleep(0.5)


main()
