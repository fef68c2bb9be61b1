//! Claims that outlive their pod because the driver owns them, and are mounted by the next one.
//!
//! The old files are still there, and nobody deletes them. A claim is free when its pod is known to be gone and its volumes are torn
//! down (until then the pod is still in the API), and is used again only when it is older than the time after which a pod that was
//! never seen is given up, 600 s by default: before that a new pod gets a new claim. With `waitToReuse…` there are never more claims
//! than executors (claims are counted, pods are not: two a pod leave room for half of the pods), and pods wait for a free one. With
//! `KubernetesLocalDiskShuffleDataIO` a new executor looks for shuffle files of the dead one when it gets its first shuffle writer,
//! and not before; the driver takes the outputs that it knows and has no other of. Assumptions: the claims of a pod stay together;
//! verification of checksums takes the disk's time and no task's; a run of the cleaner does not find what was recovered. Source: 4.8;
//! `ExecutorPodsAllocator`, `KubernetesLocalDiskShuffleExecutorComponents`, `ShuffleStatus.updateMapOutput` of Spark 4.3.

use crate::ids::{ExecutorId, NodeId, ShuffleId};
use crate::plan::Carrier;
use crate::sim::Sim;
use crate::spark::claims::attach::{self, Hanging};
use crate::spark::claims::place::{self, Place};
use crate::spark::driver::{Location, MapOutputs};
use crate::spark::executor::Life;
use crate::spark::scratch::{self, Stored};
use crate::spec::{ClaimReuse, Platform, PodsAllocator};
use crate::units::{Bytes, SimTime};

/// A map output among the files of a claim.
pub(crate) type Found = (ShuffleId, u32, Bytes);

/// The claims of a pod that is gone.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    /// When they were made.
    made_at: SimTime,
    /// Their sizes now.
    pub(super) sizes: Vec<Bytes>,
    /// Where their volumes are.
    place: Place,
    /// On which node they hung, and until when.
    hanging: Option<Hanging>,
    /// Files on them.
    files: Stored,
    /// Map outputs that their last executor had registered.
    outputs: Vec<Found>,
}

/// Claims of the driver.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    free: Vec<Left>,
    /// How many have been made.
    made: u32,
}

/// How claims are used again, where executors have some.
fn conf(sim: &Sim) -> Option<ClaimReuse> {
    let spec = sim.plan.spec();
    let direct = spec.cluster.platform == Platform::Kubernetes && spec.spark.allocation.allocator == PodsAllocator::Direct;
    spec.spark.allocation.claims.reuse.filter(|_| direct && !sim.plan.executor.scratch.claims.is_empty())
}

/// The claims that a new pod would get, the oldest first.
fn reusable(sim: &Sim) -> Option<usize> {
    let (now, age) = (sim.now(), sim.plan.spec().spark.allocation.creation_timeout);
    sim.allocator.claims.free.iter().position(|left| now.since(left.made_at) > age)
}

/// Whether a pod would have to wait for a claim.
pub(crate) fn must_wait(sim: &Sim) -> bool {
    let spec = sim.plan.spec();
    let most = spec.spark.allocation.dynamic.map_or(spec.spark.executor.instances, |dynamic| dynamic.max);
    conf(sim).is_some_and(|conf| conf.wait) && sim.allocator.claims.made >= most && reusable(sim).is_none()
}

/// A pod is created: with free claims, or new ones.
pub(crate) fn on_created(sim: &mut Sim, id: ExecutorId) {
    let reuses = conf(sim).is_some();
    let now = sim.now();
    if let Some(index) = reusable(sim).filter(|_| reuses) {
        let mut left = sim.allocator.claims.free.remove(index);
        let claims = &mut sim.executors[id].claims;
        claims.made_at = left.made_at;
        claims.place = std::mem::take(&mut left.place);
        claims.hanging = left.hanging.take();
        claims.reused = Some(Box::new(left));
        return;
    }
    place::on_created(sim, id);
    if reuses {
        sim.allocator.claims.made += sim.plan.executor.scratch.claims.len() as u32;
        sim.executors[id].claims.made_at = now;
    }
}

/// The pod has a node: what is on its claims is there now.
pub(crate) fn on_bound(sim: &mut Sim, id: ExecutorId, node: NodeId) {
    let Some(left) = &mut sim.executors[id].claims.reused else { return };
    let files = std::mem::take(&mut left.files);
    sim.executors[id].garbage += &files;
    scratch::found(sim, id, node, &files);
}

/// The executor gets a shuffle writer for the first time: map outputs on its claims that the driver misses are its own now.
pub(crate) fn on_writer(sim: &mut Sim, id: ExecutorId) {
    let Some(conf) = conf(sim).filter(|conf| conf.recover) else { return };
    let Some(node) = sim.executors[id].node else { return };
    let Some(left) = &mut sim.executors[id].claims.reused else { return };
    let found = std::mem::take(&mut left.outputs);
    if conf.verify {
        verify(sim, id, node, found.iter().map(|(_, _, bytes)| *bytes).sum());
    }
    for (shuffle, map, bytes) in found {
        if !sim.driver.cleaned[shuffle.index()] && !sim.driver.outputs[shuffle].has(map) {
            sim.driver.outputs[shuffle].register(map, Location { executor: id, node }, bytes);
        }
    }
}

/// All that was found is read, to compute its checksums.
fn verify(sim: &mut Sim, id: ExecutorId, node: NodeId, bytes: Bytes) {
    let now = sim.now();
    let claims = &sim.executors[id].claims.mounted;
    let each = Bytes::new(bytes.get() / (claims.len() as u64).max(1));
    for device in claims.iter().map(|claim| claim.device).collect::<Vec<_>>() {
        let nobody = sim.machines[node].dirty_pages(Bytes::ZERO, None);
        sim.machines[node].devices.add_read(now, device, each, nobody);
    }
    sim.touch(node);
}

/// An executor is dying or leaving: what it had registered is noted for whoever mounts its claims.
pub(crate) fn on_leaving(sim: &mut Sim, id: ExecutorId) {
    if !conf(sim).is_some_and(|conf| conf.recover) {
        return;
    }
    let of_one = |(shuffle, outputs): (ShuffleId, &MapOutputs)| outputs.maps_of(id).map(move |(map, bytes)| (shuffle, map, bytes)).collect::<Vec<Found>>();
    // Nothing of a remote shuffle service is on claims.
    let local = sim.driver.outputs.iter().filter(|(shuffle, _)| !sim.plan.is_remote(shuffle.index()));
    let outputs: Vec<Found> = local.flat_map(of_one).collect();
    sim.executors[id].claims.found = outputs;
}

/// Where the volumes of claims are that no pod has.
pub(super) fn left<'a>(sim: &'a Sim) -> impl Iterator<Item = &'a Place> {
    let waiting = sim.executors.values().filter_map(|e| e.claims.leaves.as_deref());
    sim.allocator.claims.free.iter().chain(waiting).map(|left| &left.place)
}

/// The pod's volumes are torn down, with these files on them: its claims wait for another pod, or are deleted with the pod.
pub(crate) fn on_torn_down(sim: &mut Sim, id: ExecutorId, files: &Stored) {
    let (place, hanging) = (std::mem::take(&mut sim.executors[id].claims.place), attach::hanging(sim, id));
    let Some(conf) = conf(sim) else { return };
    let scratch = &sim.plan.executor.scratch;
    let executor = &mut sim.executors[id];
    let mut kept = Stored::NONE;
    // An executor that ends in good order deletes its files, unless the plug-in keeps it from that.
    if conf.recover || !executor.dismissed {
        let on_claims = (0..scratch.dirs.len()).filter(|&dir| matches!(scratch.dirs[dir].carrier, Carrier::Claim(_)));
        on_claims.for_each(|dir| kept.add(scratch, dir, files.in_dir(dir)));
    }
    let mut sizes: Vec<Bytes> = executor.claims.mounted.iter().map(|claim| claim.size).collect();
    let reused = executor.claims.reused.take();
    let mut outputs = std::mem::take(&mut executor.claims.found);
    if let Some(reused) = reused {
        outputs.extend(reused.outputs);
        kept += &reused.files;
        if sizes.is_empty() {
            sizes = reused.sizes;
        }
    }
    if sizes.is_empty() {
        sizes = scratch.claims.iter().map(|claim| claim.size).collect();
    }
    let hanging = hanging.or(executor.claims.hanging.take());
    let left = Left { made_at: executor.claims.made_at, sizes, place, hanging, files: kept, outputs };
    executor.claims.leaves = Some(Box::new(left));
    free_if_known(sim, id);
}

/// Claims whose pod is gone, and known to be, can be mounted again. The pod of a node that vanished is in the API until it is deleted.
pub(crate) fn free_if_known(sim: &mut Sim, id: ExecutorId) {
    let executor = &mut sim.executors[id];
    if executor.life == Life::Gone && (executor.silent.is_none() || executor.terminating) {
        if let Some(left) = executor.claims.leaves.take() {
            sim.allocator.claims.free.push(*left);
        }
    }
}
