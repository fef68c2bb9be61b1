#!/usr/bin/env python3
"""Totals of Spark event logs, counted by a second reader that shares no code with the first.

    totals.py LOG... > expected-totals.json

Reads plain logs, and zstd ones through the `zstd` command. Prints one object: file name -> totals and
per-stage sums over every finished task attempt.
"""
import json
import os
import subprocess
import sys


def lines(path):
    if path.endswith((".zst", ".zstd")):
        text = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
    else:
        with open(path, "rb") as log:
            text = log.read()
    return text.decode("utf-8").splitlines()


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
        elif kind == "SparkListenerStageCompleted":
            info = event["Stage Info"]
            stages.setdefault((info["Stage ID"], info["Stage Attempt ID"]), {})
        elif kind == "SparkListenerTaskEnd":
            m = event["Task Metrics"]
            read_metrics, write = m["Shuffle Read Metrics"], m["Shuffle Write Metrics"]
            values = {
                "tasks": 1,
                "failed_tasks": int(event["Task End Reason"]["Reason"] != "Success"),
                "input_bytes": m["Input Metrics"]["Bytes Read"],
                "input_records": m["Input Metrics"]["Records Read"],
                "shuffle_read_bytes": read_metrics["Remote Bytes Read"] + read_metrics["Local Bytes Read"],
                "shuffle_read_records": read_metrics["Total Records Read"],
                "shuffle_write_bytes": write["Shuffle Bytes Written"],
                "shuffle_write_records": write["Shuffle Records Written"],
                "output_bytes": m["Output Metrics"]["Bytes Written"],
                "spill_memory_bytes": m["Memory Bytes Spilled"],
                "spill_disk_bytes": m["Disk Bytes Spilled"],
                "run_time_ms": m["Executor Run Time"],
                "cpu_time_ns": m["Executor CPU Time"],
                "gc_time_ms": m["JVM GC Time"],
            }
            stage = stages.setdefault((event["Stage ID"], event["Stage Attempt ID"]), {})
            for key, value in values.items():
                stage[key] = stage.get(key, 0) + value
                if key in sums:
                    sums[key] += value
            stage["peak_execution_memory_bytes"] = max(stage.get("peak_execution_memory_bytes", 0), m["Peak Execution Memory"])
    sums["stage_attempts"] = len(stages)
    sums["stages"] = len({stage for stage, _ in stages})
    rows = [{"stage": stage, "attempt": attempt, **values} for (stage, attempt), values in sorted(stages.items())]
    return {"spark_version": version, "lines": read, "executors": sorted(executors), "totals": sums, "stages": rows}


if __name__ == "__main__":
    json.dump({os.path.basename(path): totals(path) for path in sys.argv[1:]}, sys.stdout, indent=1)
    print()
