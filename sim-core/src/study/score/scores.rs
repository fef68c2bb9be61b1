//! Scores over trials.
//!
//! Yes-or-no answers are scored by accuracy at one half and, for memory deaths, by the Brier score (mean squared distance of the
//! probability from what happened; 0.25 is a coin). Sizes are scored by absolute error: relative to what was seen for memory and time,
//! in executors for deaths, there only where some died. The level counts where something died, and an answer of "nobody dies" is wrong
//! there. Rivals are scored on the same trials: a spreadsheet's rule, and always the more frequent outcome.

use super::forecast::{Forecast, whose};
use super::interval;
use crate::record::Level;

/// What was seen of a trial; none of what was not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observed {
    /// Whether an executor or the driver died of memory.
    pub oom: Option<bool>,
    /// Whether the job failed or was cancelled.
    pub job_failed: Option<bool>,
    /// Executors that died.
    pub executors_lost: Option<u32>,
    /// Whose limit was met first; none also when none was.
    pub level: Option<Level>,
    /// Anonymous and shmem memory of the fullest node, bytes.
    pub node_peak: Option<f64>,
    /// Seconds.
    pub duration_s: Option<f64>,
}

/// A forecast beside what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Number of the group of trials that are not independent of this one.
    pub group: usize,
    /// The forecast.
    pub forecast: Forecast,
    /// What happened.
    pub observed: Observed,
    /// What the spreadsheet's rule says: the sum of heap, overhead and scratch is more than the limit.
    pub spreadsheet: Option<bool>,
}

/// One score with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean over trials.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Trials that count for it.
    pub n: usize,
}

/// A rival's scores on the same trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rival {
    /// Accuracy of its answer.
    pub accuracy: Score,
    /// Its Brier score; a rule's probability is 0 or 1, the majority's its share.
    pub brier: Score,
}

/// How far forecasts and observations agree. A score that no trial counts for is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Trials.
    pub trials: usize,
    /// Right answers to "does anything die of memory?".
    pub oom_accuracy: Option<Score>,
    /// Mean squared distance of P(OOM) from what happened.
    pub brier: Option<Score>,
    /// Right answers to "does the job end well?".
    pub job_outcome_accuracy: Option<Score>,
    /// Right answers to "whose limit?", where something died.
    pub kill_level_accuracy: Option<Score>,
    /// Mean relative error of the fullest node's peak.
    pub node_peak_mape: Option<Score>,
    /// Mean absolute error of the number of executors lost, where any died.
    pub executors_lost_mae: Option<Score>,
    /// Mean relative error of the duration.
    pub duration_mape: Option<Score>,
    /// The spreadsheet's rule.
    pub spreadsheet: Option<Rival>,
    /// Always the outcome that most trials had.
    pub majority: Option<Rival>,
}

impl Trial {
    fn oom_is_right(&self) -> Option<f64> {
        self.observed.oom.map(|oom| right((self.forecast.p_oom.estimate > 0.5) == oom))
    }
    fn job_is_right(&self) -> Option<f64> {
        self.observed.job_failed.map(|failed| right((self.forecast.p_job_failure.estimate > 0.5) == failed))
    }
    fn level_is_right(&self) -> Option<f64> {
        self.observed.level.map(|level| right(self.forecast.level == Some(whose(level))))
    }
    /// Relative error of the node's peak, with its sign.
    pub fn node_peak_error(&self) -> Option<f64> {
        relative(self.forecast.node_peak.p50, self.observed.node_peak?)
    }
    /// Error of the number of executors lost, with its sign.
    pub fn executors_lost_error(&self) -> Option<f64> {
        self.observed.executors_lost.map(|lost| self.forecast.executors_lost.p50 - f64::from(lost))
    }
    /// Relative error of the duration, with its sign.
    pub fn duration_error(&self) -> Option<f64> {
        relative(self.forecast.duration_s.p50, self.observed.duration_s?)
    }
    /// Whether any single answer is wrong.
    pub fn is_missed(&self) -> bool {
        [self.oom_is_right(), self.job_is_right(), self.level_is_right()].into_iter().flatten().any(|right| right < 0.5)
    }
    /// How bad the forecast was, to rank trials: wrong answers first, then sizes.
    pub fn badness(&self) -> f64 {
        let wrong = [self.oom_is_right(), self.job_is_right(), self.level_is_right()].into_iter().flatten().map(|right| 1.0 - right).sum::<f64>();
        let sizes = self.node_peak_error().map_or(0.0, f64::abs) + 0.1 * self.executors_lost_error().map_or(0.0, f64::abs);
        10.0 * wrong + 5.0 * sizes + self.duration_error().map_or(0.0, f64::abs)
    }
}

fn right(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn relative(forecast: f64, seen: f64) -> Option<f64> {
    (seen > 0.0).then(|| forecast / seen - 1.0)
}

impl Scores {
    /// Scores of the trials.
    pub fn of(trials: &[Trial], confidence: f64) -> Self {
        let score = |of: &dyn Fn(&Trial) -> Option<f64>| {
            let values: Vec<(usize, f64)> = trials.iter().filter_map(|trial| Some((trial.group, of(trial)?))).collect();
            mean(&values, confidence)
        };
        let died = |trial: &Trial| trial.observed.executors_lost.is_some_and(|lost| lost > 0);
        let of_rival = |p: &dyn Fn(&Trial) -> Option<f64>| {
            let answer = |trial: &Trial| Some((p(trial)?, right(trial.observed.oom?)));
            let accuracy = score(&|trial| answer(trial).map(|(p, oom)| right((p > 0.5) == (oom > 0.5))))?;
            let brier = score(&|trial| answer(trial).map(|(p, oom)| (p - oom) * (p - oom)))?;
            Some(Rival { accuracy, brier })
        };
        let share = score(&|trial| trial.observed.oom.map(right)).map(|share| share.value);
        Self {
            trials: trials.len(),
            oom_accuracy: score(&Trial::oom_is_right),
            brier: score(&|trial| trial.observed.oom.map(|oom| (trial.forecast.p_oom.estimate - right(oom)).powi(2))),
            job_outcome_accuracy: score(&Trial::job_is_right),
            kill_level_accuracy: score(&Trial::level_is_right),
            node_peak_mape: score(&|trial| trial.node_peak_error().map(f64::abs)),
            executors_lost_mae: score(&|trial| trial.executors_lost_error().filter(|_| died(trial)).map(f64::abs)),
            duration_mape: score(&|trial| trial.duration_error().map(f64::abs)),
            spreadsheet: of_rival(&|trial| trial.spreadsheet.map(right)),
            majority: of_rival(&|_| share),
        }
    }

    /// The scores by the names that results give them; better is larger for the first kind, smaller for the other.
    pub fn named(&self) -> [(&'static str, Option<Score>, bool); 7] {
        [
            ("oom_accuracy", self.oom_accuracy, true),
            ("brier", self.brier, false),
            ("job_outcome_accuracy", self.job_outcome_accuracy, true),
            ("kill_level_accuracy", self.kill_level_accuracy, true),
            ("node_peak_mape", self.node_peak_mape, false),
            ("executors_lost_mae", self.executors_lost_mae, false),
            ("duration_mape", self.duration_mape, false),
        ]
    }
}

fn mean(values: &[(usize, f64)], confidence: f64) -> Option<Score> {
    let n = values.len();
    (n > 0).then(|| {
        let (low, high) = interval::of_mean(values, confidence);
        Score { value: values.iter().map(|(_, value)| value).sum::<f64>() / n as f64, low, high, n }
    })
}

/// Bins of a reliability diagram: nothing, three fifths of the scale between, and certainty.
pub const RELIABILITY_BINS: [(f64, f64); 5] = [(0.0, 0.05), (0.05, 0.35), (0.35, 0.65), (0.65, 0.95), (0.95, 1.0)];

/// A bin of a reliability diagram: trials whose P(OOM) lies in it, and how many of them ran out of memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// Mean P(OOM) of its trials.
    pub forecast: f64,
    /// Share of them that died, with its exact interval.
    pub observed: crate::study::Estimate,
}

/// The bins that have trials. The last bin takes its upper end.
pub fn reliability(trials: &[Trial], confidence: f64) -> Vec<Reliability> {
    let bin = |(low, high): &(f64, f64)| {
        let inside = |p: f64| p >= *low && (p < *high || *high >= 1.0);
        let own: Vec<(f64, bool)> =
            trials.iter().filter_map(|trial| Some((trial.forecast.p_oom.estimate, trial.observed.oom?))).filter(|(p, _)| inside(*p)).collect();
        let n = own.len() as u64;
        (n > 0).then(|| Reliability {
            forecast: own.iter().map(|(p, _)| p).sum::<f64>() / n as f64,
            observed: crate::study::Estimate::proportion(own.iter().filter(|(_, oom)| *oom).count() as u64, n, confidence),
        })
    };
    RELIABILITY_BINS.iter().filter_map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Estimate, Summary};

    fn trial(group: usize, p: u64, died: u32, observed: Observed) -> Trial {
        let summary = |value: f64| Summary::of(vec![value], 0.95);
        let forecast = Forecast {
            p_oom: Estimate::proportion(p, 100, 0.95),
            p_job_failure: Estimate::proportion(0, 100, 0.95),
            level: (p > 50).then_some(Level::Node),
            executors_lost: summary(f64::from(died)),
            node_peak: summary(110.0),
            duration_s: summary(50.0),
        };
        Trial { group, forecast, observed, spreadsheet: Some(true) }
    }

    /// Worked by hand: P = 0.9 and it died (squared distance 0.01), P = 0.2 and it did not (0.04), P = 0.3 and it died (0.49).
    #[test]
    fn scores_of_three_trials_worked_out_by_hand() {
        let dead = Observed {
            oom: Some(true),
            job_failed: Some(true),
            executors_lost: Some(4),
            level: Some(Level::Node),
            node_peak: Some(100.0),
            ..Observed::default()
        };
        let fine = Observed { oom: Some(false), job_failed: Some(false), executors_lost: Some(0), duration_s: Some(100.0), ..Observed::default() };
        let trials = [trial(0, 90, 2, dead), trial(1, 20, 0, fine), trial(2, 30, 0, Observed { level: Some(Level::Kubepods), ..dead })];
        let scores = Scores::of(&trials, 0.95);
        let close = |score: Option<Score>, value: f64, n: usize| score.is_some_and(|score| (score.value - value).abs() < 1e-12 && score.n == n);
        assert!(close(scores.oom_accuracy, 2.0 / 3.0, 3) && close(scores.brier, 0.54 / 3.0, 3), "{scores:?}");
        assert!(close(scores.job_outcome_accuracy, 1.0 / 3.0, 3) && close(scores.kill_level_accuracy, 0.5, 2));
        assert!(close(scores.node_peak_mape, 0.1, 2) && close(scores.executors_lost_mae, 3.0, 2) && close(scores.duration_mape, 0.5, 1));
        let spreadsheet = scores.spreadsheet.expect("every trial has its answer");
        assert!(close(Some(spreadsheet.accuracy), 2.0 / 3.0, 3) && close(Some(spreadsheet.brier), 1.0 / 3.0, 3));
        // The majority says 2/3 each time: (1/9 + 4/9 + 1/9) / 3.
        let majority = scores.majority.expect("outcomes are known");
        assert!(close(Some(majority.accuracy), 2.0 / 3.0, 3) && close(Some(majority.brier), 2.0 / 9.0, 3));
        assert!(trials[2].badness() > trials[0].badness() && trials[2].is_missed() && !trials[1].is_missed());
    }

    #[test]
    fn what_nobody_looked_at_has_no_score() {
        let scores = Scores::of(&[trial(0, 90, 2, Observed::default())], 0.95);
        assert!(scores.named().iter().all(|(_, score, _)| score.is_none()) && scores.majority.is_none());
        assert_eq!(Scores::of(&[], 0.95).trials, 0);
    }

    #[test]
    fn every_trial_is_in_one_bin_of_the_reliability_diagram() {
        let seen = Observed { oom: Some(true), ..Observed::default() };
        let trials: Vec<Trial> = (0..=100).map(|p| trial(p as usize, p, 0, seen)).collect();
        let bins = reliability(&trials, 0.95);
        assert_eq!(bins.iter().map(|bin| bin.observed.n).sum::<u64>(), 101);
        assert!(bins.windows(2).all(|pair| pair[0].forecast < pair[1].forecast));
    }
}
