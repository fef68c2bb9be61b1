#!/usr/bin/env python3
"""Records how much heap a JVM touches against the bytes that it has allocated.

    record.py load OUT.csv     garbage loads over live sets of known size: collector x heap x live share x churn
    record.py spark OUT.csv    real executors (a Python with pyspark 3.5 runs this), one a workload and heap size

Needs Java 17 (java, javac, jar) and Linux. Each run is one JVM (and a driver for `spark`), never more than 6 GiB together.
"""
import argparse, csv, itertools, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = ["t_ms", "allocated_mib", "touched_mib", "anon_mib", "committed_mib", "old_mib", "gcs", "built"]
# The official Kubernetes image starts executors with -Xms = -Xmx. Elsewhere the initial heap is 1/64 of the memory that the JVM sees:
# a 16 GiB node for G1; a container just too small to be a server-class machine for Serial.
COLLECTORS = {
    "g1-fixed": lambda mib: ["-XX:+UseG1GC", f"-Xms{mib}m"],
    "g1-grow": lambda mib: ["-XX:+UseG1GC", "-XX:MaxRAM=16g"],
    "serial-grow": lambda mib: ["-XX:+UseSerialGC", "-XX:MaxRAM=1700m"],
}


def build(work):
    subprocess.run(["javac", "-d", work, f"{HERE}/HeapTouch.java"], check=True)
    manifest, jar = f"{work}/manifest", f"{work}/heap_touch.jar"
    with open(manifest, "w") as f:
        f.write("Premain-Class: HeapTouch\nMain-Class: HeapTouch\n")
    subprocess.run(["jar", "cfm", jar, manifest, "-C", work, "."], check=True)
    return jar


def append(out, key, rows):
    fresh = not os.path.exists(out)
    with open(out, "a", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        if fresh:
            w.writerow(["source", "collector", "heap_mib", "live_share", "churn", "rate_mib_s", "seed", "input_mib", "cores"] + COLUMNS)
        for row in rows:
            w.writerow(key + row)


def read(path):
    with open(path) as f:
        return [r for r in list(csv.reader(f))[1:] if len(r) == len(COLUMNS)]


def loads():
    """(collector, heap MiB, live share, churn, MiB/s, seed)"""
    for collector in ["g1-fixed", "serial-grow"]:
        yield from itertools.product([collector], [512, 1024, 2048], [0.05, 0.2, 0.4], [0.0, 0.05], [800], [1])
    yield from itertools.product(["g1-grow"], [512, 1024, 2048], [0.2], [0.05], [800], [1])
    yield from itertools.product(["g1-fixed"], [512, 1024, 2048], [0.2], [0.05], [800], [2, 3])
    yield from itertools.product(["g1-fixed"], [512, 1024], [0.2], [0.05], [200], [1])
    yield "g1-fixed", 4096, 0.2, 0.05, 800, 1


def record_loads(out):
    with tempfile.TemporaryDirectory() as work:
        jar = build(work)
        for collector, heap, live, churn, rate, seed in loads():
            one = f"{work}/one.csv"
            subprocess.run(["java", f"-Xmx{heap}m", *COLLECTORS[collector](heap), "-jar", jar, one, str(live), str(churn), str(rate), "8", str(seed)], check=True)
            append(out, ["load", collector, heap, live, churn, rate, seed, "", 1], read(one))
            print(collector, heap, live, churn, rate, seed, file=sys.stderr, flush=True)


# ---- real executors ----
def shuffle(spark, mib):
    """Three rounds of hash repartition and sort over rows of random text."""
    from pyspark.sql import functions as F
    df = rows(spark, mib)
    for i in range(3):
        df = df.repartition(16, F.hash("k", F.lit(i))).sortWithinPartitions("k")
    df.write.format("noop").mode("overwrite").save()


def cached(spark, mib):
    """Rows cached in columns, read four times."""
    df = rows(spark, mib).persist()
    for _ in range(4):
        df.groupBy("k").count().write.format("noop").mode("overwrite").save()


def rows(spark, mib):
    from pyspark.sql import functions as F
    n = mib * (1 << 20) // 112
    text = [F.lpad(F.hex(F.xxhash64("id", F.lit(1), F.lit(i))), 16, "0") for i in range(6)]
    return spark.range(0, n, 1, 16).select("id", F.pmod(F.hash("id"), F.lit(n)).cast("long").alias("k"), F.concat(*text).alias("v"))


WORKLOADS = {"shuffle": shuffle, "cached": cached}


def executors():
    """(collector, heap MiB, workload, input MiB, cores)"""
    for heap in [512, 1024]:
        for workload, share in [("shuffle", 0.6), ("shuffle", 1.5), ("cached", 0.3)]:
            yield "g1-fixed", heap, workload, int(heap * share), 1
        yield "serial-grow", heap, "shuffle", int(heap * 0.6), 1
    yield "g1-fixed", 2048, "shuffle", 1228, 1


def record_executor(work, jar, out, collector, heap, workload, mib, cores):
    from pyspark.sql import SparkSession
    one = f"{work}/spark-{os.getpid()}.csv"
    java = " ".join(COLLECTORS[collector](heap) + [f"-javaagent:{jar}={one}"])
    spark = (SparkSession.builder.master(f"local-cluster[1,{cores},{heap}]").config("spark.executor.memory", f"{heap}m")
             .config("spark.driver.memory", "700m").config("spark.executor.extraJavaOptions", java).config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
             .config("spark.sql.shuffle.partitions", 16).config("spark.sql.adaptive.enabled", "false")
             .config("spark.local.dir", work).config("spark.sql.autoBroadcastJoinThreshold", "-1").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    WORKLOADS[workload](spark, mib)
    append(out, [f"spark-{workload}", collector, heap, "", "", "", "", mib, cores], read(one))
    spark.stop()


def record_executors(out):
    # One driver process each, so that a driver's state does not reach the next run.
    for run in executors():
        with tempfile.TemporaryDirectory() as work:
            args = [build(work), *map(str, run)]
            subprocess.run([sys.executable, __file__, "executor", out, work, *args], check=False)
            print(*run, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "spark", "executor"])
    parser.add_argument("out")
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.what == "load":
        record_loads(a.out)
    elif a.what == "spark":
        record_executors(a.out)
    else:
        work, jar, collector, heap, workload, mib, cores = a.rest
        record_executor(work, jar, a.out, collector, int(heap), workload, int(mib), int(cores))


if __name__ == "__main__":
    main()
