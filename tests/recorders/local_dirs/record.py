"""Where a real Spark application puts the files of its local directories.

Prints the name of each file in the block manager's directories and the number of the local directory that it lies in.
"""

import os
import tempfile

from pyspark import StorageLevel
from pyspark.sql import SparkSession

DIRS = 3

with tempfile.TemporaryDirectory() as root:
    dirs = [os.path.join(root, str(number)) for number in range(DIRS)]
    for directory in dirs:
        os.makedirs(directory)
    builder = SparkSession.builder.master("local[2]").config("spark.local.dir", ",".join(dirs)).config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "40").config("spark.sql.adaptive.enabled", "false").getOrCreate()
    rows = spark.range(0, 400_000, 1, 60).selectExpr("id % 1000 as k", "id")
    rows.repartition(40, "k").groupBy("k").count().count()
    cached = spark.sparkContext.parallelize(range(1000), 24).persist(StorageLevel.DISK_ONLY)
    cached.count()
    for number, directory in enumerate(dirs):
        for path, _, files in os.walk(directory):
            if "blockmgr" in path:
                for name in files:
                    print(f"{name}\t{number}")
    spark.stop()
