import java.io.BufferedReader;
import java.io.FileReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.instrument.Instrumentation;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.ObjectName;

/**
 * Records how much of its heap a JVM has touched against the bytes that it has allocated.
 *
 * <p>"Touched" is the resident part of the heap's own address range, read from /proc/self/smaps, so that metaspace, code cache, stacks and
 * malloc do not blur it; they are the rest of RssAnon. Used in two ways: as a Java agent inside a real Spark executor
 * ({@code -javaagent:heap_touch.jar=out.csv}), and as a program that makes garbage at a chosen rate over a chosen live set:
 * {@code HeapTouch OUT LIVE_SHARE CHURN RATE_MIB_S TOTAL_HEAPS SEED}.
 */
public final class HeapTouch {
    private static final long MIB = 1 << 20;

    public static void premain(String out, Instrumentation ignored) throws Exception {
        Recorder.start(out);
    }

    public static void main(String[] args) throws Exception {
        double liveShare = Double.parseDouble(args[1]);
        double churn = Double.parseDouble(args[2]);
        long rate = Long.parseLong(args[3]) * MIB;
        double heaps = Double.parseDouble(args[4]);
        Recorder recorder = Recorder.start(args[0]);
        long max = Runtime.getRuntime().maxMemory();
        new Load(new SplittableRandom(Long.parseLong(args[5])), max, liveShare, churn, rate).run((long) (heaps * max), recorder);
        recorder.finish();
    }

    /** Short-lived objects of row size over a live set of pages; a share of what is allocated replaces a random live page. */
    private static final class Load {
        private static final int PAGE = 16 << 10;
        private static final int RING = 4096;
        private final SplittableRandom random;
        /** Static, or the compiler would let the collector have a live set that is not read again. */
        private static byte[][] live;
        private final byte[][] recent = new byte[RING][];
        private final double churn;
        private final long rate;

        Load(SplittableRandom random, long max, double liveShare, double churn, long rate) {
            this.random = random;
            this.churn = churn;
            this.rate = rate;
            live = new byte[(int) (max * liveShare / (PAGE + 16))][];
        }

        void run(long total, Recorder recorder) throws Exception {
            for (int i = 0; i < live.length; i++) {
                live[i] = new byte[PAGE];
            }
            recorder.mark();
            long begin = System.nanoTime();
            long made = 0;
            long owed = 0;
            int next = 0;
            while (made < total) {
                int size = 64 + random.nextInt(1984);
                recent[next++ & (RING - 1)] = new byte[size];
                made += size;
                owed += (long) (size * churn);
                if (owed >= PAGE && live.length > 0) {
                    live[random.nextInt(live.length)] = new byte[PAGE];
                    made += PAGE;
                    owed -= PAGE;
                }
                if (rate > 0 && (next & 1023) == 0) {
                    long due = begin + (long) (made * 1e9 / rate) - System.nanoTime();
                    if (due > 1_000_000) {
                        Thread.sleep(due / 1_000_000);
                    }
                }
            }
        }
    }

    /** A daemon thread that writes one row whenever enough has been allocated since the last. */
    private static final class Recorder extends Thread {
        private static final Pattern RANGE = Pattern.compile("\\[0x([0-9a-f]+), (?:0x[0-9a-f]+, )?0x([0-9a-f]+)\\)");
        private final com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final long low;
        private final long high;
        private final PrintWriter out;
        private final long begin = System.nanoTime();
        private final java.util.HashMap<Long, Long> byThread = new java.util.HashMap<>();
        private volatile boolean over;
        private volatile boolean built;

        private Recorder(String path, long low, long high) throws IOException {
            this.low = low;
            this.high = high;
            out = new PrintWriter(path, "US-ASCII");
            out.println("t_ms,allocated_mib,touched_mib,anon_mib,committed_mib,old_mib,gcs,built");
            setDaemon(true);
            setName("heap-touch");
        }

        static Recorder start(String path) throws Exception {
            String info = (String) ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "gcHeapInfo", new Object[] {new String[0]},
                    new String[] {String[].class.getName()});
            // The reserved range is the union of the generations' (Serial prints each, G1 one for all).
            long low = Long.MAX_VALUE;
            long top = 0;
            for (String line : info.split("\n")) {
                Matcher range = RANGE.matcher(line);
                if (!line.contains("etaspace") && !line.contains("class space") && range.find()) {
                    low = Math.min(low, Long.parseUnsignedLong(range.group(1), 16));
                    top = Math.max(top, Long.parseUnsignedLong(range.group(2), 16));
                }
            }
            Recorder recorder = new Recorder(path, low, Math.max(top, low + Runtime.getRuntime().maxMemory()));
            recorder.start();
            return recorder;
        }

        void mark() {
            built = true;
        }

        void finish() throws InterruptedException {
            over = true;
            join();
        }

        @Override
        public void run() {
            long step = Runtime.getRuntime().maxMemory() / 16;
            long last = -step;
            try {
                while (!over) {
                    long now = allocated();
                    if (now - last >= (now < 32 * step ? step : 8 * step)) {
                        last = now;
                        row(now);
                    }
                    Thread.sleep(5);
                }
                row(allocated());
            } catch (IOException | InterruptedException e) {
                out.println("# " + e);
            }
            out.close();
        }

        /** Threads that have ended keep what they had allocated when last seen. */
        private long allocated() {
            long[] ids = threads.getAllThreadIds();
            long[] bytes = threads.getThreadAllocatedBytes(ids);
            for (int i = 0; i < ids.length; i++) {
                if (bytes[i] >= 0) {
                    byThread.merge(ids[i], bytes[i], Math::max);
                }
            }
            return byThread.values().stream().mapToLong(Long::longValue).sum();
        }

        private void row(long allocated) throws IOException {
            long committed = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getCommitted();
            long old = 0;
            for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
                old += pool.getName().matches(".*(Old|Tenured) Gen") ? pool.getUsage().getUsed() : 0;
            }
            long gcs = 0;
            for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
                gcs += gc.getCollectionCount();
            }
            out.printf("%d,%d,%d,%d,%d,%d,%d,%d%n", (System.nanoTime() - begin) / 1_000_000, allocated / MIB, touched() / 1024, anon() / 1024,
                    committed / MIB, old / MIB, gcs, built ? 1 : 0);
            out.flush();
        }

        /** KiB resident in the heap's address range. */
        private long touched() throws IOException {
            long sum = 0;
            boolean inside = false;
            try (BufferedReader smaps = new BufferedReader(new FileReader("/proc/self/smaps"))) {
                for (String line = smaps.readLine(); line != null; line = smaps.readLine()) {
                    int dash = line.indexOf('-');
                    if (dash > 0 && dash <= 16 && Character.digit(line.charAt(0), 16) >= 0 && line.indexOf(' ') > dash) {
                        long start = Long.parseUnsignedLong(line.substring(0, dash), 16);
                        inside = start >= low && start < high;
                    } else if (inside && line.startsWith("Rss:")) {
                        sum += kib(line);
                    }
                }
            }
            return sum;
        }

        private static long anon() throws IOException {
            try (BufferedReader status = new BufferedReader(new FileReader("/proc/self/status"))) {
                for (String line = status.readLine(); line != null; line = status.readLine()) {
                    if (line.startsWith("RssAnon:")) {
                        return kib(line);
                    }
                }
            }
            return 0;
        }

        private static long kib(String line) {
            return Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
    }
}
