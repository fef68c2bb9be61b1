//! Producing rows into the shuffle writer or the result, and writing the output.
//!
//! Unsafe and sort writers hold rows in execution memory and spill when refused, or at a threshold; before a refusal makes the
//! writer spill, the task's own operators are made to (1.4). Bypass writers hold nothing and write while they produce (BP-1). When
//! all rows are in, what is in memory is written. The unsafe writer's last rows are one more file, which is the output if it is
//! the only one and else merged with the others (US-6, US-7); the sort writer merges its spills with what is in memory into the
//! output (ES-6). All spills exist until the merge has ended.

use super::consumers::{OPERATORS, WRITER};
use super::pieces::{self, Work};
use super::{Step, TaskRun, collect, fetch, files, finish, memory, remote};
use crate::ids::TaskId;
use crate::sim::Sim;
use crate::spark::writer::WriterKind;
use crate::spark::{push_writer, scratch};
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// Core-seconds a byte for moving bytes through the page cache once more (merge by concatenation, US-7).
const COPY_SECONDS_PER_BYTE: f64 = 1.0 / 2.0e9;

/// How the task's rows leave it.
pub(super) fn writer_kind(sim: &Sim, run: &TaskRun) -> Option<WriterKind> {
    match sim.plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => Some(sim.plan.writers[shuffle]),
        SinkSpec::Result => None,
    }
}

/// Whether a task has an operator or a writer that holds rows in execution memory.
pub(super) fn holds_rows(sim: &Sim, run: &TaskRun) -> bool {
    let collects = match writer_kind(sim, run) {
        Some(WriterKind::Unsafe | WriterKind::Sort) => true,
        Some(WriterKind::Push) => pushed_from(sim, run).is_some(),
        Some(WriterKind::Bypass) | None => false,
    };
    !run.demand.consumed().is_zero() || collects && !run.demand.writer.is_zero()
}

/// The next round of producing.
pub(super) fn round(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    match writer_kind(sim, run) {
        Some(WriterKind::Unsafe | WriterKind::Sort) if !run.demand.writer.is_zero() => collect::round(sim, id, WRITER),
        Some(WriterKind::Push) => match pushed_from(sim, run) {
            Some((least, all)) => {
                let grant = memory::acquire_at_least(sim, id, WRITER, least, all);
                collect::granted(sim, id, grant);
            }
            None => all_at_once(sim, id),
        },
        Some(_) | None => all_at_once(sim, id),
    }
}

/// A round of all rows, into a writer that holds none or always pushes from the memory that it has.
pub(super) fn all_at_once(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    run.filling = WRITER;
    let rest = run.demand.writer - run.state(WRITER).done;
    start(sim, id, rest, 1.0);
}

/// Whether the task that asked for memory is the client of a remote shuffle service.
pub(super) fn pushes(sim: &Sim, run: &TaskRun) -> bool {
    run.filling == WRITER && writer_kind(sim, run) == Some(WriterKind::Push)
}

/// Execution memory that the client of a remote shuffle service asks for: at least, and at most.
fn pushed_from(sim: &Sim, run: &TaskRun) -> Option<(Bytes, Bytes)> {
    let spec = sim.plan.spec();
    let SinkSpec::Shuffle(shuffle) = spec.app.stages[run.stage.index()].sink else { return None };
    let conf = spec.spark.shuffle_storage.remote.as_ref().filter(|_| !run.demand.writer.is_zero())?;
    push_writer::managed(conf.client, spec.app.shuffles[shuffle].partitions, run.demand.writer, run.demand.page)
}

/// Starts a round of so many bytes of writer memory, `share` of all.
pub(super) fn start(sim: &mut Sim, id: TaskId, bytes: Bytes, share: f64) {
    let kind = writer_kind(sim, &sim.tasks[id]);
    let conf = &sim.plan.spec().spark.shuffle;
    let partitions = partitions(sim, &sim.tasks[id]);
    let run = &mut sim.tasks[id];
    run.step = Step::Produce(bytes);
    let demand = &run.demand;
    // A task whose operators took the input has done its reading, and its share of the CPU, already.
    let reads_here = demand.consumed().is_zero();
    let cpu_share = if reads_here {
        1.0
    } else if demand.writer.is_zero() {
        0.0
    } else {
        0.5
    };
    let decompress = if reads_here && !demand.read.is_zero() { demand.writer.as_gib() * conf.decompress_s_per_gib } else { 0.0 };
    let (bypass, pushes) = (kind == Some(WriterKind::Bypass), kind == Some(WriterKind::Push));
    let work = Work {
        cpu: share * (demand.cpu * cpu_share + decompress) + if bypass || pushes { compress_seconds(demand.writer, conf) } else { 0.0 },
        allocated: demand.allocated.scale(share * cpu_share),
        write: if bypass { demand.write } else { Bytes::ZERO },
        kind: if bypass { files::Kind::Partitions(partitions) } else { files::Kind::Temporary },
        push: if pushes { demand.write } else { Bytes::ZERO },
        input_share: if reads_here { share } else { 0.0 },
        send: if kind.is_none() { demand.output } else { Bytes::ZERO },
        ..Work::default()
    };
    let read_back = read_spills(run, share);
    pieces::start(sim, id, Work { read_back, ..work });
}

/// What a round reads of the operators' spill files: its part of what is left to read.
fn read_spills(run: &mut TaskRun, share: f64) -> Bytes {
    let all = run.demand.writer;
    let left = if all.is_zero() { 1.0 } else { 1.0 - run.state(WRITER).done.as_f64() / all.as_f64() };
    let part = if left > share { share / left } else { 1.0 };
    let mut read = Bytes::ZERO;
    for slot in OPERATORS {
        let unread = &mut run.state_mut(slot).unread;
        let now = unread.scale(part).min(*unread);
        *unread -= now;
        read += now;
    }
    read
}

/// Core-seconds to compress rows of so many bytes.
pub(super) fn compress_seconds(rows: Bytes, conf: &crate::spec::ShuffleConf) -> f64 {
    if conf.compress { rows.as_gib() * conf.compress_s_per_gib } else { 0.0 }
}

/// A round has ended: more, or write what is left.
pub(super) fn round_done(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    sim.tasks[id].state_mut(WRITER).done += bytes;
    if !fetch::complete(sim, id) {
        return;
    }
    let run = &sim.tasks[id];
    if run.state(WRITER).done < run.demand.writer {
        return round(sim, id);
    }
    fetch::drop_fetched(sim, id);
    let run = &sim.tasks[id];
    match writer_kind(sim, run) {
        None | Some(WriterKind::Push) => finish::succeed(sim, id),
        Some(WriterKind::Bypass) => concatenate(sim, id),
        Some(WriterKind::Sort) if run.state(WRITER).files > 0 => merge(sim, id, WriterKind::Sort),
        Some(WriterKind::Unsafe | WriterKind::Sort) => write_rest(sim, id),
    }
}

/// Bypass: partition files are appended to one output, each deleted once copied: time, and room for the largest partition (BP-2).
fn concatenate(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let largest = run.demand.write.scale(sim.driver.largest_partition(sim.plan, run.stage));
    let cpu = run.demand.write.as_f64() * COPY_SECONDS_PER_BYTE;
    // What lies in the output's directory already makes room as it is copied; what comes from others does not.
    let elsewhere = run.demand.write.saturating_sub(run.temporary.in_dir(files::output_dir(sim, run)));
    let write = elsewhere + largest + index_files(sim, run);
    sim.tasks[id].step = Step::Merge;
    pieces::start(sim, id, Work { cpu, write, kind: files::Kind::Output, ..Work::default() });
}

/// What is in memory is written: the output itself, or the last spill.
fn write_rest(sim: &mut Sim, id: TaskId) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &sim.tasks[id];
    let index = if run.state(WRITER).files == 0 { index_files(sim, run) } else { Bytes::ZERO };
    let rest = run.demand.write - run.state(WRITER).spilled;
    let kind = if run.state(WRITER).files == 0 { files::Kind::Output } else { files::Kind::Temporary };
    let work = Work { cpu: compress_seconds(run.state(WRITER).rows_held, conf), write: rest + index, kind, ..Work::default() };
    let work = out(sim, id, work);
    sim.tasks[id].step = Step::FinishWrite;
    pieces::start(sim, id, work);
}

/// The last rows are on scratch: done when they are the only file, else merge all spills into the output.
pub(super) fn written(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    if run.state(WRITER).files == 0 {
        return finish::succeed(sim, id);
    }
    let all = run.demand.write;
    let writer = run.state_mut(WRITER);
    writer.files += 1;
    writer.spilled = all;
    merge(sim, id, WriterKind::Unsafe);
}

/// Spill files become the output: copied by the unsafe writer, by the sort writer read, merged with what is in memory, and
/// serialised once more.
fn merge(sim: &mut Sim, id: TaskId, kind: WriterKind) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &sim.tasks[id];
    let demand = &run.demand;
    let cpu = if kind == WriterKind::Sort {
        let decompress = if conf.compress { (demand.writer - run.state(WRITER).rows_held).as_gib() * conf.decompress_s_per_gib } else { 0.0 };
        compress_seconds(demand.writer, conf) + decompress
    } else {
        demand.write.as_f64() * COPY_SECONDS_PER_BYTE
    };
    let write = demand.write + index_files(sim, run);
    let work = Work { cpu, write, read_back: run.state(WRITER).spilled, kind: files::Kind::Output, ..Work::default() };
    let work = out(sim, id, work);
    sim.tasks[id].step = Step::Merge;
    pieces::start(sim, id, work);
}

/// Output that goes to a remote shuffle service is pushed, not written; only collections with map-side combine come here.
fn out(sim: &Sim, id: TaskId, work: Work) -> Work {
    if remote::target(sim, id).is_some() { Work { push: sim.tasks[id].demand.write, write: Bytes::ZERO, ..work } } else { work }
}

/// Partitions of the shuffle that the task writes.
fn partitions(sim: &Sim, run: &TaskRun) -> u32 {
    match sim.plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => sim.plan.spec().app.shuffles[shuffle].partitions,
        SinkSpec::Result => 0,
    }
}

/// Index and checksum files of the task's map output (CM-1).
pub(super) fn index_files(sim: &Sim, run: &TaskRun) -> Bytes {
    match sim.plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => scratch::index_files(sim.plan.spec().app.shuffles[shuffle].partitions, sim.plan.spec().spark.scratch.checksum),
        SinkSpec::Result => Bytes::ZERO,
    }
}
