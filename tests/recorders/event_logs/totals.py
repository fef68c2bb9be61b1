#!/usr/bin/env python3
"""Totals of Spark event logs, counted by a second reader that shares no code with the first.

    totals.py LOG... > expected-totals.json

Reads files and rolling directories; plain, and packed with zstd (through the `zstd` command), gzip, lz4-java's blocks,
snappy-java's stream or compress-lzf's chunks, all three decoded here from their descriptions. Checksums are not
checked. Prints one object: file name -> totals and per-stage sums over every finished task attempt.
"""
import gzip
import json
import os
import struct
import subprocess
import sys


def copy_back(out, distance, length):
    start = len(out) - distance
    for i in range(length):
        out.append(out[start + i])


def lz4_block(data):
    out, i = bytearray(), 0
    while i < len(data):
        token = data[i]
        i += 1
        literals = token >> 4
        if literals == 15:
            while True:
                literals += data[i]
                i += 1
                if data[i - 1] != 255:
                    break
        out += data[i:i + literals]
        i += literals
        if i >= len(data):
            break
        distance = data[i] | data[i + 1] << 8
        i += 2
        length = token & 15
        if length == 15:
            while True:
                length += data[i]
                i += 1
                if data[i - 1] != 255:
                    break
        copy_back(out, distance, length + 4)
    return out


def lz4_stream(data):
    out, i = bytearray(), 0
    while i < len(data):
        assert data[i:i + 8] == b"LZ4Block"
        method = data[i + 8] & 0xF0
        packed, plain = struct.unpack_from("<II", data, i + 9)
        body = data[i + 21:i + 21 + packed]
        i += 21 + packed
        out += body if method == 0x10 else lz4_block(body)
    return bytes(out)


def snappy_block(data):
    i = 0
    while data[i] & 0x80:
        i += 1
    i += 1
    out = bytearray()
    while i < len(data):
        tag = data[i]
        i += 1
        kind = tag & 3
        if kind == 0:
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length = int.from_bytes(data[i:i + extra], "little")
                i += extra
            out += data[i:i + length + 1]
            i += length + 1
        elif kind == 1:
            copy_back(out, (tag >> 5) << 8 | data[i], (tag >> 2 & 7) + 4)
            i += 1
        else:
            width = 2 if kind == 2 else 4
            copy_back(out, int.from_bytes(data[i:i + width], "little"), (tag >> 2) + 1)
            i += width
    return out


def snappy_stream(data):
    out, i = bytearray(), 0
    while i < len(data):
        if data[i:i + 8] == b"\x82SNAPPY\0":
            i += 16
            continue
        (packed,) = struct.unpack_from(">I", data, i)
        out += snappy_block(data[i + 4:i + 4 + packed])
        i += 4 + packed
    return bytes(out)


def lzf_chunk(data):
    out, i = bytearray(), 0
    while i < len(data):
        control = data[i]
        i += 1
        if control < 32:
            out += data[i:i + control + 1]
            i += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[i]
            i += 1
        distance = ((control & 31) << 8 | data[i]) + 1
        i += 1
        copy_back(out, distance, length + 2)
    return out


def lzf_stream(data):
    out, i = bytearray(), 0
    while i < len(data):
        assert data[i:i + 2] == b"ZV"
        (packed,) = struct.unpack_from(">H", data, i + 3)
        header = 7 if data[i + 2] == 1 else 5
        body = data[i + header:i + header + packed]
        out += lzf_chunk(body) if data[i + 2] == 1 else body
        i += header + packed
    return bytes(out)


def text_of(path):
    if path.endswith((".zst", ".zstd")):
        return subprocess.run(["zstd", "-dc"], stdin=open(path, "rb"), check=True, capture_output=True).stdout
    with open(path, "rb") as log:
        data = log.read()
    if path.endswith(".gz"):
        return gzip.decompress(data)
    for ending, decode in ((".lz4", lz4_stream), (".snappy", snappy_stream), (".lzf", lzf_stream)):
        if path.endswith(ending):
            return decode(data)
    return data


def lines(path):
    if os.path.isdir(path):
        parts = [name for name in os.listdir(path) if name.startswith("events_")]
        for name in sorted(parts, key=lambda name: int(name.split("_")[1])):
            yield from lines(os.path.join(path, name))
        return
    # Not `splitlines`, which also cuts at characters that JSON allows inside a text.
    for line in text_of(path).decode("utf-8").split("\n"):
        if line:
            yield line


def totals(path):
    sums = dict.fromkeys(
        "jobs stages stage_attempts tasks failed_tasks input_bytes shuffle_write_bytes shuffle_read_bytes "
        "spill_memory_bytes spill_disk_bytes run_time_ms cpu_time_ns gc_time_ms".split(), 0)
    stages, read, executors, version = {}, 0, set(), None
    for line in lines(path):
        event = json.loads(line)
        read += 1
        kind = event["Event"]
        if kind == "SparkListenerLogStart":
            version = event["Spark Version"]
        elif kind == "SparkListenerExecutorAdded":
            executors.add(event["Executor ID"])
        elif kind == "SparkListenerJobStart":
            sums["jobs"] += 1
        elif kind in ("SparkListenerStageSubmitted", "SparkListenerStageCompleted"):
            info = event["Stage Info"]
            stages.setdefault((info["Stage ID"], info["Stage Attempt ID"]), {})
        elif kind == "SparkListenerTaskEnd":
            # Tasks that were lost with their executor have no metrics.
            m = event.get("Task Metrics") or {}
            read_metrics, write = m.get("Shuffle Read Metrics", {}), m.get("Shuffle Write Metrics", {})
            input_metrics = m.get("Input Metrics", {})
            values = {
                "tasks": 1,
                "failed_tasks": int(event["Task End Reason"]["Reason"] != "Success"),
                "input_bytes": input_metrics.get("Bytes Read", 0),
                "input_records": input_metrics.get("Records Read", 0),
                "shuffle_read_bytes": read_metrics.get("Remote Bytes Read", 0) + read_metrics.get("Local Bytes Read", 0),
                "shuffle_read_records": read_metrics.get("Total Records Read", 0),
                "shuffle_write_bytes": write.get("Shuffle Bytes Written", 0),
                "shuffle_write_records": write.get("Shuffle Records Written", 0),
                "output_bytes": m.get("Output Metrics", {}).get("Bytes Written", 0),
                "spill_memory_bytes": m.get("Memory Bytes Spilled", 0),
                "spill_disk_bytes": m.get("Disk Bytes Spilled", 0),
                "run_time_ms": m.get("Executor Run Time", 0),
                "cpu_time_ns": m.get("Executor CPU Time", 0),
                "gc_time_ms": m.get("JVM GC Time", 0),
                "fetch_wait_ms": read_metrics.get("Fetch Wait Time", 0),
                "deserialize_ms": m.get("Executor Deserialize Time", 0),
            }
            stage = stages.setdefault((event["Stage ID"], event["Stage Attempt ID"]), {})
            for key, value in values.items():
                stage[key] = stage.get(key, 0) + value
                if key in sums:
                    sums[key] += value
            # Spark 2 has this one only as an accumulator.
            peaks = [int(a.get("Update", 0)) for a in event["Task Info"]["Accumulables"] if a.get("Name") == "internal.metrics.peakExecutionMemory"]
            peak = max([m.get("Peak Execution Memory", 0)] + peaks)
            stage["peak_execution_memory_bytes"] = max(stage.get("peak_execution_memory_bytes", 0), peak)
    sums["stage_attempts"] = len(stages)
    sums["stages"] = len({stage for stage, _ in stages})
    rows = [{"stage": stage, "attempt": attempt, **values} for (stage, attempt), values in sorted(stages.items())]
    return {"spark_version": version, "lines": read, "executors": sorted(executors), "totals": sums, "stages": rows}


if __name__ == "__main__":
    json.dump({os.path.basename(path): totals(path) for path in sys.argv[1:]}, sys.stdout, indent=1)
    print()
