import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/** Jobs for Spark 2.4, whose Python side runs on no Python of today: SQL operations from Java. See record.py. */
public class Jobs {
    /** Fails for one row. */
    public static class Broken implements UDF1<Long, Long> {
        @Override
        public Long call(Long n) {
            if (n == 700) {
                throw new IllegalStateException("this row cannot be read");
            }
            return n;
        }
    }

    static Dataset<Row> rows(SparkSession spark, long n) {
        return spark.range(0, n, 1, 4).selectExpr("id", "id % 7 as k", "sha1(cast(id as string)) as text");
    }

    /** A file is read, shuffled twice, and written. */
    static void sort(SparkSession spark, String folder) {
        rows(spark, 20000).write().mode("overwrite").parquet(folder + "/input");
        spark.read().parquet(folder + "/input").groupBy("k").agg(functions.count("text").as("n"), functions.max("text").as("m"))
            .orderBy("n", "k").write().mode("overwrite").parquet(folder + "/output");
    }

    /** A broadcast hash join and a sort-merge join, the latter by leaving no table small enough. */
    static void join(SparkSession spark, String folder) {
        Dataset<Row> facts = rows(spark, 20000);
        Dataset<Row> names = spark.range(0, 7, 1, 1).selectExpr("id as k", "concat('name-', id) as name");
        facts.join(functions.broadcast(names), "k").groupBy("name").count().collectAsList();
        spark.conf().set("spark.sql.autoBroadcastJoinThreshold", "-1");
        facts.join(names, "k").agg(functions.max("text")).collectAsList();
    }

    /** A cached table read twice. */
    static void cache(SparkSession spark, String folder) {
        Dataset<Row> table = rows(spark, 20000).cache();
        table.count();
        table.groupBy("k").count().collectAsList();
    }

    /** A job that ends well, and one whose second task fails until Spark gives up. */
    static void fail(SparkSession spark, String folder) {
        rows(spark, 1000).groupBy("k").count().collectAsList();
        spark.udf().register("broken", new Broken(), DataTypes.LongType);
        try {
            spark.range(0, 1000, 1, 3).selectExpr("broken(id) as id").groupBy("id").count().collectAsList();
        } catch (Exception error) {
            System.out.println("as it should: " + error.getClass().getName());
        }
    }

    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().appName("recorded-" + args[0]).getOrCreate();
        spark.sparkContext().setLogLevel("ERROR");
        List<String> jobs = new ArrayList<>(java.util.Arrays.asList(args[0].split("\\+")));
        for (String job : jobs) {
            switch (job) {
                case "sort": sort(spark, args[1]); break;
                case "join": join(spark, args[1]); break;
                case "cache": cache(spark, args[1]); break;
                default: fail(spark, args[1]);
            }
        }
        spark.stop();
    }
}
