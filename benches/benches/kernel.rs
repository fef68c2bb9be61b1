//! The kernel against plain forms of the same, in one run, so that ratios can be read whatever the machine's load.
//!
//! `hold` pops the next event and schedules another (the classic HOLD model); `reschedule` also moves one random other
//! event, as every change of share on a device does; `fair_share` ends a flow and starts another at a constant number of
//! flows, so each iteration is two changes of rate. Delays and work are exponential, from a table.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sim_core::kernel::slow_calendar::SlowCalendar;
use sim_core::kernel::slow_share::SlowShare;
use sim_core::kernel::{Calendar, FairShare, Luck, Purpose};
use sim_core::spec::Dist;
use sim_core::units::{SimSpan, SimTime};

/// A payload of the size of a model's event: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ends { task: u32, attempt: u32 },
    Shares(u64),
}

/// Exponential numbers of mean 1, the same in every bench.
struct Exponential {
    values: Vec<f64>,
    next: usize,
}

impl Exponential {
    fn new() -> Self {
        let mut stream = Luck::new(1, 0).stream(Purpose::TaskCpu, 0);
        Self { values: (0..4096).map(|_| -(1.0 - stream.unit()).ln()).collect(), next: 0 }
    }
    fn draw(&mut self) -> f64 {
        self.next = (self.next + 1) % self.values.len();
        self.values[self.next]
    }
    fn span(&mut self) -> SimSpan {
        SimSpan::from_ns((self.draw() * 1e6) as u64)
    }
}

fn event(n: usize) -> Event {
    if n.is_multiple_of(2) { Event::Ends { task: n as u32, attempt: 0 } } else { Event::Shares(n as u64) }
}

fn hold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hold");
    for pending in [100, 1_000, 10_000] {
        group.bench_function(BenchmarkId::new("calendar", pending), |bencher| {
            let (mut calendar, mut delays) = (Calendar::new(), Exponential::new());
            for n in 0..pending {
                calendar.schedule(SimTime::ZERO + delays.span(), 0, event(n));
            }
            bencher.iter(|| {
                let (now, event) = calendar.pop().expect("always pending");
                calendar.schedule(now + delays.span(), 0, black_box(event))
            });
        });
        group.bench_function(BenchmarkId::new("binary_heap", pending), |bencher| {
            let (mut heap, mut delays) = (BinaryHeap::new(), Exponential::new());
            let mut sequence = 0u64;
            for n in 0..pending {
                sequence += 1;
                heap.push(Reverse((SimTime::ZERO + delays.span(), 0u8, sequence, event(n))));
            }
            bencher.iter(|| {
                let Reverse((now, class, _, event)) = heap.pop().expect("always pending");
                sequence += 1;
                heap.push(Reverse((now + delays.span(), class, sequence, black_box(event))));
            });
        });
        group.bench_function(BenchmarkId::new("slow_twin", pending), |bencher| {
            let (mut calendar, mut delays) = (SlowCalendar::new(), Exponential::new());
            for n in 0..pending {
                calendar.schedule(SimTime::ZERO + delays.span(), 0, event(n));
            }
            bencher.iter(|| {
                let (now, event) = calendar.pop().expect("always pending");
                calendar.schedule(now + delays.span(), 0, black_box(event))
            });
        });
    }
    group.finish();
}

fn reschedule(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reschedule");
    for pending in [100, 1_000, 10_000] {
        group.bench_function(BenchmarkId::new("calendar", pending), |bencher| {
            let (mut calendar, mut delays, mut stream) = (Calendar::new(), Exponential::new(), Luck::new(1, 0).stream(Purpose::TaskOrder, 0));
            let mut handles: Vec<_> = (0..pending).map(|n| calendar.schedule(SimTime::ZERO + delays.span(), 0, n)).collect();
            bencher.iter(|| {
                let (now, n) = calendar.pop().expect("always pending");
                handles[n] = calendar.schedule(now + delays.span(), 0, n);
                let other = stream.below(pending as u64) as usize;
                handles[other] = calendar.reschedule(handles[other], now + delays.span());
            });
        });
        // The usual way without positions: the newest sequence of each entity counts, older keys are dropped when popped.
        group.bench_function(BenchmarkId::new("binary_heap_lazy", pending), |bencher| {
            let (mut heap, mut delays, mut stream) = (BinaryHeap::new(), Exponential::new(), Luck::new(1, 0).stream(Purpose::TaskOrder, 0));
            let mut newest: Vec<u64> = (0..pending as u64).collect();
            for n in 0..pending {
                heap.push(Reverse((SimTime::ZERO + delays.span(), 0u8, n as u64, n)));
            }
            let mut sequence = pending as u64;
            bencher.iter(|| {
                let (now, n) = loop {
                    let Reverse((now, _, sequence, n)) = heap.pop().expect("always pending");
                    if newest[n] == sequence {
                        break (now, n);
                    }
                };
                for n in [n, stream.below(pending as u64) as usize] {
                    sequence += 1;
                    newest[n] = sequence;
                    heap.push(Reverse((now + delays.span(), 0, sequence, n)));
                }
            });
        });
    }
    group.finish();
}

fn fair_share(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fair_share");
    for flows in [10, 100, 1_000] {
        group.bench_function(BenchmarkId::new("virtual_time", flows), |bencher| {
            let (mut share, mut work) = (FairShare::new(1e3, f64::INFINITY), Exponential::new());
            for n in 0..flows {
                share.add(SimTime::ZERO, work.draw(), n);
            }
            bencher.iter(|| {
                let now = share.next_completion().expect("always active");
                let flow = share.pop_completed(now).expect("due");
                share.add(now, work.draw(), black_box(flow))
            });
        });
        group.bench_function(BenchmarkId::new("slow_twin", flows), |bencher| {
            let (mut share, mut work) = (SlowShare::new(1e3, f64::INFINITY), Exponential::new());
            for n in 0..flows {
                share.add(SimTime::ZERO, work.draw(), n);
            }
            bencher.iter(|| {
                let now = share.next_completion().expect("always active");
                let flow = share.pop_completed(now).expect("due");
                share.add(now, work.draw(), black_box(flow))
            });
        });
    }
    group.finish();
}

fn luck(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("luck");
    let (luck, lognormal) = (Luck::new(1, 0), Dist::Lognormal { median: 1.0, sigma: 0.3 });
    let mut entity = 0;
    let mut next = move || {
        entity += 1;
        entity
    };
    group.bench_function("stream", |bencher| bencher.iter(|| luck.stream(Purpose::TaskCpu, next()).unit()));
    group.bench_function("draw_lognormal", |bencher| bencher.iter(|| luck.draw(&lognormal, Purpose::TaskCpu, black_box(7))));
    group.finish();
}

criterion_group! {
    name = kernel;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = hold, reschedule, fair_share, luck
}
criterion_main!(kernel);
