//! A closed system: machines that fail and are repaired (finite population).
//!
//! `N` machines run for an exponential time of mean `1/λ` and then need work of mean 1 from one repairman. With `r = λ`, the
//! chance that all run is `p0 = 1 / Σ N!/(N−k)! r^k`, and repairs are finished at rate `1 − p0` (the repairman's utilisation). The
//! formula holds for exponential work under any discipline, and for any work under processor sharing. A job's executors
//! that wait for one disk are such a system.

use std::collections::VecDeque;

use sim_core::kernel::{Calendar, EventHandle, FairShare, Luck, Purpose};
use sim_core::units::{SimSpan, SimTime};

use super::replicated::replicate;
use super::work::{Work, delay};

const MACHINES: u32 = 6;
const MEAN_RUN: f64 = 4.0;
const WARM_UP: SimTime = SimTime::from_ns(200_000_000_000);
const END: SimTime = SimTime::from_ns(10_200_000_000_000);

#[derive(Clone, Copy, Debug)]
enum Event {
    Failure,
    Repaired,
}

fn throughput() -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 0..MACHINES {
        term *= f64::from(MACHINES - k) / MEAN_RUN;
        sum += term;
    }
    1.0 - 1.0 / sum
}

/// Repairs a second after the warm-up, counted by `repaired(now)`.
#[derive(Default)]
struct Count(u32);

impl Count {
    fn repaired(&mut self, now: SimTime) {
        self.0 += u32::from(now >= WARM_UP);
    }
    fn rate(&self) -> f64 {
        f64::from(self.0) / (END - WARM_UP).as_secs_f64()
    }
}

fn shared_repairman(luck: Luck, kind: Work) -> f64 {
    let (mut runs, mut sizes) = (luck.stream(Purpose::ExecutorStart, 0), luck.stream(Purpose::TaskCpu, 0));
    let mut calendar = Calendar::new();
    let mut repairman = FairShare::new(1.0, f64::INFINITY);
    let mut pending: Option<EventHandle> = None;
    let mut count = Count::default();
    for _ in 0..MACHINES {
        calendar.schedule(SimTime::ZERO + delay(&mut runs, MEAN_RUN), 1, Event::Failure);
    }
    while let Some((now, event)) = calendar.pop().filter(|(now, _)| *now < END) {
        match event {
            Event::Failure => {
                repairman.add(now, kind.draw(&mut sizes), ());
            }
            Event::Repaired => {
                pending = None;
                while repairman.pop_completed(now).is_some() {
                    count.repaired(now);
                    calendar.schedule(now + delay(&mut runs, MEAN_RUN), 1, Event::Failure);
                }
            }
        }
        // Cancelled and scheduled anew, where the open systems reschedule: both must work.
        pending.take().and_then(|handle| calendar.cancel(handle));
        pending = repairman.next_completion().map(|at| calendar.schedule(at, 0, Event::Repaired));
    }
    count.rate()
}

fn queueing_repairman(luck: Luck) -> f64 {
    let (mut runs, mut sizes) = (luck.stream(Purpose::ExecutorStart, 0), luck.stream(Purpose::TaskCpu, 0));
    let mut calendar = Calendar::new();
    let mut queue: VecDeque<SimSpan> = VecDeque::new();
    let mut count = Count::default();
    for _ in 0..MACHINES {
        calendar.schedule(SimTime::ZERO + delay(&mut runs, MEAN_RUN), 1, Event::Failure);
    }
    while let Some((now, event)) = calendar.pop().filter(|(now, _)| *now < END) {
        match event {
            Event::Failure => {
                let work = SimSpan::from_secs_f64(Work::Exponential.draw(&mut sizes));
                queue.push_back(work);
                if queue.len() == 1 {
                    calendar.schedule(now + work, 0, Event::Repaired);
                }
            }
            Event::Repaired => {
                queue.pop_front();
                count.repaired(now);
                calendar.schedule(now + delay(&mut runs, MEAN_RUN), 1, Event::Failure);
                if let Some(work) = queue.front() {
                    calendar.schedule(now + *work, 0, Event::Repaired);
                }
            }
        }
    }
    count.rate()
}

#[test]
fn machine_repair_throughput_is_the_repairmans_utilisation() {
    let [queueing, shared, shared_two_point] =
        replicate(11, |luck| [queueing_repairman(luck), shared_repairman(luck, Work::Exponential), shared_repairman(luck, Work::TwoPoint)]);
    queueing.assert_is(throughput(), 0.01);
    shared.assert_is(throughput(), 0.01);
    shared_two_point.assert_is(throughput(), 0.02);
    // With unlimited repairmen the rate would be N / (run + repair).
    shared.assert_is_not(f64::from(MACHINES) / (MEAN_RUN + 1.0));
}

#[test]
fn machine_repair_formula_is_right_where_it_is_known() {
    // By hand for 6 machines and r = 1/4: Σ = 1 + 1.5 + 1.875 + 1.875 + 1.40625 + 0.703125 + 0.17578125.
    assert!((throughput() - (1.0 - 1.0 / 8.535_156_25)).abs() < 1e-12);
}
