"""The jobs whose event logs `record.py` keeps: a few seconds each, a few tasks each, runs under Spark's own Python.

    spark-submit … jobs.py JOB FOLDER

FOLDER holds what the job reads and writes. It shares nothing with the reader of the logs.
"""
import os
import signal
import sys
import time

import psutil
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType


def rows(spark, n):
    return spark.range(0, n, 1, 4).select(F.col("id"), (F.col("id") % 7).alias("k"), F.sha1(F.col("id").cast("string")).alias("text"))


def sort(spark, folder):
    """A file is read, shuffled twice, and written."""
    path = os.path.join(folder, "input")
    rows(spark, 20000).write.mode("overwrite").parquet(path)
    spark.read.parquet(path).groupBy("k").agg(F.count("text").alias("n"), F.max("text").alias("m")).orderBy("n", "k").write.mode("overwrite").parquet(
        os.path.join(folder, "output"))


def join(spark, folder):
    """A broadcast hash join and a sort-merge join of the same tables."""
    facts, names = rows(spark, 20000), spark.createDataFrame([(i, "name-%d" % i) for i in range(7)], "k long, name string")
    facts.join(F.broadcast(names), "k").groupBy("name").count().collect()
    facts.hint("merge").join(names.hint("merge"), "k").agg(F.max("text")).collect()


def cache(spark, folder):
    """A cached table read twice, and a cached RDD whose shuffle the second job skips."""
    table = rows(spark, 20000).cache()
    table.count()
    table.groupBy("k").count().collect()
    table.unpersist()
    pairs = spark.sparkContext.parallelize(range(2000), 4).map(lambda n: (n % 5, n)).reduceByKey(lambda a, b: a + b, 3).cache()
    pairs.count()
    pairs.mapValues(lambda n: n + 1).collect()


def udf(spark, folder):
    """A Python UDF in a projection."""
    double = F.udf(lambda n: 2 * n, LongType())
    rows(spark, 5000).select(double("id").alias("d"), "k").groupBy("k").agg(F.sum("d")).collect()


def fail(spark, folder):
    """A job that ends well, and one whose second task fails until Spark gives up."""
    rows(spark, 1000).groupBy("k").count().collect()

    def broken(index, part):
        if index == 1:
            raise ValueError("this partition cannot be read")
        return part

    try:
        spark.sparkContext.parallelize(range(100), 3).mapPartitionsWithIndex(broken).map(lambda n: (n, 1)).reduceByKey(lambda a, b: a + b).collect()
    except Exception as error:
        print("as it should:", type(error).__name__)


def kill(spark, folder):
    """An executor's JVM is killed while it holds map output and runs tasks; the stage is retried elsewhere."""
    sc = spark.sparkContext
    pairs = sc.parallelize(range(8000), 6).map(lambda n: (n % 10, n)).reduceByKey(lambda a, b: a + b, 4)
    pairs.count()
    parent = psutil.Process(os.getppid())
    family = [parent] + parent.children(recursive=True)
    executors = [p for p in family if "CoarseGrainedExecutorBackend" in " ".join(p.cmdline()) and p.name() == "java"]

    def slow(pair):
        time.sleep(0.4)
        return pair

    # The kill comes from a thread of the driver while tasks sleep.
    import threading

    def strike():
        time.sleep(1.2)
        executors[0].send_signal(signal.SIGKILL)

    thread = threading.Thread(target=strike)
    thread.start()
    pairs.map(slow).map(lambda pair: (pair[1] % 3, pair[1])).reduceByKey(lambda a, b: a + b, 2).collect()
    thread.join()


def volume(spark, folder):
    """Jobs whose long descriptions, which each job and stage repeats, fill a rolling log's first file (10 MiB at least)."""
    sc = spark.sparkContext
    for job in range(30):
        sc.setLocalProperty("spark.job.description", ("job %d " % job) * 30000)
        sc.parallelize(range(40), 4).map(lambda n: (n % 3, n)).reduceByKey(lambda a, b: a + b, 2).count()


if __name__ == "__main__":
    job, folder = sys.argv[1:3]
    session = SparkSession.builder.appName("recorded-%s" % job).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    globals()[job](session, folder)
    session.stop()
