//! How subjects are built and run: what the command line asks for, for every step of the pipeline.

use verdict::Ask;

use crate::judging::sandbox::Trust;

/// How tests are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed of sampled schedules, if not the default.
    pub seed: Option<u64>,
    /// How many schedules a test may explore, if not the default.
    pub schedules: Option<u64>,
    /// The one schedule to run.
    pub replay: Option<String>,
    /// What is asked about a position of it, in the place of running it to its end.
    pub ask: Option<Ask>,
    /// Whether a subject's other tests are left out once one has failed.
    pub first_failure: bool,
    /// Seconds on the clock that a test may take, if the kata gives it more.
    pub seconds: Option<u64>,
    /// Whether subjects are many and nobody debugs them: then they are built to be small.
    pub lean: bool,
    /// Whose code it is.
    pub trust: Trust,
    /// Whether the rules on the syntax tree apply.
    pub inspection: bool,
    /// What the subjects are built for.
    pub purpose: Purpose,
}

impl Default for Settings {
    /// Every test of one's own code, as the kata says.
    fn default() -> Settings {
        Settings {
            seed: None,
            schedules: None,
            replay: None,
            ask: None,
            first_failure: false,
            seconds: None,
            lean: false,
            trust: Trust::Own,
            inspection: true,
            purpose: Purpose::Tests,
        }
    }
}

/// What subjects are built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To run the kata's tests.
    #[default]
    Tests,
    /// To run the kata's tests on schedules alone.
    Schedules,
    /// To run the kata's tests on threads alone.
    Threads,
    /// To time the kata's workload: optimised.
    Workload,
}

impl Purpose {
    /// Whether the tests are run in one mode, where there may be two.
    pub(crate) fn is_one_of_two(self) -> bool {
        matches!(self, Purpose::Schedules | Purpose::Threads)
    }
}
