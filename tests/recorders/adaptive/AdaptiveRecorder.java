// Records what the real functions of adaptive execution answer to random partition sizes.
//
// Prints a line a case: `coalesce ADVISORY LEAST_TASKS SMALLEST | sizes | first-end ...`, `split TARGET | sizes | starts ...`,
// `status SIZE DECODED`. How to run it: README.md in this folder.

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.MapOutputStatistics;
import org.apache.spark.scheduler.MapStatus$;
import org.apache.spark.sql.execution.CoalescedPartitionSpec;
import org.apache.spark.sql.execution.ShufflePartitionSpec;
import org.apache.spark.sql.execution.adaptive.ShufflePartitionsUtil$;
import scala.Option;
import scala.collection.JavaConverters;
import scala.collection.Seq;

public final class AdaptiveRecorder {
    private static final Random RANDOM = new Random(20_261_125L);

    public static void main(String[] arguments) {
        for (int i = 0; i < 600; i++) {
            coalesce();
        }
        for (int i = 0; i < 400; i++) {
            split();
        }
        for (int i = 0; i < 100; i++) {
            long size = (long) Math.exp(RANDOM.nextDouble() * 22.0);
            System.out.println("status " + size + " " + MapStatus$.MODULE$.decompressSize(MapStatus$.MODULE$.compressSize(size)));
        }
    }

    private static long[] sizes(int most) {
        long[] sizes = new long[1 + RANDOM.nextInt(most)];
        double spread = RANDOM.nextDouble() * 3.0;
        double mean = 1.0 + RANDOM.nextInt(200);
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = RANDOM.nextInt(6) == 0 ? 0 : (long) (mean * Math.exp(spread * RANDOM.nextGaussian()));
        }
        return sizes;
    }

    private static void coalesce() {
        int shuffles = 1 + RANDOM.nextInt(2);
        long[] first = sizes(40);
        List<Option<MapOutputStatistics>> statistics = new ArrayList<>();
        List<Option<Seq<ShufflePartitionSpec>>> none = new ArrayList<>();
        long[] sum = new long[first.length];
        for (int s = 0; s < shuffles; s++) {
            long[] own = new long[first.length];
            for (int i = 0; i < own.length; i++) {
                own[i] = s == 0 ? first[i] : RANDOM.nextInt(100);
                sum[i] += own[i];
            }
            statistics.add(Option.apply(new MapOutputStatistics(s, own)));
            none.add(Option.empty());
        }
        long advisory = 1 + RANDOM.nextInt(1000);
        int least = 1 + RANDOM.nextInt(20);
        long smallest = RANDOM.nextInt(4) == 0 ? 0 : RANDOM.nextInt(300);
        Seq<Seq<ShufflePartitionSpec>> specs = ShufflePartitionsUtil$.MODULE$.coalescePartitions(
            JavaConverters.asScalaBuffer(statistics), JavaConverters.asScalaBuffer(none), advisory, least, smallest);
        StringBuilder line = new StringBuilder("coalesce " + advisory + " " + least + " " + smallest + " | " + text(sum) + " |");
        if (!specs.isEmpty()) {
            for (ShufflePartitionSpec spec : JavaConverters.seqAsJavaList(specs.head())) {
                CoalescedPartitionSpec range = (CoalescedPartitionSpec) spec;
                line.append(" ").append(range.startReducerIndex()).append("-").append(range.endReducerIndex());
            }
        }
        System.out.println(line);
    }

    private static void split() {
        long[] maps = sizes(30);
        long target = 1 + RANDOM.nextInt(2000);
        int[] starts = ShufflePartitionsUtil$.MODULE$.splitSizeListByTargetSize(maps, target, 0.2);
        StringBuilder line = new StringBuilder("split " + target + " | " + text(maps) + " |");
        for (int start : starts) {
            line.append(" ").append(start);
        }
        System.out.println(line);
    }

    private static String text(long[] values) {
        StringBuilder text = new StringBuilder();
        for (long value : values) {
            text.append(text.length() == 0 ? "" : " ").append(value);
        }
        return text.toString();
    }
}
