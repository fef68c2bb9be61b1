//! What an operator sees of a death: `kubectl describe pod`, YARN's diagnostics, `systemctl status`.
//!
//! containerd calls a container `OOMKilled` when its cgroup's OOM events say so. On cgroup v2 a kill is counted in the victim's own cgroup, whoever's limit was met. On
//! v1 an OOM of a cgroup is told to all cgroups below it, so a kill by `kubepods` shows, too, but one by the node itself shows as `Error` (NO-3; the
//! notification of descendants was measured on a 6.18 kernel). An evicted pod has the reason itself. A JVM whose heap is full ends as its flags say (6.6):
//! `OnOutOfMemoryError` runs before `CrashOnOutOfMemoryError`, that before `ExitOnOutOfMemoryError`, and only without them Spark's handler exits with 52. Elsewhere
//! there is an exit code only; YARN's monitor has its own. Assumption: Docker behaves as containerd, whose events it shows.

use crate::record::{Cause, Level, Party};
use crate::spec::{CgroupVersion, Platform, Spec};

/// Exit code of a process that SIGKILL ended.
const SIGKILL: i32 = 137;
/// `ContainerExitStatus.KILLED_EXCEEDED_PMEM`.
const KILLED_EXCEEDED_PMEM: i32 = -104;
/// Exit code of a driver whose main thread ends with an exception.
const DRIVER_EXCEPTION: i32 = 1;

/// The word beside an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Kubernetes: the container's cgroup saw an OOM kill.
    OomKilled,
    /// Kubernetes: the container ended with another exit code than 0.
    Error,
    /// Kubernetes: the pod was evicted.
    Evicted,
    /// Elsewhere: an exit code alone.
    Exit,
    /// systemd: the result of a unit with a process that the kernel killed.
    OomKill,
    /// Nothing ends: only tasks fail.
    Nothing,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 6] = [Self::OomKilled, Self::Error, Self::Evicted, Self::Exit, Self::OomKill, Self::Nothing];

    /// As it is shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OomKilled => "OOMKilled",
            Self::Error => "Error",
            Self::Evicted => "Evicted",
            Self::Exit => "exit",
            Self::OomKill => "oom-kill",
            Self::Nothing => "nothing",
        }
    }
}

/// How a death shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// The reason.
    pub reason: Reason,
    /// The exit code, where there is one.
    pub exit_code: Option<i32>,
}

impl Shown {
    const fn new(reason: Reason, exit_code: i32) -> Self {
        Self { reason, exit_code: Some(exit_code) }
    }

    /// In words: `OOMKilled, exit code 137`.
    pub fn words(self) -> String {
        match (self.reason, self.exit_code) {
            (Reason::Exit, Some(code)) => format!("exit code {code}"),
            (reason, Some(code)) => format!("{}, exit code {code}", reason.word()),
            (reason, None) => reason.word().to_owned(),
        }
    }
}

/// How a death of this cause at this level shows.
pub fn shown(spec: &Spec, victim: &Party, cause: Cause, level: Level) -> Shown {
    let bare = |reason| Shown { reason, exit_code: None };
    let on_kubernetes = spec.cluster.platform == Platform::Kubernetes;
    let ends = |code: i32| Shown::new(if on_kubernetes { Reason::Error } else { Reason::Exit }, code);
    match cause {
        Cause::ScratchFull => bare(Reason::Nothing),
        Cause::Eviction => bare(Reason::Evicted),
        Cause::Heap if *victim == Party::Driver => ends(DRIVER_EXCEPTION),
        Cause::Heap => ends(i32::from(spec.spark.executor.heap_exit)),
        Cause::Container | Cause::Node => match victim {
            Party::Daemon(_) => bare(Reason::OomKill),
            _ if spec.cluster.platform == Platform::Yarn && cause == Cause::Container => Shown::new(Reason::Exit, KILLED_EXCEEDED_PMEM),
            _ if on_kubernetes && (level != Level::Node || spec.cluster.cgroup != CgroupVersion::V1) => Shown::new(Reason::OomKilled, SIGKILL),
            _ => ends(SIGKILL),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// NO-3 and 6.6 as a table: platform, cgroup version, cause, level, what shows.
    #[test]
    fn no_3_deaths_show_as_containerd_yarn_and_the_jvm_say() {
        let (v1, v2) = (CgroupVersion::V1, CgroupVersion::V2 { group_kill: true });
        let executor = Party::Executor(1);
        for (platform, cgroup, cause, level, expected) in [
            (Platform::Kubernetes, v2, Cause::Container, Level::Pod, "OOMKilled, exit code 137"),
            (Platform::Kubernetes, v2, Cause::Node, Level::Kubepods, "OOMKilled, exit code 137"),
            (Platform::Kubernetes, v2, Cause::Node, Level::Node, "OOMKilled, exit code 137"),
            (Platform::Kubernetes, v1, Cause::Container, Level::Pod, "OOMKilled, exit code 137"),
            (Platform::Kubernetes, v1, Cause::Node, Level::Kubepods, "OOMKilled, exit code 137"),
            (Platform::Kubernetes, v1, Cause::Node, Level::Node, "Error, exit code 137"),
            (Platform::Kubernetes, v2, Cause::Heap, Level::Heap, "Error, exit code 52"),
            (Platform::Kubernetes, v2, Cause::Eviction, Level::Eviction, "Evicted"),
            (Platform::Kubernetes, v2, Cause::ScratchFull, Level::Volume, "nothing"),
            (Platform::Yarn, v1, Cause::Container, Level::Pod, "exit code -104"),
            (Platform::Yarn, v1, Cause::Node, Level::Node, "exit code 137"),
            (Platform::Standalone, v1, Cause::Heap, Level::Heap, "exit code 52"),
            (Platform::Bare, v1, Cause::Container, Level::Pod, "exit code 137"),
        ] {
            let mut spec = fixture::case_study(true, true);
            (spec.cluster.platform, spec.cluster.cgroup) = (platform, cgroup);
            assert_eq!(shown(&spec, &executor, cause, level).words(), expected, "{platform:?} {cgroup:?} {cause:?} {level:?}");
        }
        let mut spec = fixture::case_study(true, true);
        spec.spark.executor.heap_exit = 3;
        assert_eq!(shown(&spec, &executor, Cause::Heap, Level::Heap).words(), "Error, exit code 3");
        assert_eq!(shown(&spec, &Party::Driver, Cause::Heap, Level::Heap).words(), "Error, exit code 1");
        assert_eq!(shown(&spec, &Party::Daemon("sshd".into()), Cause::Node, Level::Node).words(), "oom-kill");
    }
}
