//! The model's memory cgroups against a real kernel's.
//!
//! `tests/recorders/kernel` played random sequences of operations in nested memory cgroups (touch and free anonymous memory, write and remove
//! files in tmpfs and on disk, read them, kill, restart a container, tear a pod down) and noted after each step what each cgroup held by
//! class, and which process the kernel had killed at which cgroup's limit. Here the same operations go through the model's own charges,
//! limits, reclaim and choice of a victim. They must give the same kills, of the same processes, at the same limits, at the same
//! steps; and the same memory, within what five repeats of each sequence had. The method and its limits are in `docs/model/kernel.md`.

use std::io::Read;

use serde_json::Value;
use sim_core::ids::PodSlot;
use sim_core::linux::cgroup::{Charge, NodeMemory};
use sim_core::linux::limits::Over;
use sim_core::linux::oom_badness::Candidate;
use sim_core::linux::ramp::{Brought, FlowRamp};
use sim_core::units::Bytes;

/// Anonymous pages of a process that has just started: stack, data, buffers.
const STARTED: u64 = 30;
/// Pages that a process costs the kernel beside page tables: stack, descriptors, upper tables.
const IN_KERNEL: u64 = 18;
/// How far a class may be off what the repeats had, as a share of what its cgroup holds.
const TOLERANCE: f64 = 0.02;
/// The kernel's own grain, pages: charges are taken in batches of 64 for each of two CPUs, and as many changes of a counter wait to be
/// added up.
const GRAIN: u64 = 256;

/// How far ahead the recording machine reads files.
const READ_AHEAD: Bytes = Bytes::mib(8);
/// Recordings of each sequence.
const REPEATS: usize = 5;

fn pages(n: u64) -> Bytes {
    Bytes::kib(4) * n
}
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is a count"))
}
fn some_pages(value: &Value) -> Option<Bytes> {
    Some(number(value)).filter(|&n| n > 0).map(pages)
}

/// A recorded process, as its owner knows it.
struct Process {
    pod: Option<usize>,
    adj: i32,
    /// Anonymous memory.
    anon: Bytes,
    /// Pages of its program, which are charged elsewhere and count in its RSS.
    mapped: Bytes,
    /// Page tables as it started.
    tables: Bytes,
    alive: bool,
}

/// One sequence, played through the model.
struct Replay {
    memory: NodeMemory,
    v: f64,
    pods: Vec<Option<PodSlot>>,
    processes: Vec<Process>,
    kills: Vec<(usize, &'static str)>,
    /// `kubepods` or the node has reclaimed: which pod's cache went is the kernel's own affair from here on, ...
    reclaimed_above: bool,
    /// ... and when files of one pod then go, so is how much is left.
    removed_after: bool,
}

impl Replay {
    fn new(shape: &Value) -> Self {
        let mut memory = NodeMemory::new(pages(number(&shape["node"])), some_pages(&shape["kubepods"])).with_kernel_memory().with_read_ahead(READ_AHEAD);
        let pods = shape["pods"].as_array().expect("pods").iter().map(|pod| {
            let slot = memory.open_pod(some_pages(&pod["limit"]), some_pages(&pod["mount"]));
            if let Some(limit) = some_pages(&pod["container"]) {
                memory.limit_container(slot, limit);
            }
            Some(slot)
        });
        Self { pods: pods.collect(), memory, v: 0.0, processes: Vec::new(), kills: Vec::new(), reclaimed_above: false, removed_after: false }
    }

    fn slot(&self, process: usize) -> Option<PodSlot> {
        self.processes[process].pod.and_then(|pod| self.pods[pod])
    }

    /// Living processes; the one that grows is as large as it has become.
    fn candidates(&self, growing: usize, more: Bytes) -> (Vec<usize>, Vec<(Option<PodSlot>, Candidate)>) {
        let candidate = |i: usize| {
            let process = &self.processes[i];
            let anon = process.anon + if i == growing { more } else { Bytes::ZERO };
            let mut candidate = Candidate::resident(anon.saturating_sub(pages(STARTED)), process.adj);
            candidate.rss += process.mapped + pages(STARTED).min(anon);
            candidate.page_tables += process.tables;
            (i, (self.slot(i), candidate))
        };
        (0..self.processes.len()).filter(|&i| self.processes[i].alive).map(candidate).unzip()
    }

    /// The process is gone, and its memory.
    fn exit(&mut self, process: usize) {
        let held = std::mem::take(&mut self.processes[process].anon);
        self.processes[process].alive = false;
        match self.slot(process) {
            Some(slot) => {
                self.memory.uncharge(slot, Charge::Heap, held, self.v);
                self.memory.uncharge(slot, Charge::NonHeap, pages(IN_KERNEL), self.v);
            }
            None => self.memory.uncharge_system(held),
        }
    }

    /// Kills until everything fits; false when nobody can be killed, or the process that grows is among the dead.
    fn relieve(&mut self, growing: usize, flow: Option<&FlowRamp>) -> bool {
        while let Some(over) = self.memory.over_limit(self.v) {
            let brought = flow.map_or(Bytes::ZERO, |flow| flow.partial(self.v).heap);
            let (who, candidates) = self.candidates(growing, brought);
            let level = match over {
                Over::Container(_) => "container",
                Over::Pod(_) => "pod",
                Over::Kubepods => "kubepods",
                Over::Node => "node",
                Over::Tmpfs(_) => return false,
            };
            let Some(victim) = self.memory.victim(over, &candidates).map(|index| who[index]) else { return false };
            self.kills.push((victim, level));
            if victim == growing {
                return false;
            }
            self.exit(victim);
        }
        true
    }

    /// A process touches anonymous memory, or writes to tmpfs, as a ramp; limits that it meets on the way kill. Returns what it brought.
    fn grow(&mut self, process: usize, anon: Bytes, shmem: Bytes) -> Bytes {
        let Some(slot) = self.slot(process) else { return self.grow_daemon(process, anon) };
        let flow = FlowRamp::new(self.v, 1.0, anon, shmem);
        self.memory.start_ramp(slot, &flow);
        let end = self.v + 1.0;
        while let Some(span) = self.memory.next_crossing(self.v, 1.0) {
            if self.v + span.as_secs_f64() >= end {
                break;
            }
            self.v += span.as_secs_f64();
            if !self.relieve(process, Some(&flow)) {
                return self.cut(process, slot, &flow);
            }
        }
        self.v = end;
        self.memory.finish_ramp(slot, &flow);
        self.processes[process].anon += anon;
        anon + shmem
    }

    /// The write fails, or its process is dead.
    fn cut(&mut self, process: usize, slot: PodSlot, flow: &FlowRamp) -> Bytes {
        let Brought { heap: anon, shmem, .. } = self.memory.abort_ramp(slot, flow, self.v);
        self.processes[process].anon += anon;
        if self.kills.iter().any(|&(killed, _)| killed == process) {
            self.exit(process);
        }
        anon + shmem
    }

    fn grow_daemon(&mut self, process: usize, anon: Bytes) -> Bytes {
        for _ in 0..64 {
            let part = Bytes::new(anon.get() / 64);
            self.memory.charge_system(part);
            self.processes[process].anon += part;
            if !self.relieve(process, None) {
                self.exit(process);
                break;
            }
        }
        anon
    }

    /// One recorded step; returns how many pages a write brought.
    fn step(&mut self, step: &[Value]) -> Option<u64> {
        self.v += 1.0;
        let at = |index: usize| number(&step[index]) as usize;
        match step[0].as_str().expect("an operation") {
            "start" => {
                let pod = usize::try_from(step[1].as_i64().expect("a pod")).ok();
                let mapped = pages(number(&step[3]).saturating_sub(STARTED));
                let adj = step[2].as_i64().expect("an adjustment") as i32;
                if let Some(slot) = pod.and_then(|pod| self.pods[pod]) {
                    self.memory.charge(slot, Charge::NonHeap, pages(IN_KERNEL));
                }
                self.processes.push(Process { pod, adj, anon: Bytes::ZERO, mapped, tables: pages(number(&step[4])), alive: true });
                self.grow(self.processes.len() - 1, pages(STARTED + at(5) as u64), Bytes::ZERO);
            }
            "anon" => {
                self.grow(at(1), pages(at(2) as u64), Bytes::ZERO);
            }
            "free" => {
                let process = &mut self.processes[at(1)];
                let freed = pages(at(2) as u64);
                process.anon -= freed;
                match self.slot(at(1)) {
                    Some(slot) => self.memory.uncharge(slot, Charge::Heap, freed, self.v),
                    None => self.memory.uncharge_system(freed),
                }
            }
            "tmpfs" => return Some(self.grow(at(1), Bytes::ZERO, pages(at(2) as u64)).get() / 4096),
            "file" => self.memory.file_written(self.slot(at(1)).expect("in a pod"), pages(at(2) as u64), self.v),
            "read" => {
                self.memory.file_read(self.slot(at(1)).expect("in a pod"), pages(at(2) as u64), self.v);
            }
            "kill" => self.exit(at(1)),
            operation => self.kubelet(operation, at(1)),
        }
        None
    }

    fn kubelet(&mut self, operation: &str, pod: usize) {
        let slot = self.pods[pod].expect("the pod is there");
        let v = self.v;
        self.removed_after |= self.reclaimed_above && matches!(operation, "rmfile" | "teardown");
        match operation {
            "rmtmpfs" => {
                let held = self.memory.held(slot, Charge::Shmem, v);
                self.memory.uncharge(slot, Charge::Shmem, held, v);
            }
            "rmfile" => self.memory.file_removed(Some(slot), Bytes::MAX),
            "restart" | "teardown" => {
                self.memory.container_died(slot, v);
                let gone = self.processes.iter_mut().filter(|process| process.pod == Some(pod));
                gone.for_each(|process| (process.alive, process.anon) = (false, Bytes::ZERO));
                if operation == "restart" {
                    self.memory.restart_container(slot);
                } else {
                    self.memory.file_removed(Some(slot), Bytes::MAX);
                    self.memory.close_pod(slot, v);
                    self.pods[pod] = None;
                }
            }
            other => panic!("unknown operation {other}"),
        }
    }

    /// What differs from the recorded states: the node, `kubepods`, each pod; anonymous, shmem, file.
    fn differences(&mut self, states: &[Value], limits: [u64; 2]) -> Vec<String> {
        let mut out = Vec::new();
        let near = |(state, limit): (&Value, u64)| limit > 0 && limit < range(state, 4).1 + ((limit as f64 * TOLERANCE) as u64).max(GRAIN);
        self.reclaimed_above |= states.iter().zip(limits).any(near);
        let with_file = if self.reclaimed_above { 2 } else { 3 };
        let sums = if self.removed_after { 2 } else { 3 };
        let mut compare = |name: &str, state: &Value, ours: &[Bytes]| {
            let usage = range(state, 4).1;
            let slack = ((usage as f64 * TOLERANCE) as u64).max(GRAIN);
            for (class, ours) in ours.iter().enumerate() {
                let ((least, most), ours) = (range(state, class), ours.get() / 4096);
                if ours + slack < least || ours > most + slack {
                    out.push(format!("{name} {}: {ours} pages, the kernel has {least} to {most} of {usage}", ["anon", "shmem", "file"][class]));
                }
            }
        };
        let v = self.v;
        let mut all = [Bytes::ZERO; 3];
        let mut in_kernel = Bytes::ZERO;
        for (pod, state) in self.pods.iter().zip(&states[2..]) {
            let Some(slot) = *pod else { continue };
            let ours = [self.memory.held(slot, Charge::Heap, v), self.memory.held(slot, Charge::Shmem, v), self.memory.page_cache(slot, v)];
            compare("pod", state, &ours[..with_file]);
            in_kernel += self.memory.held(slot, Charge::NonHeap, v);
            (all[0], all[1]) = (all[0] + ours[0], all[1] + ours[1]);
        }
        assert_eq!(all[0] + all[1] + in_kernel, self.memory.pods_level(v));
        all[2] = self.memory.node_page_cache(v);
        compare("kubepods", &states[1], &all[..sums]);
        all[0] += self.memory.node_level(v) - self.memory.pods_level(v);
        compare("node", &states[0], &all[..sums]);
        out
    }
}

/// The least and the most pages that a cgroup held in any of the repeats: a state is what it held in the first, and by how much each
/// of the others differs.
fn range(state: &Value, column: usize) -> (u64, u64) {
    let state = state.as_array().expect("repeats");
    assert_eq!(state.len(), REPEATS);
    let at = |repeat: &Value| repeat[column].as_i64().expect("pages");
    let all = || state.iter().enumerate().map(|(index, repeat)| if index == 0 { at(repeat) } else { at(&state[0]) + at(repeat) }.max(0) as u64);
    (all().min().expect("repeats"), all().max().expect("repeats"))
}

fn recorded_kills(step: &[Value]) -> Vec<(usize, String)> {
    let kills = step[step.len() - 2].as_array().expect("kills");
    kills.iter().map(|kill| (number(&kill[0]) as usize, kill[1].as_str().expect("a level").to_owned())).collect()
}

/// Plays a sequence; says where it first differs.
fn play(sequence: &Value) -> Result<usize, String> {
    let mut replay = Replay::new(sequence);
    let mut kills = 0;
    for (index, step) in sequence["steps"].as_array().expect("steps").iter().enumerate() {
        let step = step.as_array().expect("a step");
        let where_ = || format!("seed {}, step {index} {}", sequence["seed"], Value::from(&step[..step.len() - 2]));
        replay.kills.clear();
        let brought = replay.step(step);
        let ours: Vec<(usize, String)> = replay.kills.iter().map(|&(process, level)| (process, level.to_owned())).collect();
        let theirs = recorded_kills(step);
        if ours != theirs {
            return Err(format!("{}: we kill {ours:?}, the kernel {theirs:?}", where_()));
        }
        kills += ours.len();
        if let (Some(brought), Some(done)) = (brought, step[3].as_u64()) {
            if brought.abs_diff(done) > GRAIN {
                return Err(format!("{}: the write brings {brought} pages", where_()));
            }
        }
        let differences = replay.differences(step[step.len() - 1].as_array().expect("states"), [number(&sequence["node"]), number(&sequence["kubepods"])]);
        if !differences.is_empty() {
            return Err(format!("{}: {differences:?}", where_()));
        }
        replay.memory.check().map_err(|why| format!("{}: {why}", where_()))?;
    }
    Ok(kills)
}

/// The recording's head, and its sequences.
fn recording() -> (Value, Vec<Value>) {
    let file = std::fs::File::open(tests::data("kernel.jsonl.gz")).expect("the recording is there");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("it is gzip");
    let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("an object a line"));
    (lines.next().expect("a head"), lines.collect())
}

#[test]
fn charges_limits_victims_and_reclaim_are_the_kernels() {
    let (head, sequences) = recording();
    assert_eq!((number(&head["repeats"]), Bytes::kib(number(&head["read_ahead_kib"]))), (REPEATS as u64, READ_AHEAD));
    let results: Vec<Result<usize, String>> = sequences.iter().map(play).collect();
    let why: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(why.is_empty(), "{} of {} sequences part from the kernel: {why:#?}", why.len(), results.len());
    let kills: usize = results.iter().flatten().sum();
    let steps: usize = sequences.iter().map(|sequence| sequence["steps"].as_array().expect("steps").len()).sum();
    // Where the repeats of a sequence part from each other, it ends.
    let parted = sequences.iter().filter(|sequence| sequence["parted"] == true).count();
    assert!(results.len() == 200 && kills > 250 && steps > 6000 && parted == 0, "{} sequences, {steps} steps, {kills} kills, {parted} parted", results.len());
}
