import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.apache.spark.SparkConf;
import org.apache.spark.io.CompressionCodec;
import org.apache.spark.io.CompressionCodec$;

/** A log's text by Spark's own codecs: Pack read|write SOURCE TARGET CODEC [EVENT,EVENT]; flushes after the events, as Spark does. */
public class Pack {
    public static void main(String[] args) throws Exception {
        CompressionCodec codec = CompressionCodec$.MODULE$.createCodec(new SparkConf(false), args[3]);
        if (args[0].equals("read")) {
            try (InputStream in = codec.compressedInputStream(Files.newInputStream(new File(args[1]).toPath()))) {
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                byte[] part = new byte[65536];
                for (int n = in.read(part); n > 0; n = in.read(part)) {
                    all.write(part, 0, n);
                }
                Files.write(new File(args[2]).toPath(), all.toByteArray());
            }
            return;
        }
        String[] flushed = args[4].split(",");
        try (OutputStream out = codec.compressedOutputStream(new BufferedOutputStream(Files.newOutputStream(new File(args[2]).toPath())))) {
            for (String line : Files.readAllLines(new File(args[1]).toPath(), StandardCharsets.UTF_8)) {
                out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                String head = line.substring(0, Math.min(120, line.length()));
                for (String event : flushed) {
                    if (head.contains(event)) {
                        out.flush();
                    }
                }
            }
        }
    }
}
