// The jobs that `record.py` runs: small, deterministic in what they write, each for one mechanism.
//
// Rows are made by the tasks themselves; the text is hexadecimal digits, so lz4 halves it. Tasks that must take time
// burn CPU time instead of sleeping, because CPU time is what an event log tells.

import java.lang.management.ManagementFactory
import java.nio.file.{Files, Paths}
import java.util.concurrent.atomic.AtomicInteger

import scala.jdk.CollectionConverters._

import org.apache.spark.{HashPartitioner, SparkContext}
import org.apache.spark.scheduler.{SparkListener, SparkListenerTaskEnd}
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.expressions.Window
import org.apache.spark.sql.functions._

object Jobs {
  def main(args: Array[String]): Unit = {
    val Array(job, out) = args.take(2)
    val number = (i: Int) => args(2 + i).toInt
    val spark = SparkSession.builder().getOrCreate()
    val sc = spark.sparkContext
    job match {
      case "exchange" => exchange(spark, rows = number(0), maps = number(1), reducers = number(2))
      case "pairs" => pairs(sc, records = number(0), maps = number(1), reducers = number(2))
      case "objects" => objects(sc, records = number(0), maps = number(1), reducers = number(2))
      case "combine" => combine(sc, records = number(0), maps = number(1), reducers = number(2))
      case "sort" => sort(spark, rows = number(0), reducers = number(1))
      case "aggregate" => aggregate(spark, rows = number(0), maps = number(1))
      case "skew" => skew(spark, rows = number(0), maps = number(1))
      case "lists" => lists(spark, rows = number(0), maps = number(1), keys = number(2))
      case "window" => window(spark, rows = number(0), groups = number(1))
      case "kill" => kill(sc, out, maps = number(0), reducers = number(1), stage = number(2), after = number(3))
    }
    spark.stop()
  }

  private def table(spark: SparkSession, rows: Int, maps: Int): DataFrame =
    spark.range(0, rows, 1, maps).select(
      col("id"), (col("id") % 1000).as("k"), sha1(col("id").cast("string")).as("a"), sha1((col("id") + 1).cast("string")).as("b"))

  /** Rows through one hash exchange: bypass up to 200 partitions, the serialised writer above. */
  private def exchange(spark: SparkSession, rows: Int, maps: Int, reducers: Int): Unit =
    table(spark, rows, maps).repartition(reducers, col("id")).foreachPartition((p: Iterator[org.apache.spark.sql.Row]) => p.foreach(_ => ()))

  /** Pairs of primitives and strings, which Spark serialises with Kryo by itself: above 200 partitions the serialised writer. */
  private def pairs(sc: SparkContext, records: Int, maps: Int, reducers: Int): Unit =
    sc.range(0, records, 1, maps).map(n => (n, text(n))).partitionBy(new HashPartitioner(reducers)).foreach(_ => ())

  /** Other values, Java serialisation: above 200 partitions the sort writer's buffer. */
  private def objects(sc: SparkContext, records: Int, maps: Int, reducers: Int): Unit =
    sc.range(0, records, 1, maps).map(n => (n, Option(text(n)))).partitionBy(new HashPartitioner(reducers)).foreach(_ => ())

  /** Map-side combine with keys that come twice: the sort writer's map. */
  private def combine(sc: SparkContext, records: Int, maps: Int, reducers: Int): Unit =
    sc.range(0, records, 1, maps).map(n => (n / 2, n)).reduceByKey(_ + _, reducers).foreach(_ => ())

  private def text(n: Long): String = "%016x%016x%016x".format(n * 0x9E3779B97F4A7C15L, n * 0xC2B2AE3D27D4EB4FL, n)

  /** A hash exchange and a sort in each of its partitions: the sort operator spills. */
  private def sort(spark: SparkSession, rows: Int, reducers: Int): Unit =
    table(spark, rows, 4).repartition(reducers, col("id")).sortWithinPartitions("a")
      .foreachPartition((p: Iterator[org.apache.spark.sql.Row]) => p.foreach(_ => ()))

  /** Adaptive execution makes few reducers of many small partitions. */
  private def aggregate(spark: SparkSession, rows: Int, maps: Int): Unit =
    table(spark, rows, maps).groupBy("k").agg(max("a"), count("b")).collect()

  /** A sort-merge join with half of one side under one key: adaptive execution splits that partition. */
  private def skew(spark: SparkSession, rows: Int, maps: Int): Unit = {
    val left = table(spark, rows, maps).withColumn("j", when(col("id") % 2 === 0, lit(7L)).otherwise(col("id")))
    val right = spark.range(0, rows / 4, 1, 2).select(col("id").as("j"), sha1(col("id").cast("string")).as("r"))
    left.join(right, "j").agg(max("r"), max("a"), max("b")).collect()
  }

  /** An object hash aggregate, partial and final: it sorts from the 129th key on. */
  private def lists(spark: SparkSession, rows: Int, maps: Int, keys: Int): Unit =
    discard(table(spark, rows, maps).groupBy(col("id") % keys).agg(collect_list("a"), collect_list("b")))

  /** Groups of alike rows, sorted, then buffered one at a time. */
  private def window(spark: SparkSession, rows: Int, groups: Int): Unit = {
    val group = Window.partitionBy("g").orderBy("a").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    discard(table(spark, rows, 4).withColumn("g", col("id") % groups).withColumn("m", max("b").over(group)))
  }

  private def discard(rows: DataFrame): Unit = rows.write.format("noop").mode("overwrite").save()

  /** Burns so much CPU time of this thread. */
  private def burn(ms: Long): Unit = {
    val threads = ManagementFactory.getThreadMXBean
    val until = threads.getCurrentThreadCpuTime + ms * 1000000L
    while (threads.getCurrentThreadCpuTime < until) ()
  }

  /** Executor 1 dies by signal 9 when so many tasks of a stage have ended on it and the others. */
  private def kill(sc: SparkContext, out: String, maps: Int, reducers: Int, stage: Int, after: Int): Unit = {
    val ended = new AtomicInteger
    sc.addSparkListener(new SparkListener {
      override def onTaskEnd(end: SparkListenerTaskEnd): Unit =
        if (end.stageId == stage && end.taskInfo.successful && ended.incrementAndGet() == after) {
          val executor = ProcessHandle.allProcesses().iterator().asScala.find { process =>
            val line = process.info().commandLine().orElse("")
            line.contains("CoarseGrainedExecutorBackend") && line.contains("--executor-id 1 ") && line.contains("java") && line.contains(sc.applicationId)
          }
          val at = System.currentTimeMillis()
          new ProcessBuilder("kill", "-9", executor.get.pid.toString).start().waitFor()
          Files.writeString(Paths.get(out, "killed"), s"$at\n")
        }
    })
    val wide = sc.range(0, maps * 2000L, 1, maps).mapPartitions { p => burn(500); p.map(n => (n, text(n))) }
    wide.partitionBy(new HashPartitioner(reducers)).mapPartitions { p => p.foreach(_ => ()); burn(500); Iterator.single(1) }.foreach(_ => ())
  }
}
