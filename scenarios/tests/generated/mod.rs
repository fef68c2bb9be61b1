//! Event logs of any length, made line by line while they are read.

use std::io::{self, Read};

/// A text that is made of lines as it is asked for.
pub(crate) struct Lines<I> {
    rest: I,
    line: Vec<u8>,
    at: usize,
}

impl<I: Iterator<Item = String>> Lines<I> {
    pub(crate) fn new(lines: I) -> Self {
        Self { rest: lines, line: Vec::new(), at: 0 }
    }
}

impl<I: Iterator<Item = String>> Read for Lines<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            self.line = self.rest.next().map(|line| line + "\n").unwrap_or_default().into_bytes();
            self.at = 0;
        }
        let n = buffer.len().min(self.line.len() - self.at);
        buffer[..n].copy_from_slice(&self.line[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Lines of a log with the given lines between its start and its end.
pub(crate) fn log(inside: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let start = [
        "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.8\"}",
        "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"generated\",\"App ID\":\"app-1\"}",
    ];
    let end = "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":9}";
    start.map(str::to_owned).into_iter().chain(inside).chain([end.to_owned()])
}

/// What a stage looks like in events.
pub(crate) fn stage_info(stage: u64, attempt: u64, tasks: u64, rdds: &str, parents: &[u64]) -> String {
    format!(
        "{{\"Stage ID\":{stage},\"Stage Attempt ID\":{attempt},\"Stage Name\":\"collect at app.py:{stage}\",\"Number of Tasks\":{tasks},\
         \"RDD Info\":[{rdds}],\"Parent IDs\":{parents:?},\"Submission Time\":{},\"Completion Time\":{}}}",
        1000 + stage,
        1001 + stage
    )
}

pub(crate) fn job_start(job: u64, infos: &[String]) -> String {
    format!(
        "{{\"Event\":\"SparkListenerJobStart\",\"Job ID\":{job},\"Submission Time\":{},\"Stage Infos\":[{}],\"Properties\":{{}}}}",
        1000 + job,
        infos.join(",")
    )
}

pub(crate) fn job_end(job: u64) -> String {
    format!("{{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":{job},\"Completion Time\":{},\"Job Result\":{{\"Result\":\"JobSucceeded\"}}}}", 1001 + job)
}

pub(crate) fn stage_completed(info: &str) -> String {
    format!("{{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{info}}}")
}

/// A finished task that read 100 bytes more than its index and ran for 10 ms.
pub(crate) fn task_end(stage: u64, attempt: u64, index: u64, executor: &str, kind: &str) -> String {
    format!(
        "{{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":{stage},\"Stage Attempt ID\":{attempt},\"Task Type\":\"{kind}\",\"Task End Reason\":{{\"Reason\":\"Success\"}},\
         \"Task Info\":{{\"Index\":{index},\"Executor ID\":\"{executor}\",\"Launch Time\":{},\"Finish Time\":{}}},\"Task Metrics\":{{\"Executor Run Time\":10,\
         \"Executor CPU Time\":{},\"Peak Execution Memory\":{},\"JVM GC Time\":1,\"Shuffle Write Metrics\":{{\"Shuffle Bytes Written\":{},\"Shuffle Records Written\":77}},\
         \"Input Metrics\":{{\"Bytes Read\":{}}}}}}}",
        1000 + stage,
        1010 + stage,
        9_000_000 + index,
        30_000_000 + stage,
        if kind == "ResultTask" { 0 } else { 1_000_000 + index },
        100 + index
    )
}

/// A job of one result stage and its tasks.
pub(crate) fn job_of_one_stage(id: u64, tasks: u64) -> impl Iterator<Item = String> {
    let info = stage_info(id, 0, tasks, "", &[]);
    let start = job_start(id, std::slice::from_ref(&info));
    let ends = (0..tasks).map(move |index| task_end(id, 0, index, "1", "ResultTask"));
    [start].into_iter().chain(ends).chain([stage_completed(&info), job_end(id)])
}
