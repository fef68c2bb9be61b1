#!/usr/bin/env python3
"""Records what object hash aggregates hold for each value.

    record.py WORK > object_hash.csv                           (a Python with pyspark 3.5 runs this; Java 17)
    record.py WORK allocation > object_hash_allocation.csv

One JVM of 900 MiB with Serial runs driver and tasks. Each query asks for full collections where it gives out its states, so the collector's
log says what lives then. Allocation is what the tasks' threads have allocated, looked at every 50 ms beside the stage that runs.
"""
import csv, re, sys, threading, time
from pyspark.sql import SparkSession, functions as F

WORK = sys.argv[1]
LOG = f"{WORK}/gc.log"
KINDS = {  # name: column, bytes of a value in a state's array
    "text": (lambda: F.concat(*[F.lpad(F.hex(F.xxhash64("id", F.lit(i))), 16, "0") for i in range(6)]), 104),
    "short text": (lambda: F.lpad(F.hex("id"), 12, "0"), 24),
    "long": (lambda: F.col("id"), 8),
    "struct": (lambda: F.struct(F.col("id").alias("a"), F.lpad(F.hex("id"), 12, "0").alias("b")), 48),
    "array": (lambda: F.array(F.col("id"), F.col("id") + 1), 40),
}


def session():
    java = f"-XX:+UseSerialGC -Xlog:gc:file={LOG}:uptime"
    spark = (SparkSession.builder.master("local[1]").config("spark.driver.memory", "900m").config("spark.driver.extraJavaOptions", java)
             .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.sql.adaptive.enabled", "false")
             .config("spark.local.dir", WORK).getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def collections():
    with open(LOG) as log:
        return [int(m[1]) for m in re.finditer(r"Pause Full \(System.gc\(\)\) \d+M->(\d+)M", log.read())]


def lists(spark, kind, rows, keys, maps):
    key = F.pmod(F.xxhash64("id"), F.lit(keys)).alias("k")
    return spark.range(0, rows, 1, maps).select(key, KINDS[kind][0]().alias("v")).groupBy("k").agg(F.collect_list("v").alias("vs"))


def live(spark, kind, rows, keys, maps):
    """MiB that live before the query, and at most where it gives out its states."""
    spark.conf.set("spark.sql.shuffle.partitions", 1)
    time.sleep(1)
    spark._jvm.java.lang.System.gc()
    before = len(collections())
    spark._jvm.java.lang.System.gc()
    lists(spark, kind, rows, keys, maps).select(F.expr("java_method('java.lang.System', 'gc')"), F.size("vs")).write.format("noop").mode("overwrite").save()
    seen = collections()[before:]
    return seen[0], max(seen[1:])


class Allocation:
    """Bytes that threads of tasks have allocated, by stage."""

    def __init__(self, spark):
        self.tracker = spark.sparkContext.statusTracker()
        self.bean = spark._jvm.java.lang.management.ManagementFactory.getThreadMXBean()
        self.threads = {}

    def total(self):
        ids = self.bean.getAllThreadIds()
        for thread, size in zip(list(ids), list(self.bean.getThreadAllocatedBytes(ids))):
            info = self.bean.getThreadInfo(thread)
            if info is not None and "Executor task" in info.getThreadName():
                self.threads[thread] = max(size, self.threads.get(thread, 0))
        return sum(self.threads.values())

    def by_stage(self, frame, rows):
        last, seen, done = self.total(), {}, []
        query = threading.Thread(target=lambda: (frame.write.format("noop").mode("overwrite").save(), done.append(1)))
        query.start()
        while not done:
            stages, now = self.tracker.getActiveStageIds(), self.total()
            seen.update((stage, now) for stage in stages)
            time.sleep(0.05)
        query.join()
        seen[max(seen)] = self.total()
        out = []
        for stage in sorted(seen):
            out.append(round((seen[stage] - last) / rows, 1))
            last = seen[stage]
        return (out + [""])[:2]


def allocation(spark, out):
    rows = 400_000
    spark.conf.set("spark.sql.shuffle.partitions", 4)
    count = Allocation(spark)
    source = spark.range(0, rows, 1, 2).select(F.pmod(F.xxhash64("id"), F.lit(160)).alias("k"), KINDS["text"][0]().alias("v"))
    sizes = lambda keys: lists(spark, "text", rows, keys, 2).select(F.size("vs"))
    count.by_stage(sizes(4), rows)  # classes load
    out.writerow(["what", "before_shuffle", "behind_shuffle", "result"])
    out.writerow(["source", *count.by_stage(source, rows), "none"])
    out.writerow(["rows", *count.by_stage(source.repartition(4, "k").sortWithinPartitions("k"), rows), "rows"])
    out.writerow(["collect 160 keys: sorts and hashes 40", *count.by_stage(sizes(160), rows), "states"])
    out.writerow(["collect 40 keys: hashes", *count.by_stage(sizes(40), rows), "states"])
    out.writerow(["collect 4 keys and give out the lists", *count.by_stage(lists(spark, "text", rows, 4, 2), rows), "rows"])


def main():
    spark = session()
    out = csv.writer(sys.stdout, lineterminator="\n")
    if sys.argv[2:] == ["allocation"]:
        return allocation(spark, out)
    out.writerow(["kind", "value_bytes", "rows", "keys", "maps", "before_mib", "live_mib"])
    live(spark, "text", 1000, 2, 1)
    for kind, rows in [("text", 300_000), ("short text", 400_000), ("long", 600_000), ("struct", 200_000), ("array", 200_000)]:
        out.writerow([kind, KINDS[kind][1], rows, 4, 4, *live(spark, kind, rows, 4, 4)])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
