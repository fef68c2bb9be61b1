//! Which local directories an executor pod gets for shuffle files and spills.
//!
//! If the executor container mounts volumes named `spark-local-dir-*`, they are the local directories and nothing else
//! is created. Otherwise Spark makes one `emptyDir` a configured directory (at least one), without `sizeLimit`, in
//! memory if and only if `spark.kubernetes.local.dirs.tmpfs` is set (4.1, LD-1). So that flag has no effect on volumes
//! that the user declares, whatever their name (LD-2), and nothing raises the pod's memory for it (LD-5). A local
//! directory on the container's own layer, without a volume, is not modelled (LD-4).

use crate::spec::{EmptyDir, KubernetesConf, Medium, VolumeSource};
use crate::units::Bytes;

/// Volumes whose name starts with this are local directories (4.1).
const PREFIX: &str = "spark-local-dir-";

/// One local directory of an executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDir {
    /// Volume name.
    pub volume_name: String,
    /// What backs it, with its medium and size limit.
    pub source: VolumeSource,
}

impl LocalDir {
    /// Whether its bytes are memory of the pod.
    pub fn in_memory(&self) -> bool {
        matches!(self.source, VolumeSource::EmptyDir(EmptyDir { medium: Medium::Memory, .. }))
    }

    /// `sizeLimit` of an `emptyDir`, if set and not zero.
    pub fn size_limit(&self) -> Option<Bytes> {
        match self.source {
            VolumeSource::EmptyDir(EmptyDir { size_limit, .. }) => size_limit.filter(|limit| !limit.is_zero()),
            VolumeSource::HostPath { .. } | VolumeSource::Claim(_) => None,
        }
    }
}

/// The executor's local directories, in the order in which Spark numbers them. Never empty.
pub fn local_dirs(conf: &KubernetesConf) -> Vec<LocalDir> {
    let declared = conf.pod_template.volumes.iter().filter(|volume| volume.name.starts_with(PREFIX));
    let declared: Vec<LocalDir> = declared.map(|volume| LocalDir { volume_name: volume.name.clone(), source: volume.source }).collect();
    if declared.is_empty() { generated(conf) } else { declared }
}

fn generated(conf: &KubernetesConf) -> Vec<LocalDir> {
    let medium = if conf.local_dirs_tmpfs { Medium::Memory } else { Medium::Disk };
    let source = VolumeSource::EmptyDir(EmptyDir { medium, size_limit: None });
    (1..=conf.local_dirs.max(1)).map(|number| LocalDir { volume_name: format!("{PREFIX}{number}"), source }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{PodTemplate, Volume};
    use crate::units::SimSpan;

    fn conf(tmpfs: bool, local_dirs: u32, volumes: Vec<Volume>) -> KubernetesConf {
        KubernetesConf {
            local_dirs_tmpfs: tmpfs,
            local_dirs,
            allocation_batch_size: 5,
            allocation_batch_delay: SimSpan::ZERO,
            replace_delay: SimSpan::ZERO,
            max_replacements: None,
            namespace: "default".into(),
            pod_template: PodTemplate { volumes, ..PodTemplate::default() },
        }
    }

    fn volume(name: &str, source: VolumeSource) -> Volume {
        Volume { name: name.to_owned(), mount_path: format!("/mnt/{name}"), source }
    }

    fn empty_dir(medium: Medium, size_limit: Option<Bytes>) -> VolumeSource {
        VolumeSource::EmptyDir(EmptyDir { medium, size_limit })
    }

    fn names(dirs: &[LocalDir]) -> Vec<&str> {
        dirs.iter().map(|dir| dir.volume_name.as_str()).collect()
    }

    #[test]
    fn ld1_generated_on_disk_by_default_and_in_memory_with_the_flag() {
        for (tmpfs, count, expected) in [(false, 1, 1), (true, 1, 1), (true, 3, 3), (false, 0, 1)] {
            let dirs = local_dirs(&conf(tmpfs, count, Vec::new()));
            assert_eq!(dirs.len(), expected);
            assert!(dirs.iter().all(|dir| dir.in_memory() == tmpfs && dir.size_limit().is_none()));
        }
        assert_eq!(names(&local_dirs(&conf(false, 2, Vec::new()))), ["spark-local-dir-1", "spark-local-dir-2"]);
    }

    #[test]
    fn ld2_flag_leaves_declared_volumes_alone() {
        // The case study's volumes are no local directories: Spark still makes its own, in memory and without limit.
        let small = empty_dir(Medium::Disk, Some(Bytes::gib(1)));
        let dirs = local_dirs(&conf(true, 1, vec![volume("tmp-volume", small), volume("workdir", small)]));
        assert_eq!(names(&dirs), ["spark-local-dir-1"]);
        assert!(dirs[0].in_memory() && dirs[0].size_limit().is_none());
        // A declared local directory on disk stays on disk whatever the flag says, and no other is made.
        let dirs = local_dirs(&conf(true, 2, vec![volume("spark-local-dir-scratch", small), volume("workdir", small)]));
        assert_eq!(names(&dirs), ["spark-local-dir-scratch"]);
        assert!(!dirs[0].in_memory());
        assert_eq!(dirs[0].size_limit(), Some(Bytes::gib(1)));
    }

    #[test]
    fn ld3_declared_medium_and_limit_are_kept() {
        let claim = crate::fixture::claim(Bytes::gib(100));
        let volumes = vec![
            volume("spark-local-dir-1", empty_dir(Medium::Memory, Some(Bytes::gib(8)))),
            volume("spark-local-dir-2", VolumeSource::Claim(claim)),
            volume("spark-local-dir-3", VolumeSource::HostPath { disk: 1 }),
            volume("spark-local-dir-4", empty_dir(Medium::Memory, Some(Bytes::ZERO))),
        ];
        let dirs = local_dirs(&conf(false, 1, volumes));
        let seen: Vec<(bool, Option<Bytes>)> = dirs.iter().map(|dir| (dir.in_memory(), dir.size_limit())).collect();
        assert_eq!(seen, [(true, Some(Bytes::gib(8))), (false, None), (false, None), (true, None)]);
    }
}
