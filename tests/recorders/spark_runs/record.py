#!/usr/bin/env python3
"""Records small jobs on real Spark: event log, spills, scratch files, kills.

    python3 record.py FOLDER              # runs everything that is missing (about 15 minutes on two cores)
    python3 record.py FOLDER --only sort  # those whose name contains `sort`

Needs Java 17 and in FOLDER one virtual environment for each version of Spark in `RUNS`, made with

    python3 -m venv FOLDER/venv-3.5.6 && FOLDER/venv-3.5.6/bin/pip install pyspark==3.5.6

The jobs are in `Jobs.scala`, compiled by the compiler among Spark's own jars. Executors are JVMs of their own
(`local-cluster`). See README.md beside this file for what is recorded and how.
"""
import argparse
import collections
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "../../tests/data/spark_runs"))
sys.path.insert(0, os.path.join(HERE, "../event_logs"))
import record as logs  # noqa: E402

ONE, TWO_SLOTS, TWO = "local-cluster[1,1,1024]", "local-cluster[1,2,1024]", "local-cluster[2,1,1024]"
NO_AQE = {"spark.sql.adaptive.enabled": "false"}
# 22 775 070 bytes of unified memory of a heap of 1 GiB, or all that the default gives.
TIGHT, ROOMY = {"spark.memory.fraction": "0.03"}, {}
FEW = {"spark.sql.shuffle.partitions": "3"}
NO_BYPASS = {"spark.shuffle.sort.bypassMergeThreshold": "4"}

# Name, Spark, master, job and its numbers, configuration.
RUNS = [
    ("bypass", "3.5.6", ONE, "exchange 300000 3 8", {**TIGHT, **NO_AQE}),
    ("bypass-200", "3.5.6", ONE, "exchange 200000 2 200", {**ROOMY, **NO_AQE}),
    ("unsafe-no-spill", "3.5.6", ONE, "exchange 200000 2 201", {**ROOMY, **NO_AQE}),
    ("unsafe-spill", "3.5.6", ONE, "exchange 900000 3 8", {**TIGHT, **NO_AQE, **NO_BYPASS}),
    ("unsafe-spill-201", "3.5.6", ONE, "exchange 600000 2 201", {**TIGHT, **NO_AQE}),
    ("unsafe-spill-two-slots", "3.5.6", TWO_SLOTS, "exchange 900000 4 8", {**TIGHT, **NO_AQE, **NO_BYPASS}),
    ("unsafe-spill-timsort", "3.5.6", ONE, "exchange 900000 3 8", {**TIGHT, **NO_AQE, **NO_BYPASS, "spark.shuffle.sort.useRadixSort": "false"}),
    ("pairs-no-spill", "3.5.6", ONE, "pairs 100000 2 201", ROOMY),
    ("pairs-spill", "3.5.6", ONE, "pairs 1800000 3 8", {**TIGHT, **NO_BYPASS}),
    ("sort-no-spill", "3.5.6", ONE, "objects 60000 2 8", {**ROOMY, **NO_BYPASS}),
    ("sort-spill", "3.5.6", ONE, "objects 900000 3 8", {**TIGHT, **NO_BYPASS}),
    ("combine-no-spill", "3.5.6", ONE, "combine 200000 2 8", ROOMY),
    ("combine-spill", "3.5.6", ONE, "combine 4500000 3 8", TIGHT),
    ("sql-sort-no-spill", "3.5.6", ONE, "sort 200000 3", {**ROOMY, **NO_AQE}),
    ("sql-sort-spill", "3.5.6", ONE, "sort 900000 3", {**TIGHT, **NO_AQE}),
    ("sql-sort-spill-two-slots", "3.5.6", TWO_SLOTS, "sort 900000 4", {**TIGHT, **NO_AQE}),
    ("aqe-coalesce", "3.5.6", ONE, "aggregate 400000 3", {"spark.sql.shuffle.partitions": "40"}),
    ("aqe-skew", "3.5.6", ONE, "skew 400000 4", {
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "2m",
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": "2m",
    }),
    ("object-hash-few-keys", "3.5.6", ONE, "lists 240000 3 90", {**TIGHT, **NO_AQE, **FEW, **NO_BYPASS}),
    ("object-hash-fallback", "3.5.6", ONE, "lists 900000 3 60000", {**TIGHT, **NO_AQE, **FEW}),
    ("object-hash-threshold", "3.5.6", ONE, "lists 240000 3 90", {**TIGHT, **NO_AQE, **FEW, "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "10"}),
    ("window-small-groups", "3.5.6", ONE, "window 240000 2400", {**TIGHT, **NO_AQE, **FEW}),
    ("window-large-groups", "3.5.6", ONE, "window 450000 3", {**TIGHT, **NO_AQE, **FEW}),
    ("kill-reduce", "3.5.6", TWO, "kill 8 12 1 4", {}),
    ("kill-map", "3.5.6", TWO, "kill 12 8 0 7", {}),
    ("4.3-unsafe-spill", "4.3.0", ONE, "exchange 900000 3 8", {**TIGHT, **NO_AQE, **NO_BYPASS}),
    ("4.3-sort-spill", "4.3.0", ONE, "objects 900000 3 8", {**TIGHT, **NO_BYPASS}),
    ("4.3-sql-sort-spill", "4.3.0", ONE, "sort 900000 3", {**TIGHT, **NO_AQE}),
    ("4.3-kill-reduce", "4.3.0", TWO, "kill 8 12 1 4", {}),
]

LOG4J = """rootLogger.level = info
rootLogger.appenderRef.err.ref = err
appender.err.type = Console
appender.err.name = err
appender.err.target = SYSTEM_ERR
appender.err.layout.type = PatternLayout
appender.err.layout.pattern = %d{UNIX_MILLIS} [%t] %c{1}: %m%n%ex
"""
THREAD = re.compile(r"\[Executor task launch worker for task (\d+)\.(\d+) in stage (\d+)\.(\d+) \(TID \d+\)\] (\w+): .*spilling (sort data|in-memory map)")
KINDS = [("shuffle_data", r"shuffle_\d+_\d+_\d+\.data$"), ("shuffle_index", r"\.index$"), ("checksum", r"\.checksum"),
         ("output_in_progress", r"shuffle_.*\.[0-9a-f-]{36}$"), ("temp_shuffle", r"^temp_shuffle_"), ("temp_local", r"^temp_local_")]


def kind(name):
    return next((kind for kind, pattern in KINDS if re.search(pattern, name)), "other")


class Scratch(threading.Thread):
    """Looks at the block managers' directories without a pause and keeps each one's fullest moment."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.over, self.peaks, self.looks, self.began = root, threading.Event(), {}, 0, time.time()
        self.total = 0

    def run(self):
        managers, known_at = [], 0.0
        while not self.over.is_set():
            now = time.time()
            if now - known_at > 0.2:
                managers, known_at = glob.glob(self.root + "/spark-*/executor-*/blockmgr-*"), now
            total = 0
            for manager in managers:
                kinds = self.sizes(manager)
                held = sum(kinds.values())
                total += held
                if held > self.peaks.get(manager, {"bytes": -1})["bytes"]:
                    self.peaks[manager] = {"bytes": held, "at_ms": int(now * 1000), "kinds": dict(kinds)}
            self.total = max(self.total, total)
            self.looks += 1
            time.sleep(0.003)

    @staticmethod
    def sizes(manager):
        kinds = collections.Counter()
        try:
            for folder in os.scandir(manager):
                for file in os.scandir(folder.path):
                    try:
                        kinds[kind(file.name)] += file.stat().st_size
                    except FileNotFoundError:
                        pass
        except FileNotFoundError:
            pass
        return kinds

    def stop(self):
        self.over.set()
        self.join()
        return round((time.time() - self.began) * 1000 / max(self.looks, 1), 1)


def compile_jobs(folder, version):
    """A jar of `Jobs.scala` for a version of Spark; returns its path."""
    jars = glob.glob(os.path.join(folder, "venv-" + version, "lib/python3*/site-packages/pyspark/jars"))[0]
    target = os.path.join(folder, "jobs-" + version)
    if not os.path.exists(target + ".jar"):
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        subprocess.run(["java", "-cp", jars + "/*", "scala.tools.nsc.Main", "-usejavacp", "-d", target, os.path.join(HERE, "Jobs.scala")], check=True)
        shutil.make_archive(target, "zip", target)
        os.rename(target + ".zip", target + ".jar")
    return target + ".jar"


def submit(folder, version, master, job, conf):
    """Runs one job; returns what was seen of its scratch."""
    work = os.path.join(folder, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, "logs"))
    with open(os.path.join(work, "log4j2.properties"), "w") as out:
        out.write(LOG4J)
    fixed = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": "file://" + os.path.join(work, "logs"),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "1g",
        "spark.executor.extraJavaOptions": "-XX:+UseG1GC -Dlog4j2.configurationFile=file:" + os.path.join(work, "log4j2.properties"),
        "spark.ui.enabled": "false",
        "spark.diskStore.subDirectories": "4",
        "spark.sql.warehouse.dir": os.path.join(work, "warehouse"),
    }
    command = [os.path.join(folder, "venv-" + version, "bin", "spark-submit"), "--master", master, "--class", "Jobs"]
    for key, value in {**fixed, **conf}.items():
        command += ["--conf", "%s=%s" % (key, value)]
    name, *numbers = job.split()
    command += [compile_jobs(folder, version), name, work, *numbers]
    local = os.path.join(work, "local")
    path = os.path.join(folder, "venv-" + version, "bin") + os.pathsep + os.environ["PATH"]
    env = {**os.environ, "PATH": path, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", "SPARK_USER": "recorder", "SPARK_LOCAL_DIRS": local}
    for unwanted in ("SPARK_HOME", "PYTHONPATH"):
        env.pop(unwanted, None)
    scratch = Scratch(local)
    scratch.start()
    with open(os.path.join(folder, "last-run.txt"), "wb") as out:
        subprocess.run(command, env=env, stdout=out, stderr=subprocess.STDOUT, check=True, cwd=work, timeout=900)
    interval = scratch.stop()
    (log,) = glob.glob(os.path.join(work, "logs", "*"))
    return log, scratch, interval


def executors_of(folder, version, app):
    """Executor's number -> its block manager's directory and its log's lines. In `local-cluster` mode the logs are in Spark's own folder."""
    found = {}
    logs_of_app = glob.glob(os.path.join(folder, "venv-" + version, "lib/python3*/site-packages/pyspark/work", app))[0]
    for path in glob.glob(os.path.join(logs_of_app, "*/stderr")):
        with open(path, encoding="utf-8", errors="replace") as log:
            lines = log.readlines()
        manager = next((re.search(r"(\S+/blockmgr-\S+)", line).group(1) for line in lines if "Created local directory at" in line), None)
        found[os.path.basename(os.path.dirname(path))] = (manager, lines)
    shutil.rmtree(logs_of_app)
    return found


def spills_of(executors):
    """Spill lines by stage attempt and task: {"1.0": {"0.0": {"UnsafeExternalSorter": 3}}}."""
    spills = {}
    for _, lines in executors.values():
        for line in lines:
            match = THREAD.search(line)
            if match:
                task, task_attempt, stage, stage_attempt, who, _ = match.groups()
                counts = spills.setdefault(f"{stage}.{stage_attempt}", {}).setdefault(f"{task}.{task_attempt}", {})
                counts[who] = counts.get(who, 0) + 1
    return {stage: dict(sorted(tasks.items())) for stage, tasks in sorted(spills.items())}


def given_way_of(text, spills):
    """Tasks in which a sorter that was read spilled for another consumer, which no line tells: they spilled more than their operators did."""
    given = {}
    for line in text.splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            stage, task = f"{event['Stage ID']}.{event['Stage Attempt ID']}", f"{event['Task Info']['Index']}.{event['Task Info']['Attempt']}"
            told = sum(int(a["Update"]) for a in event["Task Info"]["Accumulables"] if a.get("Name") == "spill size")
            only = set(spills.get(stage, {}).get(task, {})) == {"UnsafeExternalSorter"}
            if only and event["Task Metrics"]["Memory Bytes Spilled"] > told:
                given[stage] = given.get(stage, 0) + 1
    return given


def ends_of(text):
    """Task ends by stage attempt and reason, as the log tells them."""
    ends = {}
    for line in text.splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            key = f"{event['Stage ID']}.{event['Stage Attempt ID']}"
            reasons = ends.setdefault(key, {})
            reason = event["Task End Reason"]["Reason"]
            reasons[reason] = reasons.get(reason, 0) + 1
    return dict(sorted(ends.items()))


def record(folder, run):
    name, version, master, job, conf = run
    log, scratch, interval = submit(folder, version, master, job, conf)
    with open(log, encoding="utf-8") as lines:
        text = lines.read()
    executors = executors_of(folder, version, os.path.basename(log))
    killed = os.path.join(folder, "work/killed")
    first = next(json.loads(line)["Submission Time"] for line in text.splitlines() if '"SparkListenerJobStart"' in line[:60])
    peaks = {number: scratch.peaks[manager] for number, (manager, _) in sorted(executors.items()) if manager in scratch.peaks}
    for peak in peaks.values():
        peak["at_ms"] -= first
    spills = spills_of(executors)
    seen = {
        "spark": version, "master": master, "job": job,
        "spills": spills,
        "ends": ends_of(text),
        "given_way": given_way_of(text, spills),
        "scratch": {"peak_bytes": scratch.total, "executors": peaks, "look_every_ms": interval},
    }
    if os.path.exists(killed):
        with open(killed) as when:
            seen["killed_ms"] = int(when.read()) - first
    os.makedirs(DATA, exist_ok=True)
    with open(os.path.join(DATA, name + ".json"), "w") as out:
        json.dump(seen, out, indent=1)
        out.write("\n")
    with open(os.path.join(DATA, name + ".gz"), "wb") as out:
        out.write(gzip.compress(logs.scrub(text, logs.machine_words(folder, version)).encode(), mtime=0))
    print("recorded", name, flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder")
    args.add_argument("--only", default="")
    args = args.parse_args()
    folder = os.path.abspath(args.folder)
    for run in RUNS:
        if args.only in run[0] and not os.path.exists(os.path.join(DATA, run[0] + ".json")):
            try:
                record(folder, run)
            except (subprocess.SubprocessError, ValueError, OSError) as error:
                print("failed", run[0], error, flush=True)


if __name__ == "__main__":
    main()
