// Records what Spark's own unified memory manager answers to random calls, for `sim-core/tests/recorded_memory.rs`.
//
// The jars of any PySpark 3.x hold all that is needed, the Scala compiler included:
//
//   JARS=$(python3 -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__) + "/jars/*")')
//   mkdir -p out
//   java -cp "$JARS" scala.tools.nsc.Main -usejavacp -d out tests/recorders/UnifiedMemoryRecorder.scala
//   java --add-opens java.base/sun.nio.ch=ALL-UNNAMED -cp "out:$JARS" \
//     org.apache.spark.storage.UnifiedMemoryRecorder > sim-core/tests/data/unified-memory-spark-3.5.txt
//
// Each sequence has pools and blocks of its own. Requests for execution memory run in a thread of their own; one whose
// thread waits in the pool is recorded as `wait`, ends with an interrupt, and its task is released at once.

package org.apache.spark

package memory {
  /** Opens what the manager keeps to its package. */
  class RecordedManager(conf: SparkConf, max: Long, region: Long) extends UnifiedMemoryManager(conf, max, region, 1) {
    def acquire(bytes: Long, task: Long): Long = acquireExecutionMemory(bytes, task, MemoryMode.ON_HEAP)
    def release(bytes: Long, task: Long): Unit = releaseExecutionMemory(bytes, task, MemoryMode.ON_HEAP)
    def releaseAll(task: Long): Long = releaseAllExecutionMemoryForTask(task)
    def held(task: Long): Long = getExecutionMemoryUsageForTask(task)
    def state: String = synchronized {
      val (execution, storage) = (onHeapExecutionMemoryPool, onHeapStorageMemoryPool)
      s"${execution.poolSize} ${storage.poolSize} ${execution.memoryUsed} ${storage.memoryUsed}"
    }
  }
}

package storage {
  import java.nio.ByteBuffer
  import scala.collection.mutable
  import scala.reflect.ClassTag
  import scala.util.Random

  import org.apache.spark.memory.{MemoryMode, RecordedManager}
  import org.apache.spark.serializer.{JavaSerializer, SerializerManager}
  import org.apache.spark.storage.memory.{BlockEvictionHandler, MemoryStore}
  import org.apache.spark.util.io.ChunkedByteBuffer

  object UnifiedMemoryRecorder {
    private val Sequences = 200
    private val Calls = 25

    def main(args: Array[String]): Unit = {
      println(s"# Recorded from UnifiedMemoryManager of Spark $SPARK_VERSION by tests/recorders/UnifiedMemoryRecorder.scala")
      println("# pools M S | acquire TASK BYTES -> granted or wait | release TASK BYTES | end TASK -> bytes freed")
      println("# store BLOCK RDD BYTES -> true or false | drop BLOCK | read BLOCK; `evicted` lists blocks in order")
      println("# after every call: `= execution_pool storage_pool execution_used storage_used`")
      val random = new Random(20240521L)
      (0 until Sequences).foreach(_ => new Sequence(random).run())
      System.exit(0)
    }

    /** One manager with its block store, and the calls made on it. */
    private class Sequence(random: Random) {
      private val conf = new SparkConf(false)
      private val max = 10000L + random.nextInt(990000)
      private val region = (max * random.nextDouble()).toLong
      private val manager = new RecordedManager(conf, max, region)
      private val locks = new BlockInfoManager()
      private val evicted = mutable.ArrayBuffer.empty[BlockId]
      private val handler = new BlockEvictionHandler {
        override private[storage] def dropFromMemory[T: ClassTag](
            id: BlockId, data: () => Either[Array[T], ChunkedByteBuffer]): StorageLevel = {
          evicted += id
          store.remove(id)
          StorageLevel.NONE
        }
      }
      private lazy val store: MemoryStore =
        new MemoryStore(conf, locks, new SerializerManager(new JavaSerializer(conf), conf), manager, handler)
      private val stored = mutable.LinkedHashSet.empty[RDDBlockId]
      private var nextBlock = 0

      def run(): Unit = {
        manager.setMemoryStore(store)
        println(s"pools $max $region")
        (0 until Calls).foreach { _ =>
          val call = random.nextInt(10) match {
            case 0 | 1 | 2 | 3 => acquire()
            case 4 => release()
            case 5 => end(random.nextInt(5).toLong)
            case 6 | 7 => put()
            case 8 => drop()
            case _ => read()
          }
          println(s"$call${takeEvicted()} = ${manager.state}")
        }
      }

      private def amount(): Long = random.nextInt(6) match {
        case 0 => 1L + random.nextInt(max.toInt)
        case 1 => max * 2
        case _ => 1L + random.nextInt((max / 6).toInt)
      }

      private def acquire(): String = {
        val (task, bytes) = (random.nextInt(5).toLong, amount())
        var granted = -1L
        val asker = new Thread(() => try granted = manager.acquire(bytes, task) catch { case _: InterruptedException => })
        asker.start()
        // Only the pool's own wait leaves a thread waiting without a time limit.
        while (asker.isAlive && asker.getState != Thread.State.WAITING) Thread.`yield`()
        if (asker.isAlive) {
          // The state while the task waits is what counts; releasing it is the next line.
          println(s"acquire $task $bytes wait${takeEvicted()} = ${manager.state}")
          asker.interrupt()
          asker.join()
          end(task)
        } else {
          asker.join()
          s"acquire $task $bytes $granted"
        }
      }
      private def takeEvicted(): String = {
        val ids = evicted.collect { case id: RDDBlockId => id }.toList
        evicted.clear()
        stored --= ids
        if (ids.isEmpty) "" else ids.map(_.splitIndex).mkString(" evicted ", ",", "")
      }
      private def release(): String = {
        val task = random.nextInt(5).toLong
        val bytes = math.min(amount(), manager.held(task))
        manager.release(bytes, task)
        s"release $task $bytes"
      }
      private def end(task: Long): String = s"end $task ${manager.releaseAll(task)}"

      private def put(): String = {
        val id = RDDBlockId(random.nextInt(3), nextBlock)
        nextBlock += 1
        val bytes = math.min(amount(), 2000000L)
        locks.lockNewBlockForWriting(id, new BlockInfo(StorageLevel.MEMORY_ONLY, ClassTag.Any, tellMaster = false))
        val kept = store.putBytes[Any](id, bytes, MemoryMode.ON_HEAP, () => new ChunkedByteBuffer(ByteBuffer.allocate(bytes.toInt)))
        if (kept) { locks.unlock(id); stored += id } else locks.removeBlock(id)
        s"store ${id.splitIndex} ${id.rddId} $bytes $kept"
      }
      private def drop(): String = pick() match {
        case Some(id) =>
          locks.lockForWriting(id)
          store.remove(id)
          locks.removeBlock(id)
          stored -= id
          s"drop ${id.splitIndex}"
        case None => end(0L)
      }
      private def read(): String = pick() match {
        case Some(id) => store.getBytes(id); s"read ${id.splitIndex}"
        case None => end(1L)
      }
      private def pick(): Option[RDDBlockId] = if (stored.isEmpty) None else Some(stored.toSeq(random.nextInt(stored.size)))
    }
  }
}
