// Records which consumers Spark's own TaskMemoryManager asks to spill; README.md beside this file says how to run it.
//
// Tasks with a few made-up consumers ask for memory of a small executor. When a consumer is asked to spill, what it
// does is drawn: it frees all that it holds, a part of it, or nothing.

package org.apache.spark.memory

import scala.collection.mutable
import scala.util.Random

import org.apache.spark.{SPARK_VERSION, SparkConf}

object TaskMemoryRecorder {
  private val Sequences = 250
  private val Calls = 24

  def main(args: Array[String]): Unit = {
    println(s"# Recorded from TaskMemoryManager of Spark $SPARK_VERSION by tests/recorders/memory/TaskMemoryRecorder.scala")
    val random = new Random(20240522L)
    (0 until Sequences).foreach(number => new Sequence(random, bothModes = number % 3 == 2).run())
    System.exit(0)
  }

  private class Sequence(random: Random, bothModes: Boolean) {
    private val max = 10000L + random.nextInt(990000)
    private val offHeap = if (bothModes) 10000L + random.nextInt(490000) else 0L
    private val conf = {
      val conf = new SparkConf(false)
      if (bothModes) conf.set("spark.memory.offHeap.enabled", "true").set("spark.memory.offHeap.size", s"${offHeap}b") else conf
    }
    private val memory = new UnifiedMemoryManager(conf, max, max / 2, 1)
    private val told = mutable.ArrayBuffer.empty[String]

    /** A consumer that frees what it likes when it is asked. */
    private class Fake(val number: Int, manager: TaskMemoryManager, mode: MemoryMode) extends MemoryConsumer(manager, 1L << 20, mode) {
      override def spill(size: Long, trigger: MemoryConsumer): Long = {
        val freed = random.nextInt(5) match {
          case 0 => 0L
          case 1 => getUsed / (2 + random.nextInt(5))
          case _ => getUsed
        }
        if (freed > 0) freeMemory(freed)
        told += s"$number:$size:$freed"
        freed
      }
    }

    private val tasks = 1 + random.nextInt(2)
    private val managers = (0 until tasks).map(task => new TaskMemoryManager(memory, task.toLong))
    private val consumers = managers.map { manager =>
      (0 until 2 + random.nextInt(4)).map { number =>
        new Fake(number, manager, if (bothModes && random.nextBoolean()) MemoryMode.OFF_HEAP else MemoryMode.ON_HEAP)
      }
    }

    def run(): Unit = {
      println(if (bothModes) s"pools $max ${max / 2} $offHeap ${(offHeap * 0.5).toLong}" else s"pools $max ${max / 2}")
      consumers.zipWithIndex.foreach { case (own, task) =>
        println(s"task $task " + own.map(one => if (one.getMode == MemoryMode.ON_HEAP) "on" else "off").mkString(" "))
      }
      var over = false
      (0 until Calls).foreach { _ =>
        if (!over) {
          val task = random.nextInt(tasks)
          val one = consumers(task)(random.nextInt(consumers(task).size))
          val call = if (random.nextInt(4) > 0) acquire(task, one) else free(task, one)
          over = call.isEmpty
          if (!over) println(s"${call.get} = " + consumers.flatten.map(_.getUsed).mkString(" "))
        }
      }
    }

    private def amount(one: Fake): Long = {
      val whole = if (one.getMode == MemoryMode.ON_HEAP) max else offHeap
      1L + random.nextInt((whole / (if (random.nextInt(4) == 0) 1 else 4)).toInt)
    }

    /** A request that would wait ends the sequence: what a waiting task gets is the other recording's business. */
    private def acquire(task: Int, one: Fake): Option[String] = {
      val bytes = amount(one)
      var granted = -1L
      told.clear()
      val asker = new Thread(() => try granted = one.acquireMemory(bytes) catch { case _: InterruptedException => })
      asker.start()
      while (asker.isAlive && asker.getState != Thread.State.WAITING) Thread.`yield`()
      if (asker.isAlive) {
        asker.interrupt()
        asker.join()
        return None
      }
      val spills = if (told.isEmpty) "" else told.mkString(" spills ", ",", "")
      Some(s"acq $task ${one.number} $bytes $granted$spills")
    }
    private def free(task: Int, one: Fake): Option[String] = {
      val bytes = math.min(amount(one), one.getUsed)
      if (bytes > 0) one.freeMemory(bytes)
      Some(s"rel $task ${one.number} $bytes")
    }
  }
}
