//! Producing rows into the shuffle writer or the result, and writing the output.
//!
//! Unsafe and sort writers hold rows in execution memory and spill when refused; before that the task's own
//! operators are made to spill (1.4). Bypass writers hold nothing and write while they produce (BP-1). When all
//! rows are in, what is in memory is written; if there were spills, they are merged into the output while they
//! still exist (US-6, US-7, ES-6).

use super::consumers::{FIRST, SECOND, WRITER};
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

/// The next round of producing.
pub(super) fn round(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let all = match writer_kind(sim, run) {
        Some(WriterKind::Unsafe | WriterKind::Sort) if !run.demand.writer.is_zero() => false,
        Some(_) | None => true,
    };
    let done = run.state(WRITER).done;
    if all {
        let rest = run.demand.writer - done;
        sim.tasks[id].filling = WRITER;
        return start(sim, id, rest, 1.0);
    }
    let kind = writer_kind(sim, run).unwrap_or(WriterKind::Unsafe);
    let wanted = writer_memory::needed(&run.demand, done, kind, sim.plan);
    let grant = memory::acquire(sim, id, WRITER, wanted);
    granted(sim, id, grant);
}

/// The answer to a round's request.
pub(super) fn granted(sim: &mut Sim, id: TaskId, grant: Grant) {
    match grant {
        Grant::Bytes(bytes) => {
            let kind = writer_kind(sim, &sim.tasks[id]).unwrap_or(WriterKind::Unsafe);
            let run = &mut sim.tasks[id];
            let (wanted, done) = (run.wanted, run.state(WRITER).done);
            let rows = writer_memory::rows_in(&run.demand, done, bytes, wanted, kind, sim.plan);
            run.state_mut(WRITER).rows_held += rows;
            let share = rows.as_f64() / run.demand.writer.as_f64();
            start(sim, id, rows, share);
        }
        Grant::Wait => {}
        Grant::OutOfMemory => finish::fail(sim, id, finish::Failure::OutOfMemory),
    }
}

fn start(sim: &mut Sim, id: TaskId, bytes: Bytes, share: f64) {
    let kind = writer_kind(sim, &sim.tasks[id]);
    let conf = &sim.plan.spec().spark.shuffle;
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
    let bypass = kind == Some(WriterKind::Bypass);
    let work = Work {
        cpu: share * (demand.cpu * cpu_share + decompress) + if bypass { compress_seconds(demand.writer, conf) } else { 0.0 },
        allocated: demand.allocated.scale(share * cpu_share),
        write: if bypass { demand.write } else { Bytes::ZERO },
        read_back: Bytes::ZERO,
        input_share: if reads_here { share } else { 0.0 },
        send: if kind.is_none() { demand.output } else { Bytes::ZERO },
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
    for slot in [FIRST, SECOND] {
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
    match writer_kind(sim, run) {
        None => finish::succeed(sim, id),
        Some(WriterKind::Bypass) => concatenate(sim, id),
        Some(WriterKind::Unsafe | WriterKind::Sort) => write_rest(sim, id),
    }
}

/// Bypass: partition files are appended to one output, each deleted once copied (BP-2): time, but no second copy.
fn concatenate(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    run.step = Step::Merge;
    let work = Work { cpu: run.demand.write.as_f64() * COPY_SECONDS_PER_BYTE, ..Work::default() };
    pieces::start(sim, id, work);
}

/// What is in memory is written: the output itself, or the last spill.
fn write_rest(sim: &mut Sim, id: TaskId) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::FinishWrite;
    let rest = run.demand.write.saturating_sub(run.state(WRITER).spilled);
    let work = Work { cpu: compress_seconds(run.state(WRITER).rows_held, conf), write: rest, ..Work::default() };
    pieces::start(sim, id, work);
}

/// The last rows are on scratch: done when they are the only file, else merge all spills into the output.
pub(super) fn written(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    if run.state(WRITER).files == 0 {
        return finish::succeed(sim, id);
    }
    run.step = Step::Merge;
    let all = run.demand.write;
    let writer = run.state_mut(WRITER);
    writer.files += 1;
    writer.spilled = all;
    let work = Work { cpu: run.demand.write.as_f64() * COPY_SECONDS_PER_BYTE, write: run.demand.write, read_back: run.demand.write, ..Work::default() };
    pieces::start(sim, id, work);
}
