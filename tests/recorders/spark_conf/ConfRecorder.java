import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

import org.apache.spark.network.util.ConfigProvider;
import org.apache.spark.network.util.TransportConf;

/**
 * Writes what a Spark release itself says of its configuration, one tab-separated row a fact.
 *
 * <p>Every class of Spark's own jars that builds configuration entries is initialised; entries register themselves, and the
 * registry is read. Keys of the transport layer are no entries: they are recorded by asking every getter. Rows:
 * {@code entry key kind default since alternatives prepended doc}, {@code transport key default}, {@code old key new sample},
 * {@code dropped key}. A kind comes from what the entry's own converter makes of sample texts. Run with all jars of the release on the class path.
 */
public final class ConfRecorder {
    private static final byte[] BUILDER = "org/apache/spark/internal/config/ConfigBuilder".getBytes(StandardCharsets.ISO_8859_1);
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        initialiseAll(Path.of(args[0]));
        Object registry = module("org.apache.spark.internal.config.ConfigEntry$");
        Map<String, Object> entries = new TreeMap<>();
        for (Object entry : ((Map<?, ?>) field(registry, "knownConfigs")).values()) {
            entries.put((String) call(entry, "key"), entry);
        }
        try {
            for (Object entry : (Collection<?>) call(registry, "listAllProtoDefinedConfigs")) {
                entries.putIfAbsent((String) call(entry, "key"), entry);
            }
        } catch (NoSuchMethodException older) {
            // Releases before 4.2 have no such definitions.
        }
        for (Object entry : entries.values()) {
            entry(entry);
        }
        transport();
        Object conf = module("org.apache.spark.SparkConf$");
        alternatives((scala.collection.Map<?, ?>) field(conf, "org$apache$spark$SparkConf$$configsWithAlternatives"));
        dropped((scala.collection.Map<?, ?>) field(conf, "deprecatedConfigs"));
        Object sql = module("org.apache.spark.sql.internal.SQLConf$");
        dropped((scala.collection.Map<?, ?>) call(sql, "removedSQLConfigs"));
        OUT.flush();
        System.exit(0);
    }

    private static void initialiseAll(Path jars) throws Exception {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(jars, "spark-*.jar")) {
            for (Path jar : all) {
                try (JarFile file = new JarFile(jar.toFile())) {
                    for (JarEntry entry : Collections.list(file.entries())) {
                        if (entry.getName().endsWith(".class") && mentionsBuilder(file, entry)) {
                            initialise(entry.getName().replace('/', '.').substring(0, entry.getName().length() - 6));
                        }
                    }
                }
            }
        }
    }

    private static boolean mentionsBuilder(JarFile file, JarEntry entry) throws Exception {
        try (InputStream in = file.getInputStream(entry)) {
            byte[] bytes = in.readAllBytes();
            outer:
            for (int i = 0; i + BUILDER.length <= bytes.length; i++) {
                for (int j = 0; j < BUILDER.length; j++) {
                    if (bytes[i + j] != BUILDER[j]) {
                        continue outer;
                    }
                }
                return true;
            }
            return false;
        }
    }

    private static void initialise(String name) {
        try {
            Class.forName(name);
        } catch (Throwable problem) {
            System.err.println("not initialised: " + name + ": " + problem);
        }
    }

    private static void entry(Object entry) throws Exception {
        String key = (String) call(entry, "key");
        String shown;
        try {
            shown = (String) call(entry, "defaultValueString");
        } catch (ReflectiveOperationException problem) {
            shown = "<default function>";
        }
        if (entry.getClass().getSimpleName().equals("ConfigEntryWithDefaultFunction")) {
            shown = "<default function>";
        }
        StringBuilder others = new StringBuilder();
        scala.collection.Iterator<?> names = ((scala.collection.Iterable<?>) call(entry, "alternatives")).iterator();
        while (names.hasNext()) {
            others.append(others.isEmpty() ? "" : ",").append(names.next());
        }
        scala.Option<?> prepended = (scala.Option<?>) call(entry, "prependedKey");
        row("entry", key, kind(call(entry, "valueConverter")), shown, (String) call(entry, "version"), others.toString(),
                prepended.isDefined() ? prepended.get().toString() : "", (String) call(entry, "doc"));
    }

    /** What a converter makes of samples: the first that it takes and that is telling names the kind. */
    private static String kind(Object converter) {
        if (probe(converter, "true") instanceof Boolean) {
            return "bool";
        }
        long[] ms = {86_400_000, 3_600_000, 600_000, 60_000, 10_000, 1000, 1};
        for (long sample : ms) {
            if (probe(converter, sample + "ms") instanceof Number number) {
                double ratio = sample / number.doubleValue();
                return ratio == 1 ? "time-ms" : ratio == 1000 ? "time-s" : ratio == 60_000 ? "time-min" : ratio == 3_600_000 ? "time-h" : "time-ns";
            }
        }
        String[] sizes = {"1g", "100m", "10m", "1m", "512k", "32k", "1k", "1b", "64g"};
        long[] bytes = {1L << 30, 100L << 20, 10L << 20, 1L << 20, 512L << 10, 32L << 10, 1L << 10, 1, 64L << 30};
        for (int i = 0; i < sizes.length; i++) {
            if (probe(converter, sizes[i]) instanceof Number number) {
                double ratio = bytes[i] / number.doubleValue();
                return ratio == 1 ? "size-b" : ratio == 1024 ? "size-k" : ratio == 1 << 20 ? "size-m" : ratio == 1 << 30 ? "size-g" : "size-?" + ratio;
            }
        }
        for (String sample : List.of("1", "7", "0", "100", "2048", "-1", "10000", "0.5", "0.1", "1.5")) {
            Object value = probe(converter, sample);
            if (value instanceof Integer || value instanceof Long) {
                return "int";
            }
            if (value instanceof Double) {
                return "number";
            }
            if (value instanceof Boolean) {
                return "bool";
            }
        }
        return "text";
    }

    private static Object probe(Object converter, String sample) {
        try {
            Object value = ((scala.Function1<String, ?>) converter).apply(sample);
            return value instanceof scala.Option<?> option && option.isDefined() ? option.get() : value;
        } catch (RuntimeException | ExceptionInInitializerError refused) {
            return null;
        }
    }

    private static void transport() throws Exception {
        Map<String, String> asked = new TreeMap<>();
        ConfigProvider provider = new ConfigProvider() {
            @Override
            public String get(String name) {
                asked.putIfAbsent(name, "");
                throw new NoSuchElementException(name);
            }

            @Override
            public String get(String name, String otherwise) {
                asked.put(name, otherwise == null ? "" : otherwise);
                return otherwise;
            }

            @Override
            public Iterable<Map.Entry<String, String>> getAll() {
                return List.of();
            }
        };
        for (String name : List.of("shuffle", "rpc")) {
            TransportConf conf = new TransportConf(name, provider);
            for (Method method : TransportConf.class.getMethods()) {
                if (method.getDeclaringClass() == TransportConf.class && method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers())) {
                    try {
                        method.invoke(conf);
                    } catch (ReflectiveOperationException needsMore) {
                        System.err.println("asked in vain: " + method.getName());
                    }
                }
            }
        }
        for (Map.Entry<String, String> both : asked.entrySet()) {
            row("transport", both.getKey(), both.getValue());
        }
    }

    /** Old names that are read for a new one; what the translation makes of 7 shows its form. */
    private static void alternatives(scala.collection.Map<?, ?> all) throws Exception {
        scala.collection.Iterator<?> pairs = all.iterator();
        while (pairs.hasNext()) {
            scala.Tuple2<?, ?> pair = (scala.Tuple2<?, ?>) pairs.next();
            scala.collection.Iterator<?> names = ((scala.collection.Iterable<?>) pair._2()).iterator();
            while (names.hasNext()) {
                Object name = names.next();
                Object translation = call(name, "translation");
                Object sample = translation == null ? "7" : probe(translation, "7");
                row("old", (String) call(name, "key"), pair._1().toString(), String.valueOf(sample), (String) call(name, "version"));
            }
        }
    }

    private static void dropped(scala.collection.Map<?, ?> all) throws Exception {
        scala.collection.Iterator<?> pairs = all.iterator();
        while (pairs.hasNext()) {
            Object what = ((scala.Tuple2<?, ?>) pairs.next())._2();
            row("dropped", (String) call(what, "key"), (String) call(what, "version"));
        }
    }

    private static void row(String... cells) {
        for (int i = 0; i < cells.length; i++) {
            String cell = cells[i] == null ? "" : cells[i];
            OUT.print((i == 0 ? "" : "\t") + cell.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", ""));
        }
        OUT.println();
    }

    private static Object module(String name) throws ReflectiveOperationException {
        return Class.forName(name).getField("MODULE$").get(null);
    }

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    private static Object call(Object of, String name) throws ReflectiveOperationException {
        Class<?> type = of.getClass();
        while (type != null) {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name) && method.getParameterCount() == 0 && !method.isBridge()) {
                    method.setAccessible(true);
                    return method.invoke(of);
                }
            }
            type = type.getSuperclass();
        }
        throw new NoSuchMethodException(of.getClass() + "." + name);
    }
}
