import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.*;
import java.util.*;

/**
 * What collecting costs: a live set of known size, then garbage, of which a share replaces part of the live set.
 *
 * Arguments: live share of -Xmx, churn (share of the allocation that replaces live objects), heaps to allocate. One CSV line: the
 * CPU seconds of the collector's threads and of the allocating thread from the end of the build to the end of the load, so that
 * other work on the machine does not count. "oom" instead of "ok" when the heap could not hold the live set or the load.
 */
public final class GcCost {
    private static final double TICK = 100.0;

    public static void main(String[] args) throws Exception {
        double share = Double.parseDouble(args[0]);
        double churn = Double.parseDouble(args[1]);
        double heaps = Double.parseDouble(args[2]);
        long heap = Runtime.getRuntime().maxMemory();
        Random random = new Random(1);
        String end = "ok";
        double allocated = 0;
        double[] before = cpu();
        long collections = collections();
        try {
            byte[][] live = build((long) (share * heap), random);
            before = cpu();
            collections = collections();
            double all = heaps * heap;
            long keep = (long) (churn * Integer.MAX_VALUE);
            while (allocated < all) {
                byte[] made = new byte[64 + random.nextInt(1984)];
                made[0] = 1;
                allocated += made.length + 16;
                if (live.length > 0 && (random.nextInt() & Integer.MAX_VALUE) < keep) {
                    live[random.nextInt(live.length)] = made;
                }
            }
            if (live.length > 0 && live[0] == null) {
                throw new IllegalStateException();
            }
        } catch (OutOfMemoryError error) {
            end = "oom";
        }
        double[] after = cpu();
        System.out.printf(Locale.ROOT, "%d,%.3f,%.3f,%.0f,%.2f,%.2f,%d,%s%n", heap >> 20, share, churn, allocated / (1 << 20),
            after[0] - before[0], after[1] - before[1], collections() - collections, end);
    }

    private static byte[][] build(long bytes, Random random) {
        List<byte[]> live = new ArrayList<>();
        // An object of n bytes takes n + 16, its references here about 8.
        for (long held = 0; held < bytes; ) {
            byte[] made = new byte[64 + random.nextInt(1984)];
            live.add(made);
            held += made.length + 24;
        }
        return live.toArray(new byte[0][]);
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(b -> Math.max(0, b.getCollectionCount())).sum();
    }

    /** CPU seconds of the collector's threads (the VM thread runs serial and full collections), and of the others. */
    private static double[] cpu() throws IOException {
        double[] sums = new double[2];
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads) {
                String stat = Files.readString(thread.resolve("stat"));
                String name = stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                double seconds = (Double.parseDouble(fields[11]) + Double.parseDouble(fields[12])) / TICK;
                boolean collects = name.startsWith("GC Thread") || name.startsWith("G1 ") || name.equals("VM Thread");
                sums[collects ? 0 : 1] += seconds;
            }
        }
        return sums;
    }
}
