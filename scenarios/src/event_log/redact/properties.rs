//! Which settings a redacted log keeps.
//!
//! A setting is kept by its key, from a list, and only if its value is a number with or without a unit, a switch, or a
//! word that Spark itself defines; addresses keep their kind. Keys and values that Spark's own redaction would hide
//! (`spark.redaction.regex`: secret, password, token, access key) are left out before anything else is asked.

use super::super::log::KEPT_CONF;

/// What marks a key or a value as secret: Spark's pattern and a few words more.
const SECRET: [&str; 10] = ["secret", "password", "passwd", "token", "access.key", "accesskey", "api.key", "apikey", "credential", "account.key"];

/// Settings beside those of the profile that say how memory, shuffles and scheduling were set up.
const MORE: [&str; 48] = [
    "spark.app.attempt.id",
    "spark.broadcast.blockSize",
    "spark.broadcast.compress",
    "spark.decommission.enabled",
    "spark.driver.cores",
    "spark.driver.maxResultSize",
    "spark.driver.memoryOverhead",
    "spark.driver.memoryOverheadFactor",
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.eventLog.compress",
    "spark.eventLog.logStageExecutorMetrics",
    "spark.executor.extraJavaOptions",
    "spark.executor.defaultJavaOptions",
    "spark.executor.heartbeatInterval",
    "spark.executor.minMemoryOverhead",
    "spark.executor.processTreeMetrics.enabled",
    "spark.kubernetes.allocation.batch.size",
    "spark.kubernetes.executor.limit.cores",
    "spark.kubernetes.executor.request.cores",
    "spark.locality.wait",
    "spark.memory.storageFraction",
    "spark.memory.useLegacyMode",
    "spark.network.timeout",
    "spark.python.worker.memory",
    "spark.python.worker.reuse",
    "spark.rdd.compress",
    "spark.reducer.maxSizeInFlight",
    "spark.scheduler.mode",
    "spark.shuffle.io.maxRetries",
    "spark.shuffle.io.retryWait",
    "spark.speculation.multiplier",
    "spark.speculation.quantile",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes",
    "spark.sql.adaptive.coalescePartitions.initialPartitionNum",
    "spark.sql.adaptive.coalescePartitions.minPartitionSize",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst",
    "spark.sql.adaptive.localShuffleReader.enabled",
    "spark.sql.adaptive.skewJoin.enabled",
    "spark.sql.broadcastTimeout",
    "spark.sql.execution.arrow.maxRecordsPerBatch",
    "spark.sql.files.openCostInBytes",
    "spark.sql.join.preferSortMergeJoin",
    "spark.stage.maxConsecutiveAttempts",
    "spark.submit.deployMode",
    "spark.task.reaper.enabled",
];

/// Words that settings take as values.
const WORDS: [&str; 22] = [
    "lz4",
    "lzf",
    "snappy",
    "zstd",
    "FIFO",
    "FAIR",
    "client",
    "cluster",
    "yarn",
    "local",
    "memory",
    "dynamic",
    "static",
    "sort",
    "infinity",
    "org.apache.spark.serializer.JavaSerializer",
    "org.apache.spark.serializer.KryoSerializer",
    "org.apache.spark.io.LZ4CompressionCodec",
    "org.apache.spark.io.LZFCompressionCodec",
    "org.apache.spark.io.SnappyCompressionCodec",
    "org.apache.spark.io.ZStdCompressionCodec",
    "",
];

/// The value that is kept of a setting.
pub(super) fn kept(key: &str, value: &str) -> Option<String> {
    let (key, value) = (key.trim(), value.trim());
    if secret(key) || secret(value) || !(KEPT_CONF.contains(&key) || MORE.contains(&key)) {
        return None;
    }
    if key == "spark.master" {
        return master(value);
    }
    if key.ends_with("JavaOptions") {
        let flags: Vec<&str> = value.split_whitespace().filter(|flag| plain_flag(flag)).collect();
        return (!flags.is_empty()).then(|| flags.join(" "));
    }
    (quantity(value) || ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(value)) || WORDS.contains(&value)).then(|| value.to_owned())
}

fn secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SECRET.iter().any(|word| text.contains(word))
}

/// `4g`, `0.6`, `-1`, `134217728b`, `100ms`, `10min`, `6000000MB`: at most twelve digits and three letters.
fn quantity(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    let digits = number.strip_prefix('-').unwrap_or(number);
    let plain = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let units = ["", "b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb", "ns", "us", "ms", "s", "min", "h", "d", "mib", "gib", "kib"];
    plain && digits.bytes().filter(|byte| *byte == b'.').count() <= 1 && units.iter().any(|known| known.eq_ignore_ascii_case(unit))
}

/// The kind of cluster, without its address.
fn master(value: &str) -> Option<String> {
    for scheme in ["k8s://", "spark://", "mesos://"] {
        if value.starts_with(scheme) {
            return Some(format!("{scheme}{}", super::REDACTED));
        }
    }
    let (kind, slots) = value.split_once('[').unwrap_or((value, ""));
    let numbers = slots.bytes().all(|byte| byte.is_ascii_digit() || b",*] ".contains(&byte));
    (["yarn", "local", "local-cluster"].contains(&kind) && numbers).then(|| value.to_owned())
}

/// A flag of the JVM that is a switch or a number.
fn plain_flag(flag: &str) -> bool {
    if ["-Xms", "-Xmn", "-Xss"].iter().any(|prefix| flag.strip_prefix(prefix).is_some_and(quantity)) {
        return true;
    }
    let Some(rest) = flag.strip_prefix("-XX:") else { return false };
    let name = |text: &str| !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte.is_ascii_digit());
    if let Some(switch) = rest.strip_prefix(['+', '-']) {
        return name(switch) && GC_FLAGS.contains(&switch);
    }
    rest.split_once('=').is_some_and(|(key, value)| name(key) && GC_FLAGS.contains(&key) && quantity(value))
}

/// Flags of the JVM that change its memory.
const GC_FLAGS: [&str; 16] = [
    "UseG1GC",
    "UseParallelGC",
    "UseSerialGC",
    "UseZGC",
    "UseShenandoahGC",
    "UseConcMarkSweepGC",
    "AlwaysPreTouch",
    "ExitOnOutOfMemoryError",
    "InitiatingHeapOccupancyPercent",
    "G1HeapRegionSize",
    "MaxDirectMemorySize",
    "MaxMetaspaceSize",
    "ReservedCodeCacheSize",
    "ParallelGCThreads",
    "ConcGCThreads",
    "MaxGCPauseMillis",
];

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn numbers_switches_and_words_of_spark_are_kept() {
        for (key, value) in [
            ("spark.executor.memory", "4g"),
            ("spark.memory.fraction", "0.6"),
            ("spark.sql.adaptive.enabled", "True"),
            ("spark.io.compression.codec", "zstd"),
            ("spark.sql.autoBroadcastJoinThreshold", "-1"),
            ("spark.master", "local-cluster[2,1,512]"),
            ("spark.master", "yarn"),
        ] {
            assert_eq!(kept(key, value).as_deref(), Some(value), "{key}");
        }
    }

    #[test]
    fn what_could_say_something_else_is_not() {
        for (key, value) in [
            ("spark.hadoop.fs.s3a.secret.key", "1"),
            ("spark.executor.memory", "hunter2"),
            ("spark.executor.memory", "4g; password"),
            ("spark.app.name", "4g"),
            ("spark.sql.catalog.clients.uri", "1"),
            ("spark.master", "local[secret]"),
            ("spark.master", "jdbc:somewhere"),
            ("spark.executor.cores", "1.2.3.4"),
        ] {
            assert_eq!(kept(key, value), None, "{key}={value}");
        }
    }

    #[test]
    fn addresses_and_flags_are_cut_to_their_kind() {
        assert_eq!(kept("spark.master", "k8s://https://10.0.0.1:6443").as_deref(), Some("k8s://redacted"));
        let flags = "-Dkey=hunter2 -XX:+UseG1GC -Xms2g -XX:HeapDumpPath=/home/x -XX:MaxDirectMemorySize=1g --add-opens=a/b -XX:+Hunter";
        assert_eq!(kept("spark.executor.extraJavaOptions", flags).as_deref(), Some("-XX:+UseG1GC -Xms2g -XX:MaxDirectMemorySize=1g"));
    }
}
