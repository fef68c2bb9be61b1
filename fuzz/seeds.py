#!/usr/bin/env python3
"""Seeds for the target `event_log`: recorded files of every codec, and short plain logs.

    seeds.py FOLDER
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/recorders/event_logs"))
import totals  # noqa: E402

DATA = os.path.join(HERE, "../scenarios/tests/data/recorded")
# The first byte is the index of the file name in the target.
NAMES = {"": 0, ".zstd": 1, ".lz4": 2, ".snappy": 3, ".lzf": 5}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for base, _, names in os.walk(DATA):
        for name in names:
            path = os.path.join(base, name)
            ending = os.path.splitext(name)[1]
            if name == "expected.json" or os.path.getsize(path) == 0:
                continue
            kind = NAMES.get(ending, 0)
            with open(path, "rb") as log:
                data = log.read()
            if len(data) < 60000:
                with open(os.path.join(folder, name), "wb") as out:
                    out.write(bytes([kind]) + data)
            # One line of each kind, the shortest, in the order of the log.
            shortest = {}
            for line in totals.text_of(path).decode().split("\n"):
                kind = line[:90].split('"')[3] if line.startswith('{"Event"') else ""
                if kind and len(line) < 6000 and (kind not in shortest or len(line) < len(shortest[kind])):
                    shortest[kind] = line
            with open(os.path.join(folder, name + ".short"), "wb") as out:
                out.write(b"\0" + "".join(line + "\n" for line in shortest.values()).encode())


if __name__ == "__main__":
    main()
