//! One stage attempt's tasks: which wait, which run, which are done, and where each would like to run.
//!
//! Pending lists are kept by executor, by host and in all, as Spark keeps them: a launch takes a task from one list, and its
//! entries elsewhere are dropped when they are met, so that no offer looks at all tasks. Delay scheduling holds a task set at a
//! locality level until the level's wait is over (3.6); since Spark 3.1 only a round of offers that nobody refused restarts the
//! wait (SPARK-18886). There is no rack level, because nodes have no racks here. Source: Spark's `TaskSetManager`.

use super::exclusion::TaskSetExclusion;
use super::speculation::Copies;
use crate::ids::ExecutorId;
use crate::spec::LocalityConf;
use crate::units::{SimSpan, SimTime};

/// What Spark calls a host: a node, but on Kubernetes a pod, because executors are known by their pods' addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Host(pub(crate) u32);

/// How near to its data a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// On the executor that holds the data.
    Process,
    /// On its host.
    Node,
    /// The task prefers no place.
    NoPref,
    /// Anywhere.
    Any,
}

/// Where the tasks of a set would like to run.
#[derive(Clone, Debug)]
pub(crate) enum Prefs {
    /// Anywhere.
    None,
    /// All on one of these hosts (reducers).
    Hosts(Vec<Host>),
    /// Each where its cached block is, by partition.
    Executors(Vec<Option<(ExecutorId, Host)>>),
}

impl Prefs {
    /// How near a partition would be there.
    pub(crate) fn level(&self, partition: u32, executor: ExecutorId, host: Host) -> Level {
        match self {
            Self::None => Level::NoPref,
            Self::Hosts(hosts) => {
                if hosts.contains(&host) {
                    Level::Node
                } else {
                    Level::Any
                }
            }
            Self::Executors(at) => match at[partition as usize] {
                None => Level::NoPref,
                Some((there, _)) if there == executor => Level::Process,
                Some((_, there)) if there == host => Level::Node,
                Some(_) => Level::Any,
            },
        }
    }
}

/// A task of the set.
#[derive(Clone, Copy, Debug, Default)]
struct Task {
    /// Attempts of this set that run.
    copies: u8,
    /// Whether it needs no attempt: it succeeded, or was not part of this set.
    done: bool,
    /// Whether it waits for a slot.
    pending: bool,
    /// Failures that count (TF-1).
    failures: u32,
    /// Where it succeeded.
    ran_on: Option<ExecutorId>,
}

/// The tasks of a stage attempt.
#[derive(Debug)]
pub(crate) struct TaskSet {
    tasks: Vec<Task>,
    size: u32,
    left: u32,
    waiting: u32,
    running: u32,
    all: Vec<u32>,
    no_prefs: Vec<u32>,
    by_executor: Vec<(ExecutorId, Vec<u32>)>,
    by_host: Vec<(Host, Vec<u32>)>,
    prefs: Prefs,
    levels: Vec<Level>,
    current: usize,
    since: SimTime,
    /// Whether an offer was refused since the wait began anew.
    refused: bool,
    /// What speculation needs to know, when it is on.
    pub(crate) copies: Option<Box<Copies>>,
    /// Failures by place, when places are excluded.
    pub(crate) exclusion: Option<Box<TaskSetExclusion>>,
}

impl TaskSet {
    /// No tasks: before the first attempt.
    pub(crate) fn none() -> Self {
        Self::new(&[], Prefs::None, SimTime::ZERO)
    }

    /// A set of the partitions that are `missing`, in order; the first is launched first.
    pub(crate) fn new(missing: &[bool], prefs: Prefs, now: SimTime) -> Self {
        let tasks = missing.iter().map(|&missing| Task { done: !missing, ..Task::default() }).collect();
        let size = missing.iter().filter(|missing| **missing).count() as u32;
        let mut set = Self {
            tasks,
            size,
            left: size,
            waiting: 0,
            running: 0,
            all: Vec::with_capacity(size as usize),
            no_prefs: Vec::new(),
            by_executor: Vec::new(),
            by_host: Vec::new(),
            prefs,
            levels: vec![Level::Any],
            current: 0,
            since: now,
            refused: false,
            copies: None,
            exclusion: None,
        };
        (0..missing.len() as u32).rev().for_each(|partition| set.add(partition));
        set
    }

    /// Tasks in the set when it began.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }
    /// Tasks without a success.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }
    /// Tasks that wait for a slot.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting
    }
    /// Attempts that the driver believes to run.
    pub(crate) fn running(&self) -> u32 {
        self.running
    }
    /// Whether anything could be launched: waiting tasks, or speculative copies.
    pub(crate) fn wants_slots(&self) -> bool {
        self.waiting > 0 || self.copies.as_ref().is_some_and(|copies| copies.wanted())
    }
    /// Whether a task has succeeded or was never part of the set.
    pub(crate) fn is_done(&self, partition: u32) -> bool {
        self.tasks[partition as usize].done
    }
    /// Running attempts of a task.
    pub(crate) fn copies_of(&self, partition: u32) -> u8 {
        self.tasks[partition as usize].copies
    }
    /// Whether the set prefers any place.
    pub(crate) fn has_prefs(&self) -> bool {
        !matches!(self.prefs, Prefs::None)
    }
    /// The next task that waits, for questions about the whole set.
    pub(crate) fn next_waiting(&self) -> Option<u32> {
        self.all.iter().rev().copied().find(|&partition| self.tasks[partition as usize].pending)
    }

    /// Queues a task unless it is done, queued or running.
    pub(crate) fn add(&mut self, partition: u32) {
        let task = &mut self.tasks[partition as usize];
        if task.done || task.pending || task.copies > 0 {
            return;
        }
        task.pending = true;
        self.waiting += 1;
        self.all.push(partition);
        match &self.prefs {
            Prefs::None => {}
            Prefs::Hosts(hosts) => hosts.iter().for_each(|host| push(&mut self.by_host, *host, partition)),
            Prefs::Executors(at) => match at[partition as usize] {
                Some((executor, host)) => {
                    push(&mut self.by_executor, executor, partition);
                    push(&mut self.by_host, host, partition);
                }
                None => self.no_prefs.push(partition),
            },
        }
    }

    /// Takes a waiting task for an executor, no farther from its data than `most`; and how near it is.
    pub(crate) fn take(&mut self, executor: ExecutorId, host: Host, most: Level) -> Option<(u32, Level)> {
        let excluded = self.exclusion.as_deref();
        let allowed = |partition: u32| excluded.is_none_or(|e| !e.excludes_task(executor, host, partition));
        let tasks = &self.tasks;
        let none = matches!(self.prefs, Prefs::None);
        let from_executor = self.by_executor.iter_mut().find(|(at, _)| *at == executor).and_then(|(_, list)| pop(list, tasks, allowed));
        let found = from_executor.map(|partition| (partition, Level::Process)).or_else(|| {
            let list = self.by_host.iter_mut().find(|(at, _)| *at == host && most >= Level::Node);
            list.and_then(|(_, list)| pop(list, tasks, allowed)).map(|partition| (partition, Level::Node))
        });
        let found = found.or_else(|| {
            let list = if none { &mut self.all } else { &mut self.no_prefs };
            let partition = if most >= Level::NoPref { pop(list, tasks, allowed) } else { None };
            // Spark books a task without preference as the nearest.
            partition.map(|partition| (partition, Level::Process))
        });
        found.or_else(|| if most == Level::Any { pop(&mut self.all, tasks, allowed).map(|partition| (partition, Level::Any)) } else { None })
    }

    /// Takes a task for a speculative copy: not on a host where it has been tried, nor farther from its data than `most`.
    pub(crate) fn take_copy(&mut self, executor: ExecutorId, host: Host, most: Level) -> Option<(u32, Level)> {
        let copies = self.copies.as_deref_mut()?;
        let (tasks, prefs, excluded) = (&self.tasks, &self.prefs, self.exclusion.as_deref());
        let partition = copies.take(
            host,
            |partition| tasks[partition as usize].copies == 1 && !tasks[partition as usize].done,
            |partition| prefs.level(partition, executor, host) <= most && excluded.is_none_or(|e| !e.excludes_task(executor, host, partition)),
        )?;
        Some((partition, self.prefs.level(partition, executor, host)))
    }

    /// An attempt of a task has been launched.
    pub(crate) fn launched(&mut self, partition: u32) {
        let task = &mut self.tasks[partition as usize];
        self.waiting -= u32::from(std::mem::take(&mut task.pending));
        task.copies += 1;
        self.running += 1;
    }
    /// An attempt of a task has ended, however.
    pub(crate) fn ended(&mut self, partition: u32) {
        self.tasks[partition as usize].copies -= 1;
        self.running -= 1;
    }
    /// A task has succeeded, in this set on `executor` or in an earlier one. Whether it had not before.
    pub(crate) fn succeed(&mut self, partition: u32, executor: Option<ExecutorId>) -> bool {
        let task = &mut self.tasks[partition as usize];
        if task.done {
            return false;
        }
        task.done = true;
        task.failures = 0;
        task.ran_on = executor;
        self.waiting -= u32::from(std::mem::take(&mut task.pending));
        self.left -= 1;
        true
    }
    /// A failure that counts; how many there are now.
    pub(crate) fn fail(&mut self, partition: u32) -> u32 {
        let task = &mut self.tasks[partition as usize];
        task.failures += 1;
        task.failures
    }
    /// Tasks whose success on an executor is undone: they wait again (EL-1). How many.
    pub(crate) fn undo_on(&mut self, executor: ExecutorId) -> u32 {
        let mut undone = 0;
        for partition in (0..self.tasks.len() as u32).rev() {
            let task = &mut self.tasks[partition as usize];
            if task.done && task.ran_on == Some(executor) {
                (task.done, task.ran_on) = (false, None);
                self.left += 1;
                undone += 1;
                self.add(partition);
            }
        }
        undone
    }
    /// Nothing more is launched.
    pub(crate) fn retire(&mut self) {
        self.tasks.iter_mut().for_each(|task| task.pending = false);
        self.waiting = 0;
        self.copies = None;
    }

    /// Works out which levels make sense with the executors that there are; the wait goes on where it was, or begins at the
    /// nearest level when a nearer one has come up (SPARK-31837).
    pub(crate) fn find_levels(&mut self, lives: impl Fn(ExecutorId) -> bool, has_executor: impl Fn(Host) -> bool) {
        let before = self.levels.get(self.current).copied().unwrap_or(Level::Any);
        self.levels.clear();
        if self.by_executor.iter().any(|(executor, list)| !list.is_empty() && lives(*executor)) {
            self.levels.push(Level::Process);
        }
        if self.by_host.iter().any(|(host, list)| !list.is_empty() && has_executor(*host)) {
            self.levels.push(Level::Node);
        }
        if matches!(self.prefs, Prefs::None) || !self.no_prefs.is_empty() {
            self.levels.push(Level::NoPref);
        }
        self.levels.push(Level::Any);
        let at = self.levels.iter().position(|level| *level >= before).unwrap_or(0);
        self.current = if at > self.current { 0 } else { at };
    }
    /// The levels, nearest first.
    pub(crate) fn level(&self, index: usize) -> Option<Level> {
        self.levels.get(index).copied()
    }

    /// The farthest level at which tasks may be launched now.
    pub(crate) fn allowed(&mut self, now: SimTime, conf: &LocalityConf) -> Level {
        while self.current + 1 < self.levels.len() {
            let level = self.levels[self.current];
            let more = match level {
                Level::Process => any_left(&mut self.by_executor, &self.tasks),
                Level::Node => any_left(&mut self.by_host, &self.tasks),
                Level::NoPref | Level::Any => !self.no_prefs.is_empty(),
            };
            let wait = wait_at(level, conf);
            if !more {
                self.since = now;
            } else if now.since(self.since) >= wait {
                self.since = self.since + wait;
            } else {
                return level;
            }
            self.current += 1;
        }
        Level::Any
    }
    /// When the next level opens.
    pub(crate) fn opens_at(&self, conf: &LocalityConf) -> SimTime {
        self.since + self.levels.get(self.current).map_or(SimSpan::ZERO, |level| wait_at(*level, conf))
    }
    /// A round of offers is over: what was the nearest launch, whether somebody was refused, whether all free slots were offered.
    pub(crate) fn offered(&mut self, nearest: Option<Level>, refused: bool, all_slots: bool, now: SimTime) {
        if refused {
            self.refused = true;
        } else if let Some(level) = nearest.filter(|_| all_slots || !self.refused) {
            self.refused = false;
            self.restart(level, now);
        }
    }
    /// The wait starts again at a level.
    pub(crate) fn restart(&mut self, level: Level, now: SimTime) {
        self.since = now;
        self.current = self.levels.iter().position(|known| *known >= level).unwrap_or(0);
    }
}

fn wait_at(level: Level, conf: &LocalityConf) -> SimSpan {
    match level {
        Level::Process => conf.wait_process,
        Level::Node => conf.wait_node,
        Level::NoPref | Level::Any => SimSpan::ZERO,
    }
}

fn push<K: PartialEq>(lists: &mut Vec<(K, Vec<u32>)>, key: K, partition: u32) {
    match lists.iter_mut().find(|(known, _)| *known == key) {
        Some((_, list)) => list.push(partition),
        None => lists.push((key, vec![partition])),
    }
}

/// Takes the last entry that waits and is allowed; entries that do not wait any more are dropped.
fn pop(list: &mut Vec<u32>, tasks: &[Task], allowed: impl Fn(u32) -> bool) -> Option<u32> {
    let mut at = list.len();
    while at > 0 {
        at -= 1;
        let partition = list[at];
        let waits = tasks[partition as usize].pending;
        if !waits || allowed(partition) {
            list.remove(at);
        }
        if waits && allowed(partition) {
            return Some(partition);
        }
    }
    None
}

/// Whether any list has a task that waits.
fn any_left<K>(lists: &mut [(K, Vec<u32>)], tasks: &[Task]) -> bool {
    lists.iter_mut().any(|(_, list)| {
        while list.last().is_some_and(|&partition| !tasks[partition as usize].pending) {
            list.pop();
        }
        !list.is_empty()
    })
}
