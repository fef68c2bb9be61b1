// Records what Spark's own unified memory manager answers to random calls; README.md beside this file says how to run it.
//
// Each sequence has pools and blocks of its own, on-heap or in both modes. Requests for execution memory run in threads of
// their own; one whose thread waits in the pool goes on waiting while other calls are made, until something wakes it.

package org.apache.spark

package memory {
  /** Opens what the manager keeps to its package. */
  class RecordedManager(conf: SparkConf, max: Long, region: Long) extends UnifiedMemoryManager(conf, max, region, 1) {
    def acquire(bytes: Long, task: Long, mode: MemoryMode): Long = acquireExecutionMemory(bytes, task, mode)
    def release(bytes: Long, task: Long, mode: MemoryMode): Unit = releaseExecutionMemory(bytes, task, mode)
    def releaseAll(task: Long): Long = releaseAllExecutionMemoryForTask(task)
    def held(task: Long, mode: MemoryMode): Long = synchronized(execution(mode).getMemoryUsageForTask(task))
    def unroll(id: storage.BlockId, bytes: Long, mode: MemoryMode): Boolean = acquireUnrollMemory(id, bytes, mode)
    def releaseUnroll(bytes: Long, mode: MemoryMode): Unit = releaseUnrollMemory(bytes, mode)
    def state(mode: MemoryMode): String = synchronized {
      val stored = if (mode == MemoryMode.ON_HEAP) onHeapStorageMemoryPool else offHeapStorageMemoryPool
      s"${execution(mode).poolSize} ${execution(mode).memoryUsed} ${stored.memoryUsed}"
    }
    private def execution(mode: MemoryMode) =
      if (mode == MemoryMode.ON_HEAP) onHeapExecutionMemoryPool else offHeapExecutionMemoryPool
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
    private val Sequences = 1000
    private val Calls = 24
    private val Tasks = 5
    private val MostWaiting = 3

    def main(args: Array[String]): Unit = {
      println(s"# Recorded from UnifiedMemoryManager of Spark $SPARK_VERSION by tests/recorders/memory/UnifiedMemoryRecorder.scala")
      val random = new Random(20240521L)
      (0 until Sequences).foreach(number => new Sequence(random, bothModes = number % 3 == 2).run())
      System.exit(0)
    }

    /** A request whose thread waits in the pool. */
    private class Waiting(val task: Long, manager: RecordedManager, bytes: Long, mode: MemoryMode) {
      @volatile var granted = -1L
      private val thread = new Thread(() => try granted = manager.acquire(bytes, task, mode) catch { case _: InterruptedException => })
      def start(): this.type = { thread.start(); this }
      /** Whether it waits; else it is over. Only the pool's own wait leaves a thread waiting without a time limit. */
      def settled(): Boolean = {
        while (thread.isAlive && thread.getState != Thread.State.WAITING) Thread.`yield`()
        thread.isAlive
      }
      def interrupt(): Unit = { thread.interrupt(); thread.join() }
    }

    /** One manager with its block store, and the calls made on it. */
    private class Sequence(random: Random, bothModes: Boolean) {
      private val max = 10000L + random.nextInt(990000)
      private val region = (max * random.nextDouble()).toLong
      private val offHeap = if (bothModes) 10000L + random.nextInt(490000) else 0L
      private val conf = {
        val conf = new SparkConf(false)
        if (bothModes) conf.set("spark.memory.offHeap.enabled", "true").set("spark.memory.offHeap.size", s"${offHeap}b") else conf
      }
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
      private val stored = mutable.LinkedHashMap.empty[RDDBlockId, MemoryMode]
      private val waiting = mutable.ArrayBuffer.empty[Waiting]
      private val unrolled = mutable.HashMap.empty[MemoryMode, Long].withDefaultValue(0L)
      private var nextBlock = 0

      def run(): Unit = {
        manager.setMemoryStore(store)
        println(if (bothModes) s"pools $max $region $offHeap ${(offHeap * 0.5).toLong}" else s"pools $max $region")
        (0 until Calls).foreach(_ => tell(random.nextInt(14) match {
          case 0 | 1 | 2 | 3 | 4 => acquire()
          case 5 | 6 => release()
          case 7 => end(task())
          case 8 | 9 => put()
          case 10 => drop()
          case 11 => read()
          case 12 => unroll()
          case _ => releaseUnroll()
        }))
        waiting.foreach(_.interrupt())
      }

      /** A line: the call and its answer, what it evicted, whom it woke, and the pools. */
      private def tell(call: String): Unit = {
        val woken = waiting.filterNot(_.settled()).toList
        waiting --= woken
        val woke = if (woken.isEmpty) "" else woken.map(one => s"${one.task}:${one.granted}").mkString(" woke ", ",", "")
        val off = if (bothModes) " " + manager.state(MemoryMode.OFF_HEAP) else ""
        println(s"$call${takeEvicted()}$woke = ${manager.state(MemoryMode.ON_HEAP)}$off")
      }

      private def mode(): MemoryMode = if (bothModes && random.nextBoolean()) MemoryMode.OFF_HEAP else MemoryMode.ON_HEAP
      private def name(mode: MemoryMode): String = if (mode == MemoryMode.ON_HEAP) "on" else "off"
      private def task(): Long = random.nextInt(Tasks).toLong
      private def amount(mode: MemoryMode): Long = {
        val whole = if (mode == MemoryMode.ON_HEAP) max else offHeap
        random.nextInt(6) match {
          case 0 => 1L + random.nextInt(whole.toInt)
          case 1 => whole * 2
          case _ => 1L + random.nextInt((whole / 6).toInt)
        }
      }

      private def acquire(): String = {
        val (one, in) = (task(), mode())
        if (waiting.exists(_.task == one)) return end(one)
        val bytes = amount(in)
        val request = new Waiting(one, manager, bytes, in).start()
        if (!request.settled()) return s"acq ${name(in)} $one $bytes ${request.granted}"
        waiting += request
        if (waiting.size > MostWaiting) {
          tell(s"acq ${name(in)} $one $bytes wait")
          end(one)
        } else s"acq ${name(in)} $one $bytes wait"
      }
      private def release(): String = {
        val (one, in) = (task(), mode())
        val bytes = math.min(amount(in), manager.held(one, in))
        // A release of nothing, or by a task that waits, would take it out of N (MEM-24).
        if (bytes == 0 || waiting.exists(_.task == one)) return end(one)
        manager.release(bytes, one, in)
        s"rel ${name(in)} $one $bytes"
      }
      /** A task that waits is interrupted first, as a killed one is. */
      private def end(task: Long): String = {
        waiting.filter(_.task == task).foreach { one => one.interrupt(); waiting -= one }
        s"end $task ${manager.releaseAll(task)}"
      }

      private def takeEvicted(): String = {
        val ids = evicted.collect { case id: RDDBlockId => id }.toList
        evicted.clear()
        val (on, off) = ids.partition(stored(_) == MemoryMode.ON_HEAP)
        stored --= ids
        if (ids.isEmpty) "" else (on ++ off).map(_.splitIndex).mkString(" evicted ", ",", "")
      }
      private def put(): String = {
        val (id, in) = (RDDBlockId(random.nextInt(3), nextBlock), mode())
        nextBlock += 1
        val bytes = math.min(amount(in), 2000000L)
        def buffer = if (in == MemoryMode.ON_HEAP) ByteBuffer.allocate(bytes.toInt) else ByteBuffer.allocateDirect(bytes.toInt)
        locks.lockNewBlockForWriting(id, new BlockInfo(StorageLevel.MEMORY_ONLY, ClassTag.Any, false))
        val kept = store.putBytes[Any](id, bytes, in, () => new ChunkedByteBuffer(buffer))
        if (kept) { locks.unlock(id); stored(id) = in } else locks.removeBlock(id)
        s"put ${name(in)} ${id.splitIndex} ${id.rddId} $bytes $kept"
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
      private def pick(): Option[RDDBlockId] = if (stored.isEmpty) None else Some(stored.keys.toSeq(random.nextInt(stored.size)))

      private def unroll(): String = {
        val (rdd, in) = (random.nextInt(3), mode())
        val bytes = amount(in)
        val kept = manager.unroll(RDDBlockId(rdd, 1000000), bytes, in)
        if (kept) unrolled(in) += bytes
        s"unroll ${name(in)} $rdd $bytes $kept"
      }
      private def releaseUnroll(): String = {
        val in = mode()
        val bytes = math.min(amount(in), unrolled(in))
        if (bytes == 0) return end(task())
        manager.releaseUnroll(bytes, in)
        unrolled(in) -= bytes
        s"unrolled ${name(in)} $bytes"
      }
    }
  }
}
