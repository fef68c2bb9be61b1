//! Open systems: Poisson arrivals, response times.

use std::collections::VecDeque;

use sim_core::kernel::{Calendar, EventHandle, FairShare, Luck, Purpose, Stream};
use sim_core::units::SimTime;

use super::replicated::{Measured, replicate};
use super::work::{Work, delay};

const WARM_UP: usize = 2_000;
const CUSTOMERS: usize = 42_000;

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrival,
    Completion,
}

/// Customers by number, with when they came, what they brought and how long they stayed.
struct Visits {
    came: Vec<(SimTime, f64)>,
    responses: Vec<(f64, f64)>,
}

impl Visits {
    fn new() -> Self {
        Self { came: Vec::new(), responses: Vec::new() }
    }
    fn arrive(&mut self, now: SimTime, work: f64) -> usize {
        self.came.push((now, work));
        self.came.len() - 1
    }
    fn leave(&mut self, now: SimTime, customer: usize) {
        let (came, work) = self.came[customer];
        if (WARM_UP..CUSTOMERS).contains(&customer) {
            self.responses.push((work, (now - came).as_secs_f64()));
        }
    }
    /// Arrivals go on until every customer of the sample has left, so that long stays are not missed.
    fn complete(&self) -> bool {
        self.responses.len() == CUSTOMERS - WARM_UP
    }
    fn mean_response(&self, of: impl Fn(f64) -> bool) -> f64 {
        let chosen: Vec<f64> = self.responses.iter().filter(|(work, _)| of(*work)).map(|(_, response)| *response).collect();
        chosen.iter().sum::<f64>() / chosen.len() as f64
    }
}

/// Luck of arrivals and of work apart, so that systems can share one and differ in the other.
fn streams(luck: Luck) -> (Stream, Stream) {
    (luck.stream(Purpose::ExecutorStart, 0), luck.stream(Purpose::TaskCpu, 0))
}

/// Processor sharing on one device of `capacity` units/s with at most `cap` for one customer.
fn sharing(luck: Luck, arrival_rate: f64, kind: Work, capacity: f64, cap: f64) -> Visits {
    let (mut arrivals, mut sizes) = streams(luck);
    let mut calendar = Calendar::new();
    let mut device = FairShare::new(capacity, cap);
    let mut pending: Option<EventHandle> = None;
    let mut visits = Visits::new();
    calendar.schedule(SimTime::ZERO, 1, Event::Arrival);
    while !visits.complete() {
        let (now, event) = calendar.pop().expect("arrivals never stop");
        match event {
            Event::Arrival => {
                calendar.schedule(now + delay(&mut arrivals, 1.0 / arrival_rate), 1, Event::Arrival);
                let work = kind.draw(&mut sizes);
                let customer = visits.arrive(now, work);
                device.add(now, work, customer);
            }
            Event::Completion => {
                pending = None;
                while let Some(customer) = device.pop_completed(now) {
                    visits.leave(now, customer);
                }
            }
        }
        pending = match (pending, device.next_completion()) {
            (Some(handle), Some(at)) => Some(calendar.reschedule(handle, at)),
            (None, Some(at)) => Some(calendar.schedule(at, 0, Event::Completion)),
            (Some(handle), None) => calendar.cancel(handle).and(None),
            (None, None) => None,
        };
    }
    visits
}

/// One server, first come first served, one unit/s.
fn fifo(luck: Luck, arrival_rate: f64, kind: Work) -> Visits {
    let (mut arrivals, mut sizes) = streams(luck);
    let mut calendar = Calendar::new();
    let mut queue: VecDeque<(usize, f64)> = VecDeque::new();
    let mut visits = Visits::new();
    let seconds = sim_core::units::SimSpan::from_secs_f64;
    calendar.schedule(SimTime::ZERO, 1, Event::Arrival);
    while !visits.complete() {
        let (now, event) = calendar.pop().expect("arrivals never stop");
        match event {
            Event::Arrival => {
                calendar.schedule(now + delay(&mut arrivals, 1.0 / arrival_rate), 1, Event::Arrival);
                let work = kind.draw(&mut sizes);
                queue.push_back((visits.arrive(now, work), work));
                if queue.len() == 1 {
                    calendar.schedule(now + seconds(work), 0, Event::Completion);
                }
            }
            Event::Completion => {
                let (customer, _) = queue.pop_front().expect("in service");
                visits.leave(now, customer);
                if let Some((_, work)) = queue.front() {
                    calendar.schedule(now + seconds(*work), 0, Event::Completion);
                }
            }
        }
    }
    visits
}

fn everybody(_: f64) -> bool {
    true
}
fn one<const N: usize>(measured: [Measured; N]) -> Measured {
    measured[0]
}

/// Mean response of M/M/c by Erlang's delay formula, service rate 1.
fn erlang_response(servers: u32, load: f64) -> f64 {
    let c = f64::from(servers);
    let mut term = 1.0;
    let mut sum = 0.0;
    for k in 1..=servers {
        sum += term;
        term *= load / f64::from(k);
    }
    let all_busy = term * c / (c - load);
    1.0 + all_busy / (sum + all_busy) / (c - load)
}

#[test]
fn m_m_1_processor_sharing_has_mean_response_1_over_mu_minus_lambda() {
    for (seed, rho) in [(1, 0.3), (2, 0.7)] {
        let measured = one(replicate(seed, |luck| [sharing(luck, rho, Work::Exponential, 1.0, f64::INFINITY).mean_response(everybody)]));
        measured.assert_is(1.0 / (1.0 - rho), 0.02);
    }
}

#[test]
fn m_m_1_first_come_first_served_has_mean_response_1_over_mu_minus_lambda() {
    for (seed, rho) in [(3, 0.3), (4, 0.7)] {
        let measured = one(replicate(seed, |luck| [fifo(luck, rho, Work::Exponential).mean_response(everybody)]));
        measured.assert_is(1.0 / (1.0 - rho), 0.02);
    }
}

/// In processor sharing the mean response does not depend on the distribution of work, and a customer's own is
/// proportional to what it brings: x / (1 - rho).
#[test]
fn m_g_1_processor_sharing_is_insensitive_and_fair() {
    let rho = 0.7;
    let [all, small, large] = replicate(5, |luck| {
        let visits = sharing(luck, rho, Work::TwoPoint, 1.0, f64::INFINITY);
        [visits.mean_response(everybody), visits.mean_response(|work| work < 1.0), visits.mean_response(|work| work > 1.0)]
    });
    all.assert_is(1.0 / (1.0 - rho), 0.03);
    small.assert_is(Work::SMALL / (1.0 - rho), 0.03);
    large.assert_is(Work::LARGE / (1.0 - rho), 0.03);
    all.assert_is_not(1.0 + rho * Work::TwoPoint.second_moment() / (2.0 * (1.0 - rho)));
}

/// First come first served is not: Pollaczek and Khinchine's mean wait grows with the second moment.
#[test]
fn m_g_1_first_come_first_served_follows_pollaczek_khinchine() {
    let rho = 0.5;
    let measured = one(replicate(6, |luck| [fifo(luck, rho, Work::TwoPoint).mean_response(everybody)]));
    measured.assert_is(1.0 + rho * Work::TwoPoint.second_moment() / (2.0 * (1.0 - rho)), 0.04);
    measured.assert_is_not(1.0 / (1.0 - rho));
}

/// With a cap of one unit/s for each customer the device is M/M/c: `c` cores that nobody can use two of. Insensitive too.
#[test]
fn the_cap_of_a_flow_makes_the_device_a_pool_of_servers() {
    let (servers, load) = (4, 3.0);
    for (seed, kind) in [(7, Work::Exponential), (8, Work::TwoPoint)] {
        let measured = one(replicate(seed, |luck| [sharing(luck, load, kind, f64::from(servers), 1.0).mean_response(everybody)]));
        measured.assert_is(erlang_response(servers, load), 0.03);
        // Without the cap it would be one server of rate 4.
        measured.assert_is_not(1.0 / (f64::from(servers) - load));
    }
}

/// Twice the arrivals on twice the device is the same system with another unit of time.
#[test]
fn twice_the_rates_halve_every_response() {
    let luck = Luck::new(9, 0);
    let slow = sharing(luck, 0.7, Work::Exponential, 1.0, f64::INFINITY);
    let fast = sharing(luck, 1.4, Work::Exponential, 2.0, f64::INFINITY);
    for ((_, slow), (_, fast)) in slow.responses.iter().zip(&fast.responses) {
        // Each event is rounded to a nanosecond; busy periods are short.
        assert!((slow - 2.0 * fast).abs() < 1e-5, "{slow} s and {fast} s");
    }
}

#[test]
fn erlangs_formula_is_right_where_it_is_known() {
    assert!((erlang_response(1, 0.7) - 1.0 / 0.3).abs() < 1e-12);
    // M/M/2: 1 / (1 - (a/2)^2).
    assert!((erlang_response(2, 1.0) - 4.0 / 3.0).abs() < 1e-12);
}
