//! How the driver's task scheduler chooses: order of jobs, locality, speculation, exclusion.
//!
//! Everything here has Spark's own default (of 3.x), so that a spec names what it changes. Pools exist under FAIR only. What is
//! off in Spark by default is `None` here and costs nothing in a run. Source: 3.6; Spark's `TaskSchedulerImpl`, `Pool`,
//! `TaskSetManager`, `HealthTracker`.

use crate::units::SimSpan;

/// `spark.scheduler.mode`, and the mode within a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SchedulingMode {
    /// By job, then by stage.
    #[default]
    Fifo,
    /// By shares of running tasks.
    Fair,
}

/// A pool of `spark.scheduler.allocation.file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConf {
    /// Name, as in `spark.scheduler.pool`.
    pub name: String,
    /// Order of the task sets within it.
    pub mode: SchedulingMode,
    /// Share of the cluster relative to other pools, at least 1.
    pub weight: u32,
    /// Tasks that it may run before weights count.
    pub min_share: u32,
}

impl PoolConf {
    /// The pool that Spark makes for a name which no file describes: FIFO, weight 1, no minimum share.
    pub fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), mode: SchedulingMode::Fifo, weight: 1, min_share: 0 }
    }
}

/// Delay scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalityConf {
    /// `spark.locality.wait.process`.
    pub wait_process: SimSpan,
    /// `spark.locality.wait.node`.
    pub wait_node: SimSpan,
    /// Whether every launch restarts the wait: before Spark 3.1, or `spark.locality.wait.legacyResetOnTaskLaunch` (SPARK-18886).
    pub reset_on_launch: bool,
    /// `spark.shuffle.reduceLocality.enabled`.
    pub reducers: bool,
    /// `spark.scheduler.revive.interval`: refused slots are offered again on this grid.
    pub revive_interval: SimSpan,
}

impl Default for LocalityConf {
    fn default() -> Self {
        let wait = SimSpan::from_secs(3);
        Self { wait_process: wait, wait_node: wait, reset_on_launch: false, reducers: true, revive_interval: SimSpan::from_secs(1) }
    }
}

/// `spark.speculation` = true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeculationConf {
    /// `spark.speculation.interval`.
    pub interval: SimSpan,
    /// `spark.speculation.multiplier`: how many medians a task may take.
    pub multiplier: f64,
    /// `spark.speculation.quantile`: share of the tasks that must be done first.
    pub quantile: f64,
    /// `spark.speculation.minTaskRuntime`; 100 ms before 3.2.
    pub min_runtime: SimSpan,
    /// `spark.speculation.task.duration.threshold`, for task sets that fit on one executor.
    pub threshold: Option<SimSpan>,
    /// `spark.speculation.efficiency.enabled` (3.4): only slow processing or a long run is speculated on.
    pub efficiency: Option<SpeculationEfficiency>,
}

/// When a task that is too long is not worth a copy: it is just large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeculationEfficiency {
    /// `spark.speculation.efficiency.processRateMultiplier`: below this share of the mean rate a task is slow.
    pub rate_multiplier: f64,
    /// `spark.speculation.efficiency.longRunTaskFactor`: beyond so many thresholds it gets a copy in any case.
    pub long_run_factor: f64,
}

impl Default for SpeculationConf {
    fn default() -> Self {
        Self {
            interval: SimSpan::from_ms(100),
            multiplier: 1.5,
            quantile: 0.75,
            min_runtime: SimSpan::from_ms(100),
            threshold: None,
            efficiency: Some(SpeculationEfficiency { rate_multiplier: 0.75, long_run_factor: 2.0 }),
        }
    }
}

/// `spark.excludeOnFailure.enabled` = true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExclusionConf {
    /// Whether tasks and stages avoid places (`taskAndStage.enabled`, its own switch since 4.0).
    pub task_and_stage: bool,
    /// Whether the application does (`application.enabled`, its own switch since 4.0).
    pub application: bool,
    /// `task.maxTaskAttemptsPerExecutor`.
    pub task_attempts_per_executor: u32,
    /// `task.maxTaskAttemptsPerNode`.
    pub task_attempts_per_node: u32,
    /// `stage.maxFailedTasksPerExecutor`.
    pub stage_tasks_per_executor: u32,
    /// `stage.maxFailedExecutorsPerNode`.
    pub stage_executors_per_node: u32,
    /// `application.maxFailedTasksPerExecutor`.
    pub application_tasks_per_executor: u32,
    /// `application.maxFailedExecutorsPerNode`.
    pub application_executors_per_node: u32,
    /// `timeout`: how long the application avoids a place.
    pub timeout: SimSpan,
    /// `spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout`.
    pub unschedulable_timeout: SimSpan,
}

impl Default for ExclusionConf {
    fn default() -> Self {
        Self {
            task_and_stage: true,
            application: true,
            task_attempts_per_executor: 1,
            task_attempts_per_node: 2,
            stage_tasks_per_executor: 2,
            stage_executors_per_node: 2,
            application_tasks_per_executor: 2,
            application_executors_per_node: 2,
            timeout: SimSpan::from_secs(3600),
            unschedulable_timeout: SimSpan::from_secs(120),
        }
    }
}

/// The task scheduler.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SchedulerConf {
    /// `spark.scheduler.mode`.
    pub mode: SchedulingMode,
    /// Pools of `spark.scheduler.allocation.file`; a job's pool that is not among them is a plain one.
    pub pools: Vec<PoolConf>,
    /// Delay scheduling.
    pub locality: LocalityConf,
    /// Speculative copies, when switched on.
    pub speculation: Option<SpeculationConf>,
    /// Exclusion of executors and nodes, when switched on.
    pub exclusion: Option<ExclusionConf>,
}
