//! Producing rows into the shuffle writer or the result, and writing the output.
//!
//! Unsafe and sort writers hold rows in execution memory and spill when refused; before that the task's own
//! operators are made to spill (1.4). Bypass writers hold nothing and write while they produce (BP-1). When all
//! rows are in, what is in memory is written; if there were spills, they are merged into the output while they
//! still exist (US-6, US-7); the sort writer merges its memory along with them (ES-6).

use super::memory::{self, Grant};
use super::pieces::{self, Work};
use super::{Step, TaskRun, fetch, finish, writer_memory};
use crate::ids::TaskId;
use crate::sim::Sim;
use crate::spark::writer::WriterKind;
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// Core-seconds a byte for moving bytes through the page cache once more (merge by concatenation, US-7).
const COPY_SECONDS_PER_BYTE: f64 = 1.0 / 2.0e9;

/// How the task's rows leave it.
fn writer_kind(sim: &Sim, run: &TaskRun) -> Option<WriterKind> {
    match sim.plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => Some(sim.plan.writers[shuffle]),
        SinkSpec::Result => None,
    }
}

/// Whether a task has an operator or a writer that holds rows in execution memory.
pub(super) fn holds_rows(sim: &Sim, run: &TaskRun) -> bool {
    let collects = matches!(writer_kind(sim, run), Some(WriterKind::Unsafe | WriterKind::Sort));
    !run.demand.operator.is_zero() || collects && !run.demand.writer.is_zero()
}

/// The next round of producing.
pub(super) fn round(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let all = match writer_kind(sim, run) {
        Some(WriterKind::Unsafe | WriterKind::Sort) if !run.demand.writer.is_zero() => false,
        Some(_) | None => true,
    };
    if all {
        let rest = run.demand.writer - run.writer.done;
        return start(sim, id, rest, 1.0);
    }
    let kind = writer_kind(sim, run).unwrap_or(WriterKind::Unsafe);
    let wanted = writer_memory::needed(&run.demand, run.writer.done, kind, sim.plan);
    match memory::acquire(sim, id, wanted) {
        Grant::Blocked => sim.tasks[id].step = Step::Blocked(false),
        Grant::Bytes(granted) => {
            let run = &mut sim.tasks[id];
            run.writer.held += granted;
            let rows = writer_memory::rows_in(&run.demand, run.writer.done, granted, wanted, kind, sim.plan);
            run.writer.rows_held += rows;
            let share = rows.as_f64() / run.demand.writer.as_f64();
            start(sim, id, rows, share);
        }
        Grant::Refused if !sim.tasks[id].operator.held.is_zero() => memory::spill_operator(sim, id, false),
        Grant::Refused if !sim.tasks[id].writer.held.is_zero() => memory::spill_writer(sim, id),
        Grant::Refused => finish::fail(sim, id, finish::Failure::OutOfMemory),
    }
}

fn start(sim: &mut Sim, id: TaskId, bytes: Bytes, share: f64) {
    let kind = writer_kind(sim, &sim.tasks[id]);
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::Produce(bytes);
    let demand = &run.demand;
    // A task whose operators took the input has done its reading, and its share of the CPU, already.
    let reads_here = demand.operator.is_zero();
    let cpu_share = if reads_here {
        1.0
    } else if demand.writer.is_zero() {
        0.0
    } else {
        0.5
    };
    let decompress = if reads_here && !demand.read.is_zero() { demand.writer.as_gib() * conf.decompress_s_per_gib } else { 0.0 };
    let read_back = run.operator.spilled.scale(share);
    let bypass = kind == Some(WriterKind::Bypass);
    let work = Work {
        cpu: share * (demand.cpu * cpu_share + decompress) + if bypass { compress_seconds(demand.writer, conf) } else { 0.0 },
        allocated: demand.allocated.scale(share * cpu_share),
        write: if bypass { demand.write } else { Bytes::ZERO },
        read_back,
        input_share: if reads_here { share } else { 0.0 },
        send: if kind.is_none() { demand.output } else { Bytes::ZERO },
    };
    pieces::start(sim, id, work);
}

/// Core-seconds to compress rows of so many bytes.
pub(super) fn compress_seconds(rows: Bytes, conf: &crate::spec::ShuffleConf) -> f64 {
    if conf.compress { rows.as_gib() * conf.compress_s_per_gib } else { 0.0 }
}

/// A round has ended: more, or write what is left.
pub(super) fn round_done(sim: &mut Sim, id: TaskId) {
    if !fetch::complete(sim, id) {
        return;
    }
    let run = &sim.tasks[id];
    if run.writer.done < run.demand.writer {
        return round(sim, id);
    }
    match writer_kind(sim, run) {
        None => finish::succeed(sim, id),
        Some(WriterKind::Bypass) => concatenate(sim, id),
        Some(WriterKind::Sort) if run.writer.files > 0 => merge_collection(sim, id),
        Some(WriterKind::Unsafe | WriterKind::Sort) => write_rest(sim, id),
    }
}

/// Bypass: partition files are appended to one output, each deleted once copied (BP-2): time, and room for one partition beside the
/// output, all of which are taken to be alike.
fn concatenate(sim: &mut Sim, id: TaskId) {
    let plan = sim.plan;
    let run = &mut sim.tasks[id];
    let partitions = match plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => u64::from(plan.spec().app.shuffles[shuffle].partitions.max(1)),
        SinkSpec::Result => 1,
    };
    run.step = Step::Merge;
    let copied = Bytes::new(run.demand.write.get() / partitions);
    let work = Work { cpu: run.demand.write.as_f64() * COPY_SECONDS_PER_BYTE, write: copied, ..Work::default() };
    pieces::start(sim, id, work);
}

/// Sort writer: its spills are merged with what is still in memory, which never becomes a file of its own (ES-6).
fn merge_collection(sim: &mut Sim, id: TaskId) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::Merge;
    let work = Work { cpu: compress_seconds(run.demand.writer, conf), write: run.demand.write, read_back: run.writer.spilled, ..Work::default() };
    pieces::start(sim, id, work);
}

/// What is in memory is written: the output itself, or the last spill.
fn write_rest(sim: &mut Sim, id: TaskId) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::FinishWrite;
    let rest = run.demand.write.saturating_sub(run.writer.spilled);
    let work = Work { cpu: compress_seconds(run.writer.rows_held, conf), write: rest, ..Work::default() };
    pieces::start(sim, id, work);
}

/// The last rows are on scratch: done when they are the only file, else merge all spills into the output.
pub(super) fn written(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    if run.writer.files == 0 {
        return finish::succeed(sim, id);
    }
    run.step = Step::Merge;
    run.writer.files += 1;
    run.writer.spilled = run.demand.write;
    let work = Work { cpu: run.demand.write.as_f64() * COPY_SECONDS_PER_BYTE, write: run.demand.write, read_back: run.demand.write, ..Work::default() };
    pieces::start(sim, id, work);
}
