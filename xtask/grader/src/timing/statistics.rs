//! From samples to words. Everything here is exact and free of assumptions about how times are spread: medians and order
//! statistics, no means, no bell curves.

use serde::Serialize;

/// A ratio within this of 1 is no difference that anybody would notice.
const NOTICEABLE: f64 = 0.10;
/// An interval that is narrower than this says all that there is to say, wherever it lies.
const NARROW: f64 = 0.05;
/// How sure an interval must be.
const CONFIDENCE: f64 = 0.95;
/// Below this an interval is no ground for a verdict.
pub(crate) const TOO_UNSURE: f64 = 0.90;

/// Times of one approach, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// Half of the rounds were faster.
    pub(crate) median: f64,
    /// The fastest round.
    pub(crate) fastest: f64,
    /// The slowest round.
    pub(crate) slowest: f64,
    /// Every round, in the order of measuring.
    pub(crate) rounds: Vec<f64>,
}

/// A subject beside the reference: the ratio of their times in the same round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// The median of the rounds' ratios. 2 means twice as long as the reference.
    pub(crate) ratio: f64,
    /// The true median is between this
    pub(crate) low: f64,
    /// and this,
    pub(crate) high: f64,
    /// with this probability.
    pub(crate) confidence: f64,
    /// What that means.
    pub(crate) verdict: Pace,
}

/// What a ratio and its interval mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pace {
    /// No difference that matters.
    AsFast,
    /// Certainly less time than the reference.
    Faster,
    /// Certainly more time than the reference.
    Slower,
    /// The interval allows more than one of these.
    TooNoisy,
}

impl Spread {
    /// The spread of these times, of which there is at least one.
    pub(crate) fn of(rounds: Vec<f64>) -> Spread {
        let sorted = sorted(&rounds);
        let (fastest, slowest) = (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0));
        Spread { median: median(&sorted), fastest, slowest, rounds }
    }
}

/// Compares two lists of times, round by round.
pub(crate) fn compare(subject: &[f64], reference: &[f64]) -> Comparison {
    let ratios: Vec<f64> = subject.iter().zip(reference).map(|(subject, reference)| subject / reference).collect();
    let ratios = sorted(&ratios);
    let (outermost, confidence) = interval(ratios.len());
    let bound = |place: usize| ratios.get(place).copied().unwrap_or(1.0);
    let (low, high) = (bound(outermost), bound(ratios.len().saturating_sub(outermost + 1)));
    let ratio = median(&ratios);
    Comparison { ratio, low, high, confidence, verdict: pace(ratio, low, high, confidence) }
}

/// Whether this certainly takes more than `within` times as long as the reference. Doubt is in the subject's favour.
pub(crate) fn certainly_beyond(comparison: &Comparison, within: f64) -> bool {
    comparison.confidence >= TOO_UNSURE && comparison.low > within
}

/// Whether more rounds could still change what is said about speed within that ratio.
pub(crate) fn undecided(comparison: &Comparison, within: f64) -> bool {
    comparison.low <= within && within < comparison.high
}

fn pace(ratio: f64, low: f64, high: f64, confidence: f64) -> Pace {
    let judge = |low: f64, high: f64| match () {
        () if high < 1.0 - NOTICEABLE => Some(Pace::Faster),
        () if low > 1.0 + NOTICEABLE => Some(Pace::Slower),
        () if low >= 1.0 - NOTICEABLE && high <= 1.0 + NOTICEABLE => Some(Pace::AsFast),
        () => None,
    };
    if confidence < TOO_UNSURE {
        return Pace::TooNoisy;
    }
    let narrow = high - low <= NARROW * ratio;
    // A narrow interval across a border: which side of it hardly matters, so the median decides.
    judge(low, high).or_else(|| narrow.then(|| judge(ratio, ratio)).flatten()).unwrap_or(Pace::TooNoisy)
}

/// Which order statistics of `n` samples enclose the median: the one with this many samples outside of it at either end, and the
/// probability that they do. As narrow as [`CONFIDENCE`] allows.
fn interval(n: usize) -> (usize, f64) {
    // The number of samples below the true median is like the heads of n coins. `tail` is the probability of k heads or fewer.
    let (mut outermost, mut tail, mut coins) = (0, 0.0, 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)));
    let mut best = 1.0 - 2.0 * coins;
    for k in 0..n / 2 {
        tail += coins;
        if 1.0 - 2.0 * tail < CONFIDENCE {
            break;
        }
        (outermost, best) = (k, 1.0 - 2.0 * tail);
        coins *= (n - k) as f64 / (k + 1) as f64;
    }
    (outermost, best.max(0.0))
}

/// The middle of sorted numbers; 0 if there is none.
fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

fn sorted(numbers: &[f64]) -> Vec<f64> {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers
}

#[cfg(test)]
mod tests {
    use super::{Pace, Spread, certainly_beyond, compare, interval, undecided};

    /// A subject with these ratios to a reference that takes 2 seconds in every round.
    fn of(ratios: &[f64]) -> super::Comparison {
        let subject: Vec<f64> = ratios.iter().map(|ratio| ratio * 2.0).collect();
        compare(&subject, &vec![2.0; ratios.len()])
    }

    #[test]
    fn a_spread_is_median_fastest_and_slowest() {
        let spread = Spread::of(vec![3.0, 1.0, 2.0, 10.0]);
        assert_eq!((spread.median, spread.fastest, spread.slowest), (2.5, 1.0, 10.0));
        assert_eq!(spread.rounds, [3.0, 1.0, 2.0, 10.0]);
        assert_eq!(Spread::of(vec![4.0]).median, 4.0);
    }

    #[test]
    fn intervals_are_those_of_the_sign_test() {
        // From any table of the binomial distribution with p = 1/2.
        for (n, outermost, confidence) in [(1, 0, 0.0), (5, 0, 0.9375), (6, 0, 0.96875), (9, 1, 0.9609375)] {
            assert_eq!(interval(n), (outermost, confidence), "{n} rounds");
        }
        let (outermost, confidence) = interval(30);
        assert_eq!(outermost, 9);
        assert!((confidence - 0.957_226).abs() < 1e-6, "{confidence}");
    }

    #[test]
    fn one_disturbed_round_of_nine_changes_nothing() {
        let comparison = of(&[1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 1.0, 1.01, 40.0]);
        assert_eq!(comparison.verdict, Pace::AsFast);
        assert_eq!((comparison.low, comparison.high), (0.99, 1.02));
    }

    #[test]
    fn slower_and_faster_need_the_whole_interval() {
        assert_eq!(of(&[1.3, 1.4, 1.5, 1.4, 1.35, 1.45]).verdict, Pace::Slower);
        assert_eq!(of(&[0.7, 0.8, 0.75, 0.7, 0.72, 0.81]).verdict, Pace::Faster);
        assert_eq!(of(&[0.9, 1.4, 1.5, 1.4, 1.35, 1.45]).verdict, Pace::TooNoisy);
        assert_eq!(of(&[0.7, 1.0, 1.3, 1.0, 1.0, 1.0]).verdict, Pace::TooNoisy);
    }

    #[test]
    fn a_narrow_interval_across_a_border_is_no_noise() {
        assert_eq!(of(&[1.09, 1.11, 1.12, 1.11, 1.1, 1.12]).verdict, Pace::Slower);
        assert_eq!(of(&[1.09, 1.08, 1.11, 1.09, 1.09, 1.07]).verdict, Pace::AsFast);
    }

    #[test]
    fn a_few_rounds_say_nothing() {
        assert_eq!(of(&[2.0, 2.0, 2.0, 2.0]).verdict, Pace::TooNoisy);
        assert_eq!(of(&[]).verdict, Pace::TooNoisy);
    }

    #[test]
    fn points_are_lost_only_beyond_doubt() {
        let noisy = of(&[1.2, 1.9, 1.8, 1.9, 1.9, 1.7]);
        assert!(!certainly_beyond(&noisy, 1.5) && undecided(&noisy, 1.5));
        let slow = of(&[1.8, 1.9, 1.8, 1.9, 1.9, 1.7]);
        assert!(certainly_beyond(&slow, 1.5) && !undecided(&slow, 1.5));
        // However slow, three rounds are no proof.
        assert!(!certainly_beyond(&of(&[9.0, 9.0, 9.0]), 1.5));
    }
}
