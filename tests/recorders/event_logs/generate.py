#!/usr/bin/env python3
"""Writes a long event log out of a recorded one, to measure how much memory and time reading takes.

    generate.py MEGABYTES [TASKS_PER_STAGE] > big-log

Events of scenarios/tests/data/recorded/3.5.8-sort-noaqe.lzf are templates: one job after the other of one map stage,
with other ids and other amounts in each task. Lines are as long as Spark's are.
"""
import json
import os
import random
import sys

import totals

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPLATE = os.path.join(HERE, "../../../scenarios/tests/data/recorded/3.5.8-sort-noaqe.lzf")


def dump(event):
    return json.dumps(event, separators=(",", ":")) + "\n"


def main():
    size = int(sys.argv[1]) * 1_000_000
    tasks = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    lines = list(totals.lines(TEMPLATE))
    events = [json.loads(line) for line in lines]
    first = {}
    for event in events:
        first.setdefault(event["Event"], event)
    task_end = next(e for e in events if e["Event"] == "SparkListenerTaskEnd" and e["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Bytes Written"] > 0)
    stage = task_end["Stage ID"]
    job = next(e for e in events if e["Event"] == "SparkListenerJobStart" and stage in e["Stage IDs"])
    info = next(e for e in events if e["Event"] == "SparkListenerStageCompleted" and e["Stage Info"]["Stage ID"] == stage)
    start = next(e for e in events if e["Event"] == "SparkListenerTaskStart" and e["Stage ID"] == stage)
    head = [line for line, event in zip(lines, events) if event["Event"] not in ("SparkListenerApplicationEnd",)]
    head = head[:next(i for i, line in enumerate(head) if "SparkListenerJobStart" in line)]
    # Placeholders that are replaced in the text: dumping each event anew would take ten times as long.
    marks = {"stage": 770001, "task": 770002, "index": 770003, "bytes": 770004, "records": 770005, "cpu": 770006, "job": 770007}
    for event in (task_end, start):
        event["Stage ID"] = marks["stage"]
        event["Task Info"].update({"Task ID": marks["task"], "Index": marks["index"], "Partition ID": marks["index"]})
    metrics = task_end["Task Metrics"]
    metrics["Executor CPU Time"] = marks["cpu"]
    metrics["Shuffle Write Metrics"].update({"Shuffle Bytes Written": marks["bytes"], "Shuffle Records Written": marks["records"]})
    info["Stage Info"]["Stage ID"] = marks["stage"]
    info["Stage Info"]["Number of Tasks"] = tasks
    job["Stage Infos"] = [dict(info["Stage Info"], Accumulables=[])]
    job["Stage Infos"][0].pop("Completion Time", None)
    job["Stage IDs"] = [marks["stage"]]
    job["Job ID"] = marks["job"]
    job["Properties"] = {}
    job_end = dict(first["SparkListenerJobEnd"], **{"Job ID": marks["job"]})
    texts = [dump(event) for event in (job, start, task_end, info, job_end)]
    luck = random.Random(1)

    def fill(text, values):
        for name, value in values.items():
            text = text.replace(str(marks[name]), str(value))
        return text

    out, written, number, task = sys.stdout, 0, 0, 0
    for line in head:
        out.write(line + "\n")
    while written < size:
        place = {"stage": number, "job": number}
        parts = [fill(texts[0], place)]
        begin, end = fill(texts[1], place), fill(texts[2], place)
        for index in range(tasks):
            values = {"task": task, "index": index, "bytes": int(luck.lognormvariate(16, 1)), "records": luck.randrange(100000), "cpu": int(luck.lognormvariate(21, 1))}
            parts += [fill(begin, values), fill(end, values)]
            task += 1
        parts += [fill(texts[3], place), fill(texts[4], place)]
        block = "".join(parts)
        out.write(block)
        written += len(block)
        number += 1
    out.write(dump(first["SparkListenerApplicationEnd"]))


if __name__ == "__main__":
    main()
