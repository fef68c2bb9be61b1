//! What neighbours take of a node's devices, steadily.
//!
//! A neighbour asks for a rate on the kubelet's disk and on the NIC for as long as it runs. It is one more user of the device: it gets what it
//! asks for, or as much as one flow where that is less ([`crate::kernel::FairShare`]); what it does not get it does not ask for
//! later. Its operations count like a disk's: in seconds of the device, whichever of bandwidth and operations takes longer. Assumptions: its rates are
//! those that reach the device, beyond its page cache. Source: 5.11.

use super::node::{Device, NodeDevices, effective_rate};
use crate::spec::{DeviceUse, DiskSpec};
use crate::units::SimTime;

/// Shares of whole devices that somebody asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Standing {
    disk: f64,
    nic_in: f64,
    nic_out: f64,
}

impl Standing {
    /// All shares together.
    pub(crate) fn sum(&self) -> f64 {
        self.disk + self.nic_in + self.nic_out
    }
}

impl NodeDevices {
    /// What a use of the first disk, which is this one, and of the NIC takes of the devices.
    pub(crate) fn standing(&self, used: &DeviceUse, disk: &DiskSpec) -> Standing {
        let (read, write) = self.seconds_per_byte(0);
        let disk = if used.iops == 0 {
            used.read.as_f64() * read + used.write.as_f64() * write
        } else {
            // What this node's disk is faster than its shape.
            let speed = 1.0 / (write * effective_rate(disk, disk.write.as_f64()));
            let bandwidth = used.read.as_f64() / disk.read.as_f64() + used.write.as_f64() / disk.write.as_f64();
            bandwidth.max(used.iops as f64 / disk.iops as f64) / speed
        };
        let nic = self.seconds_per_byte_nic();
        Standing { disk, nic_in: used.nic_in.as_f64() * nic, nic_out: used.nic_out.as_f64() * nic }
    }

    /// Takes or gives back what somebody asks for.
    pub(crate) fn stand(&mut self, now: SimTime, standing: &Standing, takes: bool) {
        for (device, share) in [(Device::Disk(0), standing.disk), (Device::NicIn, standing.nic_in), (Device::NicOut, standing.nic_out)] {
            if share > 0.0 {
                let server = self.server(device);
                if takes { server.add_steady(now, share) } else { server.remove_steady(now, share) }
            }
        }
    }

    /// All shares of devices that somebody asks for now.
    pub(crate) fn standing_sum(&self) -> f64 {
        self.all().flat_map(|device| self.look(device).steady()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::fixture;
    use crate::hardware::FlowOwner;
    use crate::hardware::node::Speeds;
    use crate::ids::NodeId;
    use crate::kernel::Calendar;
    use crate::spec::BurstSpec;
    use crate::units::{ByteRate, Bytes, SimSpan};

    /// A node with one disk of 150 MB/s and 2300 operations a second, or of another make, and a NIC of 1250 MB/s.
    fn node(change: impl Fn(&mut DiskSpec)) -> (NodeDevices, DiskSpec) {
        let mut shape = fixture::case_study(false, false).cluster.pools[0].shape.clone();
        change(&mut shape.disks[0]);
        (NodeDevices::new(&shape, &Speeds { cpu: 1.0, nic: 1.0, disks: vec![1.0] }), shape.disks[0].clone())
    }

    fn mb(rate: u64) -> ByteRate {
        ByteRate::mb_per_sec(rate)
    }

    /// Runs the calendar dry; gives the instants at which flows ended, seconds.
    fn ends(devices: &mut NodeDevices, calendar: &mut Calendar<Event>) -> Vec<f64> {
        let mut ends = Vec::new();
        let event = |device| Event::DeviceDone(NodeId::new(0), device);
        devices.refresh(calendar, event);
        while let Some((now, Event::DeviceDone(_, device))) = calendar.pop() {
            devices.fired(device);
            while devices.pop_done(now, device).is_some() {
                ends.push(now.as_secs_f64());
            }
            devices.refresh(calendar, event);
        }
        ends
    }

    /// By hand: of 150 MB/s one neighbour writes 30 and another would read 100. A writer of 600 MB has (150 − 30) / 2 = 60 MB/s, 10 s; with the
    /// second gone 120, 5 s; alone 150, 4 s.
    #[test]
    fn two_neighbours_and_one_writer_on_a_disk_of_150_mb_s() {
        let (small, greedy) = (DeviceUse { write: mb(30), ..DeviceUse::NONE }, DeviceUse { read: mb(100), ..DeviceUse::NONE });
        for (who, expected) in [(vec![&small, &greedy], 10.0), (vec![&small], 5.0), (vec![], 4.0), (vec![&greedy], 8.0)] {
            let ((mut devices, disk), mut calendar) = (node(|_| {}), Calendar::new());
            for used in &who {
                let standing = devices.standing(used, &disk);
                devices.stand(SimTime::ZERO, &standing, true);
            }
            devices.add_write(SimTime::ZERO, 0, Bytes::new(600_000_000), FlowOwner::WriteBack(0));
            assert!((ends(&mut devices, &mut calendar)[0] - expected).abs() < 1e-6, "{who:?}");
        }
    }

    /// 690 operations a second are three tenths of 2300, however few bytes they move: the writer has seven tenths of 150 MB/s, and all of it
    /// when they are given back.
    #[test]
    fn operations_take_their_share_of_the_disk() {
        let ((mut devices, disk), mut calendar) = (node(|_| {}), Calendar::new());
        let standing = devices.standing(&DeviceUse { write: mb(3), iops: 690, ..DeviceUse::NONE }, &disk);
        devices.stand(SimTime::ZERO, &standing, true);
        devices.add_write(SimTime::ZERO, 0, Bytes::new(105_000_000), FlowOwner::WriteBack(0));
        assert!((ends(&mut devices, &mut calendar)[0] - 1.0).abs() < 1e-6);
        let now = calendar.now();
        devices.stand(now, &standing, false);
        devices.add_write(now, 0, Bytes::new(150_000_000), FlowOwner::WriteBack(0));
        assert!((ends(&mut devices, &mut calendar)[0] - 2.0).abs() < 1e-6 && devices.standing_sum() < 1e-12);
    }

    /// A NIC of 1250 MB/s with a neighbour that sends 250: 1000 are left for what is sent, and all for what comes in.
    #[test]
    fn the_nic_is_shared_by_direction() {
        let ((mut devices, disk), mut calendar) = (node(|_| {}), Calendar::new());
        let standing = devices.standing(&DeviceUse { nic_out: mb(250), ..DeviceUse::NONE }, &disk);
        devices.stand(SimTime::ZERO, &standing, true);
        devices.add_nic(SimTime::ZERO, Device::NicIn, Bytes::new(1_250_000_000), FlowOwner::WriteBack(0));
        devices.add_nic(SimTime::ZERO, Device::NicOut, Bytes::new(2_000_000_000), FlowOwner::WriteBack(1));
        let ends = ends(&mut devices, &mut calendar);
        assert!((ends[0] - 1.0).abs() < 1e-6 && (ends[1] - 2.0).abs() < 1e-6, "{ends:?}");
    }

    /// Two devices of the text: 100 MB/s that are 170 with credit, 700 MB of it. A neighbour that writes 120 spends 20 MB a second: after 20 s
    /// 300 MB are left. From then on it has 85 beside a writer, and the credit is gone 300 / 70 s later; the writer has 85 until then
    /// and 50 afterwards.
    #[test]
    fn a_neighbour_spends_the_credit_that_the_writer_misses() {
        let burst = Some(BurstSpec { rate: mb(170), iops: 100_000, credit: Bytes::new(700_000_000) });
        let ((mut devices, disk), mut calendar) =
            (node(|disk| *disk = DiskSpec { read: mb(100), write: mb(100), iops: 100_000, burst, ..disk.clone() }), Calendar::new());
        let standing = devices.standing(&DeviceUse { write: mb(120), ..DeviceUse::NONE }, &disk);
        devices.stand(SimTime::ZERO, &standing, true);
        assert_eq!(ends(&mut devices, &mut calendar), [] as [f64; 0], "nobody waits");
        let later = SimTime::ZERO + SimSpan::from_secs(20);
        calendar.schedule(later, Event::DriverUp.class(), Event::DriverUp);
        calendar.pop();
        let fast = 300.0 / 70.0;
        devices.add_write(later, 0, Bytes::from_f64((85.0 * fast + 2.0 * 50.0) * 1e6), FlowOwner::WriteBack(0));
        let ends = ends(&mut devices, &mut calendar);
        assert!((ends[0] - (20.0 + fast + 2.0)).abs() < 1e-6, "{ends:?}");
    }
}
