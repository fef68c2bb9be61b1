//! Logs without what they say about people, places and data.
//!
//! Redaction keeps by list, never by pattern of what to hide: known events with the fields that a profile needs, numbers
//! and switches, and texts that Spark itself writes. Hosts become `host-1`, `host-2` in the order in which they appear,
//! so that what ran together still does. Left out are names of applications and users, paths, queries, plans but for
//! their operators' kinds, addresses, ports, messages but for known phrases and exit codes, stack traces, all settings
//! but a list, all properties of Java, the system and Hadoop, and every event that Spark does not have.
//!
//! The redacted profile is what is ingested from the redacted lines, so both can only say the same.

mod properties;
mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::reader::kind_at_start;

/// What stands for a text that was there.
pub(super) const REDACTED: &str = "redacted";

/// Events that are kept, without their packages.
const EVENTS: [&str; 24] = [
    "SparkListenerLogStart",
    "SparkListenerResourceProfileAdded",
    "SparkListenerBlockManagerAdded",
    "SparkListenerBlockManagerRemoved",
    "SparkListenerEnvironmentUpdate",
    "SparkListenerApplicationStart",
    "SparkListenerApplicationEnd",
    "SparkListenerExecutorAdded",
    "SparkListenerExecutorRemoved",
    "SparkListenerJobStart",
    "SparkListenerJobEnd",
    "SparkListenerStageSubmitted",
    "SparkListenerStageCompleted",
    "SparkListenerStageExecutorMetrics",
    "SparkListenerTaskStart",
    "SparkListenerTaskGettingResult",
    "SparkListenerTaskEnd",
    "SparkListenerUnpersistRDD",
    "SparkListenerBlockUpdated",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLAdaptiveExecutionUpdate",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLAdaptiveSQLMetricUpdates",
    "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates",
];

/// Objects and lists whose contents are looked at; others are left out.
const WALKED: [&str; 33] = [
    "Executor Resource Requests",
    "Task Resource Requests",
    "Executor Info",
    "Block Manager ID",
    "Block Updated Info",
    "Task Info",
    "Task End Reason",
    "Task Metrics",
    "Task Executor Metrics",
    "Executor Metrics",
    "Shuffle Read Metrics",
    "Shuffle Write Metrics",
    "Push Based Shuffle",
    "Input Metrics",
    "Output Metrics",
    "Updated Blocks",
    "Status",
    "Storage Level",
    "RDD Info",
    "Stage Info",
    "Stage Infos",
    "Parent IDs",
    "Stage IDs",
    "Job Result",
    "sparkPlanInfo",
    "children",
    "accumUpdates",
    "cores",
    "memory",
    "memoryOverhead",
    "offHeap",
    "pyspark.memory",
    "cpus",
];

/// Takes what is private out of the lines of one log.
#[derive(Default)]
pub(super) struct Redactor {
    hosts: BTreeMap<String, usize>,
    executors: BTreeMap<String, usize>,
}

impl Redactor {
    /// The redacted line, or `None` for a line that is left out: no event, or none that Spark writes.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<String> {
        // Most lines of no use need not be parsed to be left out.
        if kind_at_start(line).is_some_and(|kind| !EVENTS.contains(&kind)) {
            return None;
        }
        let Ok(Value::Object(event)) = serde_json::from_slice(line) else { return None };
        let kind = event.get("Event")?.as_str()?;
        if !EVENTS.contains(&kind) {
            return None;
        }
        Some(Value::Object(self.object(event)).to_string())
    }

    fn object(&mut self, object: Map<String, Value>) -> Map<String, Value> {
        object.into_iter().filter_map(|(key, value)| self.field(&key, value).map(|value| (key, value))).collect()
    }

    /// A field's value, or `None` to leave the field out.
    fn field(&mut self, key: &str, value: Value) -> Option<Value> {
        match (key, value) {
            ("Spark Properties" | "Properties", Value::Object(map)) => Some(Value::Object(settings(map, key == "Properties"))),
            ("Accumulables" | "metrics", Value::Array(items)) => Some(Value::Array(items.into_iter().filter_map(metric).collect())),
            ("Executor Resource Requests" | "Task Resource Requests", Value::Object(map)) => {
                let known = map.into_iter().filter(|(name, _)| words::RESOURCES.contains(&name.as_str())).collect();
                Some(Value::Object(self.object(known)))
            }
            ("Port", _) => Some(0.into()),
            (_, Value::String(text)) => self.text(key, &text).map(Value::String),
            (_, Value::Object(map)) if WALKED.contains(&key) => Some(Value::Object(self.object(map))),
            (_, Value::Array(items)) if WALKED.contains(&key) => Some(Value::Array(items.into_iter().filter_map(|item| self.item(item)).collect())),
            (_, Value::Object(_) | Value::Array(_)) => None,
            (_, plain) => Some(plain),
        }
    }

    /// An element of a list: a text in a list has no meaning that is known.
    fn item(&mut self, item: Value) -> Option<Value> {
        match item {
            Value::Object(map) => Some(Value::Object(self.object(map))),
            Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(|item| self.item(item)).collect())),
            Value::String(_) => None,
            plain => Some(plain),
        }
    }

    /// What stays of a text; texts of fields that are not known become empty, as fields that readers may expect.
    fn text(&mut self, key: &str, text: &str) -> Option<String> {
        Some(match key {
            "Event" => text.to_owned(),
            "Spark Version" => version(text),
            "App Name" | "User" | "App ID" => REDACTED.to_owned(),
            "App Attempt ID" => return digits(text).then(|| text.to_owned()),
            "Host" => numbered(&mut self.hosts, "host", text),
            "Executor ID" if text == "driver" || digits(text) => text.to_owned(),
            "Executor ID" => numbered(&mut self.executors, "executor", text),
            "Reason" | "Task Type" | "Locality" | "Result" | "DeterministicLevel" => listed(text, &words::ENUMERATED),
            "Scope" => super::events::shaping(text).map(|operator| format!("{{\"name\":\"{operator}\"}}")).unwrap_or_default(),
            "Resource Name" => listed(text, &words::RESOURCES),
            "Removed Reason" | "Loss Reason" | "Kill Reason" | "Failure Reason" | "Description" | "Message" => message(text),
            "Class Name" => class(text),
            "Stage Name" => listed(text.split_whitespace().next().unwrap_or_default(), &words::CALLS),
            "nodeName" => listed(text.split_whitespace().next().unwrap_or_default(), &words::OPERATORS),
            "Block ID" => block(text).unwrap_or_default(),
            _ => String::new(),
        })
    }
}

fn listed(text: &str, list: &[&str]) -> String {
    if list.contains(&text) { text.to_owned() } else { REDACTED.to_owned() }
}

fn digits(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The same name for the same text.
fn numbered(seen: &mut BTreeMap<String, usize>, kind: &str, text: &str) -> String {
    let next = seen.len() + 1;
    format!("{kind}-{}", seen.entry(text.to_owned()).or_insert(next))
}

/// `3.5.1` of `3.5.1-acme-7`: a vendor's suffix may name the user.
fn version(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    text[..end.min(12)].trim_end_matches('.').to_owned()
}

/// Phrases and the exit code of a message.
fn message(text: &str) -> String {
    let mut parts: Vec<String> = words::PHRASES.iter().filter(|phrase| text.contains(**phrase)).map(|phrase| (*phrase).to_owned()).collect();
    let code = ["exited with code ", "exit code ", "exit status: ", "Exit status: ", "exitCode "].iter().find_map(|before| {
        let rest = &text[text.find(before)? + before.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
        rest[..end].parse::<i32>().ok()
    });
    parts.extend(code.map(|code| format!("exited with code {code}")));
    if parts.is_empty() { REDACTED.to_owned() } else { parts.join("; ") }
}

/// An exception of Java, Scala or Spark.
fn class(text: &str) -> String {
    let known = ["java.lang.", "java.io.", "java.util.concurrent.", "java.net.", "org.apache.spark."].iter().find_map(|package| {
        let name = text.strip_prefix(package)?;
        let name = name.rsplit('.').next().unwrap_or(name);
        CLASSES.contains(&name).then(|| text.to_owned())
    });
    known.unwrap_or_else(|| REDACTED.to_owned())
}

/// Exceptions that say how a task died.
const CLASSES: [&str; 14] = [
    "OutOfMemoryError",
    "SparkOutOfMemoryError",
    "StackOverflowError",
    "IOException",
    "FileNotFoundException",
    "InterruptedException",
    "TimeoutException",
    "SocketTimeoutException",
    "ConnectException",
    "SparkException",
    "PythonException",
    "TaskKilledException",
    "FetchFailedException",
    "ExecutorDeadException",
];

/// Ids such as `rdd_3_1`: a known kind and numbers.
fn block(text: &str) -> Option<String> {
    let (kind, rest) = text.split_once('_')?;
    let numbers = !rest.is_empty() && rest.split('_').all(|part| digits(part.strip_prefix("piece").unwrap_or(part)));
    (["rdd", "shuffle", "broadcast", "taskresult"].contains(&kind) && numbers).then(|| text.to_owned())
}

/// The settings that are kept. Those of a job are the application's again, so only the number of its query is needed.
fn settings(map: Map<String, Value>, of_job: bool) -> Map<String, Value> {
    let kept = |key: &str, value: &str| {
        if of_job {
            let query = ["spark.sql.execution.id", "spark.sql.execution.root.id"].contains(&key) && digits(value);
            return query.then(|| value.to_owned());
        }
        properties::kept(key, value)
    };
    map.into_iter().filter_map(|(key, value)| kept(&key, value.as_str()?).map(|value| (key, value.into()))).collect()
}

/// An accumulator or a metric of an operator, if it is one of Spark's own.
fn metric(item: Value) -> Option<Value> {
    let Value::Object(map) = item else { return None };
    let name = map.get("Name").or_else(|| map.get("name"))?.as_str()?;
    let internal = |name: &str| name.strip_prefix("internal.metrics.").is_some_and(|rest| INTERNAL.contains(&rest));
    if !words::METRICS.contains(&without_unit(name)) && !internal(name) {
        return None;
    }
    let field = |(key, value): (String, Value)| {
        let value = match (key.as_str(), value) {
            (_, Value::Object(_) | Value::Array(_)) => return None,
            ("Name" | "name", text) => text,
            ("Update" | "Value", Value::String(text)) => text.parse::<i64>().ok()?.to_string().into(),
            ("Metadata" | "metricType", Value::String(text)) => listed(&text, &words::ENUMERATED).into(),
            (_, Value::String(_)) => return None,
            (_, plain) => plain,
        };
        Some((key, value))
    };
    Some(Value::Object(map.into_iter().filter_map(field).collect()))
}

/// The name of a metric without what Spark 2 says of its unit: `time to build (ms)`, `data size total (min, med, max)`.
fn without_unit(name: &str) -> &str {
    let name = [" (ms)", " (bytes)", " (min, med, max)"].iter().find_map(|unit| name.strip_suffix(unit)).unwrap_or(name);
    name.strip_suffix(" total").unwrap_or(name)
}

/// Metrics of every task, without `internal.metrics.`.
const INTERNAL: [&str; 27] = [
    "diskBytesSpilled",
    "executorCpuTime",
    "executorDeserializeCpuTime",
    "executorDeserializeTime",
    "executorRunTime",
    "input.bytesRead",
    "input.recordsRead",
    "jvmGCTime",
    "memoryBytesSpilled",
    "output.bytesWritten",
    "output.recordsWritten",
    "peakExecutionMemory",
    "peakOnHeapExecutionMemory",
    "peakOffHeapExecutionMemory",
    "resultSerializationTime",
    "resultSize",
    "shuffle.read.fetchWaitTime",
    "shuffle.read.localBlocksFetched",
    "shuffle.read.localBytesRead",
    "shuffle.read.recordsRead",
    "shuffle.read.remoteBlocksFetched",
    "shuffle.read.remoteBytesRead",
    "shuffle.read.remoteBytesReadToDisk",
    "shuffle.read.remoteReqsDuration",
    "shuffle.write.bytesWritten",
    "shuffle.write.recordsWritten",
    "shuffle.write.writeTime",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(line: &str) -> Option<Value> {
        Redactor::default().line(line.as_bytes()).map(|line| serde_json::from_str(&line).unwrap())
    }

    #[test]
    fn messages_keep_known_phrases_and_exit_codes() {
        assert_eq!(message("Command exited with code 137"), "exited with code 137");
        assert_eq!(message("The executor with id 4 exited with exit code 137(OOMKilled) on node acme-7."), "OOMKilled; exited with code 137");
        assert_eq!(message("java.lang.OutOfMemoryError: Java heap space in job of alice"), "Java heap space");
        assert_eq!(message("no such table clients"), REDACTED);
        assert_eq!(class("java.lang.OutOfMemoryError"), "java.lang.OutOfMemoryError");
        assert_eq!(class("com.acme.ClientsException"), REDACTED);
    }

    #[test]
    fn a_host_has_one_name_throughout() {
        let mut redactor = Redactor::default();
        let line = |host: &str| format!("{{\"Event\":\"SparkListenerTaskStart\",\"Task Info\":{{\"Executor ID\":\"1\",\"Host\":\"{host}\"}}}}");
        let host = |line: Option<String>| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["Task Info"]["Host"].clone();
        let names: Vec<_> = ["a.acme", "b.acme", "a.acme"].map(|name| host(redactor.line(line(name).as_bytes()))).to_vec();
        assert_eq!(names, ["host-1", "host-2", "host-1"]);
    }

    #[test]
    fn what_spark_does_not_write_is_left_out() {
        assert_eq!(redact("{\"Event\":\"com.acme.Secret\",\"a\":1}"), None);
        assert_eq!(redact("not json"), None);
        assert_eq!(redact("{\"a\":1}"), None);
        let event = redact("{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.1-acme\",\"Extra\":{\"a\":1},\"Text\":\"b\",\"N\":2}").unwrap();
        assert_eq!(event, serde_json::json!({"Event": "SparkListenerLogStart", "Spark Version": "3.5.1", "Text": "", "N": 2}));
    }

    #[test]
    fn of_scopes_only_operators_stay_that_shape_a_stage() {
        let mut redactor = Redactor::default();
        let mut scope = |text: &str| redactor.text("Scope", text);
        assert_eq!(scope(r#"{"id":"7","name":"ObjectHashAggregate"}"#).as_deref(), Some(r#"{"name":"ObjectHashAggregate"}"#));
        assert_eq!(scope(r#"{"id":"8","name":"Window"}"#).as_deref(), Some(r#"{"name":"Window"}"#));
        assert_eq!(scope(r#"{"id":"9","name":"Scan of clients"}"#).as_deref(), Some(""));
    }

    #[test]
    fn metrics_of_spark_are_kept_and_those_of_users_are_not() {
        let item = |name: &str, value: Value| metric(serde_json::json!({"ID": 1, "Name": name, "Update": value, "Internal": true}));
        assert_eq!(item("data size", "12".into()).unwrap()["Update"], "12");
        assert_eq!(item("data size total (min, med, max)", "12".into()).unwrap()["Update"], "12");
        assert!(item("clients of acme", 7.into()).is_none());
        assert!(item("data size", "acme".into()).unwrap().get("Update").is_none());
    }
}
