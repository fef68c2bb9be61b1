#!/usr/bin/env python3
"""Records the event logs of the tests with real Spark, and what an independent reader counts in them.

    python3 record.py FOLDER              # runs everything that is missing (about 10 minutes on two cores)
    python3 record.py FOLDER --only join  # those whose name contains `join`
    python3 record.py --expect            # only writes expected.json again

Needs Java 17 and in FOLDER one virtual environment for each version of Spark in `RUNS`, made with

    python3 -m venv FOLDER/venv-3.5.8 && FOLDER/venv-3.5.8/bin/pip install pyspark==3.5.8 setuptools psutil

(Spark 3.3 needs Python 3.10 or older; of Spark 2.4 only the jars are used, which any Python up to 3.9 installs, and its jobs are
`spark2/Jobs.java`, because its Python side and its closure cleaner do not run beside Java 17). Each run is one `spark-submit` of `jobs.py`. What Spark wrote is then made fit
for a repository: values that name the machine (host, user, paths, kernel, Java's and Spark's own places, addresses) are
replaced in the text, and the text is packed again by the same Spark's own `CompressionCodec` class with a flush wherever
Spark flushes. Logs are in `scenarios/tests/data/recorded/`, named SPARK-JOB-VARIANT[.CODEC].
"""
import argparse
import getpass
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "../../../scenarios/tests/data/recorded"))

LOCAL = "local[2]"
CLUSTER = "local-cluster[2,1,512]"
ON, OFF = "true", "false"
METRICS = {
    "spark.eventLog.logStageExecutorMetrics": ON,
    "spark.executor.processTreeMetrics.enabled": ON,
    "spark.executor.metrics.pollingInterval": "100ms",
    "spark.executor.heartbeatInterval": "500ms",
}
NO_AQE = {"spark.sql.adaptive.enabled": OFF}
ROLLING = {"spark.eventLog.rolling.enabled": ON}

# Name, version of Spark, master, job, codec (None: plain), further configuration.
RUNS = [
    ("2.4.8-mixed", "2.4.8", LOCAL, "sort+join+cache", "lz4", {}),
    ("2.4.8-fail", "2.4.8", LOCAL, "fail", "lz4", {}),
    ("3.3.4-sort-aqe", "3.3.4", LOCAL, "sort", "zstd", {}),
    ("3.3.4-join-noaqe", "3.3.4", LOCAL, "join", "lz4", NO_AQE),
    ("3.3.4-fail", "3.3.4", LOCAL, "fail", "lzf", {}),
    ("3.3.4-udf-rolling", "3.3.4", LOCAL, "udf", "snappy", ROLLING),
    ("3.5.8-sort-noaqe", "3.5.8", LOCAL, "sort", "lzf", NO_AQE),
    ("3.5.8-join-aqe", "3.5.8", LOCAL, "join", "snappy", {}),
    ("3.5.8-cache-metrics", "3.5.8", CLUSTER, "cache", "zstd", METRICS),
    ("3.5.8-kill", "3.5.8", CLUSTER, "kill", "lz4", METRICS),
    ("3.5.8-fail", "3.5.8", LOCAL, "fail", None, {}),
    ("3.5.8-volume-rolling", "3.5.8", LOCAL, "volume", "zstd", {**ROLLING, "spark.eventLog.rolling.maxFileSize": "10m"}),
    ("4.0.5-sort-aqe-rolling", "4.0.5", LOCAL, "sort", "zstd", ROLLING),
    ("4.0.5-cache", "4.0.5", LOCAL, "cache", "lz4", {}),
    ("4.3.0-udf-metrics", "4.3.0", CLUSTER, "udf", "snappy", METRICS),
    ("4.0.5-fail-rolling", "4.0.5", LOCAL, "fail", "lzf", ROLLING),
    ("4.3.0-join-aqe", "4.3.0", LOCAL, "join", "zstd", {}),
    ("4.3.0-sort-noaqe", "4.3.0", LOCAL, "sort", "lz4", NO_AQE),
    ("4.3.0-cache", "4.3.0", LOCAL, "cache", None, {}),
]

# Events after which Spark flushes the log.
FLUSHED = ("JobStart", "JobEnd", "StageCompleted", "ExecutorAdded", "ExecutorRemoved", "ApplicationEnd", "UnpersistRDD", "BlockManager", "SQLExecution")

# Values of the environment that say something about a machine and nothing about a job.
EMPTIED = ("System Properties", "Hadoop Properties", "Metrics Properties")


def submit(folder, version, master, job, codec, conf):
    """Runs one job and returns the path of its log."""
    python = os.path.join(folder, "venv-" + version, "bin", "python")
    work = os.path.join(folder, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, "logs"))
    fixed = {
        "spark.eventLog.enabled": ON,
        "spark.eventLog.dir": "file://" + os.path.join(work, "logs"),
        "spark.eventLog.compress": OFF if codec is None else ON,
        "spark.eventLog.compression.codec": codec or "zstd",
        "spark.eventLog.rolling.enabled": OFF,
        "spark.sql.shuffle.partitions": "5",
        "spark.sql.warehouse.dir": os.path.join(work, "warehouse"),
        "spark.local.dir": os.path.join(work, "local"),
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.ui.enabled": OFF,
        "spark.task.maxFailures": "2",
    }
    command = [os.path.join(os.path.dirname(python), "spark-submit"), "--master", master]
    for key, value in {**fixed, **conf}.items():
        command += ["--conf", "%s=%s" % (key, value)]
    command += [os.path.join(HERE, "jobs.py"), job, work]
    if version.startswith("2."):
        settings = {**fixed, **conf, "spark.master": master, "spark.io.compression.codec": codec or "lz4"}
        command = java(folder, version) + ["-Xmx512m"] + ["-D%s=%s" % setting for setting in settings.items()] + ["Jobs", job, work]
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", "SPARK_USER": "recorder", "PYSPARK_PYTHON": python,
           "PYSPARK_DRIVER_PYTHON": python, "SPARK_WORKER_DIR": os.path.join(work, "worker")}
    for name in ("SPARK_HOME", "PYTHONPATH"):
        env.pop(name, None)
    with open(os.path.join(folder, "last-run.txt"), "wb") as out:
        subprocess.run(command, env=env, stdout=out, stderr=subprocess.STDOUT, check=True, cwd=work, timeout=300)
    (log,) = glob.glob(os.path.join(work, "logs", "*"))
    return log


def java(folder, version):
    """The command of a Java that has Spark 2's jars and the classes of `spark2`, compiled once."""
    jars = glob.glob(os.path.join(folder, "venv-" + version, "lib", "python*", "site-packages", "pyspark", "jars"))[0]
    classes = os.path.join(folder, "classes")
    if not os.path.isdir(classes):
        sources = glob.glob(os.path.join(HERE, "spark2", "**", "*.java"), recursive=True)
        subprocess.run(["javac", "-nowarn", "--release", "8", "-cp", os.path.join(jars, "*"), "-d", classes] + sources, check=True, capture_output=True)
    packages = ["java." + name for name in "lang lang.invoke lang.reflect io net nio util util.concurrent util.concurrent.atomic".split()]
    packages += ["sun." + name for name in "nio.ch nio.cs security.action util.calendar".split()]
    opens = [word for package in packages for word in ("--add-opens", "java.base/%s=ALL-UNNAMED" % package)]
    return ["java"] + opens + ["-cp", os.path.pathsep.join([classes, os.path.join(jars, "*")])]


def machine_words(folder, version):
    """What to replace in the text, longest first."""
    spark = subprocess.run([os.path.join(folder, "venv-" + version, "bin", "python"), "-c", "import pyspark; print(pyspark.__path__[0])"],
                           check=True, capture_output=True, text=True).stdout.strip()
    java = os.path.dirname(os.path.dirname(os.path.realpath(shutil.which("java"))))
    words = {
        spark: "/opt/spark",
        os.path.realpath(spark): "/opt/spark",
        java: "/opt/java",
        os.path.join(folder, "work"): "/data",
        os.path.join(folder, "venv-" + version): "/opt/python",
        folder: "/recorder",
        HERE: "/jobs",
        os.path.expanduser("~"): "/recorder-home",
        socket.gethostname(): "localhost",
        os.uname().release: "kernel",
    }
    if getpass.getuser() not in ("", "root"):
        words[getpass.getuser()] = "recorder"
    return sorted(((word, to) for word, to in words.items() if len(word) > 3 or word == "/root"), key=lambda pair: -len(pair[0]))


def scrub(text, words):
    """The text of a log without this machine in it."""
    lines = []
    for line in text.splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerEnvironmentUpdate":
            for key in EMPTIED:
                if key in event:
                    event[key] = {}
            event["Classpath Entries"] = {"/opt/spark/jars/spark-core.jar": "System Classpath"}
            event["JVM Information"] = {key: value for key, value in event["JVM Information"].items() if key in ("Java Version", "Scala Version")}
            line = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        for word, to in words:
            line = line.replace(word, to)
        line = re.sub(r"\b(10|172|192)(\.\d{1,3}){3}\b", "127.0.0.1", line)
        lines.append(line)
    return "".join(line + "\n" for line in lines)


def plain_text(path, folder, version):
    """A log's text by Spark's own codecs."""
    if not re.search(r"\.(zstd|lz4|snappy|lzf)(\.compact)?$", path):
        with open(path, encoding="utf-8") as log:
            return log.read()
    return codec_run(folder, version, "read", path, path + ".txt")


def pack(text, path, folder, version, codec):
    if codec is None:
        with open(path, "w", encoding="utf-8") as log:
            log.write(text)
        return
    with open(path + ".txt", "w", encoding="utf-8") as log:
        log.write(text)
    codec_run(folder, version, "write", path + ".txt", path, codec)
    os.remove(path + ".txt")


CODEC_SCRIPT = r"""
import sys
from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway
mode, source, target, codec, flushed = sys.argv[1:6]
jvm = launch_gateway(SparkConf()).jvm
def stream(codec):
    return jvm.org.apache.spark.io.CompressionCodec.createCodec(jvm.org.apache.spark.SparkConf(False), codec)
if mode == "read":
    codec = source.replace(".compact", "").rsplit(".", 1)[1]
    packed = jvm.java.io.BufferedInputStream(jvm.java.io.FileInputStream(source))
    lines = jvm.java.io.BufferedReader(jvm.java.io.InputStreamReader(stream(codec).compressedContinuousInputStream(packed), "UTF-8"))
    with open(target, "w", encoding="utf-8") as out:
        while True:
            line = lines.readLine()
            if line is None:
                break
            out.write(line + "\n")
else:
    out = stream(codec).compressedContinuousOutputStream(jvm.java.io.BufferedOutputStream(jvm.java.io.FileOutputStream(target)))
    for line in open(source, "rb"):
        out.write(line)
        if any(name.encode() in line[:120] for name in flushed.split(",")):
            out.flush()
    out.close()
"""


def codec_run(folder, version, mode, source, target, codec=""):
    if version.startswith("2."):
        codec = codec or source.rsplit(".", 1)[1]
        subprocess.run(java(folder, version) + ["Pack", mode, source, target, codec, ",".join(FLUSHED)], check=True, capture_output=True)
    else:
        python = os.path.join(folder, "venv-" + version, "bin", "python")
        subprocess.run([python, "-c", CODEC_SCRIPT, mode, source, target, codec, ",".join(FLUSHED)], check=True, capture_output=True)
    if mode == "read":
        with open(target, encoding="utf-8") as log:
            text = log.read()
        os.remove(target)
        return text
    return ""


def record(folder, run):
    name, version, master, job, codec, conf = run
    log = submit(folder, version, master, job, codec, conf)
    words = machine_words(folder, version)
    files = [log] if os.path.isfile(log) else sorted(glob.glob(os.path.join(log, "*")))
    target = os.path.join(DATA, name)
    if os.path.isdir(log):
        shutil.rmtree(target, ignore_errors=True)
        target = os.path.join(DATA, "eventlog_v2_" + name)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
    for file in files:
        if os.path.basename(file).startswith("appstatus"):
            open(os.path.join(target, "appstatus_" + name), "w").close()
            continue
        text = scrub(plain_text(file, folder, version), words)
        to = target + ("." + codec if codec else "")
        if os.path.isdir(target):
            to = os.path.join(target, "events_%s_%s" % (os.path.basename(file).split("_")[1], name) + ("." + codec if codec else ""))
        pack(text, to, folder, version, codec)
    print("recorded", name, flush=True)


def exists(name):
    return any(os.path.basename(path).replace("eventlog_v2_", "").startswith(name) for path in glob.glob(os.path.join(DATA, "*")))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", nargs="?")
    args.add_argument("--only", default="")
    args.add_argument("--expect", action="store_true")
    args = args.parse_args()
    os.makedirs(DATA, exist_ok=True)
    if not args.expect:
        folder = os.path.abspath(args.folder)
        for run in RUNS:
            if args.only in run[0] and not exists(run[0]):
                try:
                    record(folder, run)
                except (subprocess.SubprocessError, ValueError, OSError) as error:
                    print("failed", run[0], error, flush=True)
    sys.path.insert(0, HERE)
    import totals

    expected = {}
    for path in sorted(glob.glob(os.path.join(DATA, "*"))):
        if os.path.basename(path) != "expected.json":
            expected[os.path.basename(path)] = totals.totals(path)
    with open(os.path.join(DATA, "expected.json"), "w") as out:
        json.dump(expected, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
