//! Schedules at random, from a seed.

use super::preemptions::default_choice;
use crate::engine::operation::{Choice, How};
use crate::engine::run::Ending;
use crate::engine::state::State;
use crate::engine::strategy::Strategy;

/// A small generator of numbers (SplitMix64): the same seed gives the same numbers everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64, stream: u64) -> Numbers {
        let mut numbers = Numbers(seed ^ stream.wrapping_mul(0xA076_1D64_78BD_642F));
        numbers.next();
        numbers
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Of the reads that may read an old value, one in so many does.
const OLD_READS: usize = 4;

/// One sampled schedule.
#[derive(Debug)]
pub(crate) struct Sample {
    numbers: Numbers,
    /// In PCT: the threads' priorities, and the steps at which the running thread's priority drops.
    priorities: Option<(Vec<u64>, Vec<usize>)>,
    taken: Vec<Choice>,
}

impl Sample {
    /// Picks among all choices alike.
    pub(crate) fn uniform(numbers: Numbers) -> Sample {
        Sample { numbers, priorities: None, taken: Vec::new() }
    }

    /// Probabilistic concurrency testing: the thread of the highest priority goes on; at a few random steps, of about
    /// `steps`, the running thread's priority drops below all others.
    pub(crate) fn pct(mut numbers: Numbers, steps: usize, drops: usize) -> Sample {
        let mut at: Vec<usize> = (0..drops).map(|_| numbers.below(steps.max(1))).collect();
        at.sort_unstable();
        Sample { numbers, priorities: Some((Vec::new(), at)), taken: Vec::new() }
    }

    pub(crate) fn taken(&self) -> &[Choice] {
        &self.taken
    }
}

impl Strategy for Sample {
    fn pick(&mut self, state: &State, choices: &[Choice]) -> Result<usize, Ending> {
        let index = match &mut self.priorities {
            None => self.numbers.below(choices.len()),
            Some((priorities, drops)) => {
                while priorities.len() < state.threads.len() {
                    // High ones to begin with; drops count down from the top of the low ones.
                    priorities.push((1 << 32) | (self.numbers.next() >> 32));
                }
                let now = self.taken.len();
                if drops.first().is_some_and(|&at| at <= now) {
                    priorities[state.current] = drops.len() as u64;
                    drops.remove(0);
                }
                // Accidents are rare, and so is what is old.
                let is_plain = |choice: &Choice| matches!(choice.how, How::Step | How::Timeout);
                let accident = choices.iter().any(|choice| choice.how == How::Spurious) && self.numbers.below(16) == 0;
                let is_old = |choice: &Choice, thread| matches!(choice.how, How::Old(_)) && choice.thread == thread;
                let chooses = choices.iter().any(|choice| matches!(choice.how, How::Way(_)));
                if accident || chooses || super::yields(state) {
                    self.numbers.below(choices.len())
                } else {
                    let best = choices.iter().enumerate().filter(|(_, choice)| is_plain(choice));
                    let best = best.max_by_key(|(_, choice)| priorities[choice.thread]);
                    let best = best.map_or_else(|| default_choice(state, choices), |(index, _)| index);
                    let thread = choices[best].thread;
                    let old: Vec<usize> = (0..choices.len()).filter(|&index| is_old(&choices[index], thread)).collect();
                    if old.is_empty() || self.numbers.below(OLD_READS) > 0 {
                        best
                    } else {
                        old[self.numbers.below(old.len())]
                    }
                }
            }
        };
        self.taken.push(choices[index]);
        Ok(index)
    }
}
