//! How subjects are built and run: what the command line asks for, for every step of the pipeline.

use verdict::{Ask, Isolation, Limits};

/// How tests are run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The seed of sampled schedules, if not the default.
    pub(crate) seed: Option<u64>,
    /// How many schedules a test may explore, if not the default.
    pub(crate) schedules: Option<u64>,
    /// How many steps the schedules of all scenarios may have together, if not the default.
    pub(crate) steps: Option<u64>,
    /// The one schedule to run.
    pub(crate) replay: Option<String>,
    /// What is asked about a position of it, in the place of running it to its end.
    pub(crate) ask: Option<Ask>,
    /// The one test to run.
    pub(crate) test: Option<String>,
    /// Whether a subject's other tests are left out once one has failed.
    pub(crate) first_failure: bool,
    /// Seconds on the clock that a test may take, if the kata gives it more.
    pub(crate) seconds: Option<u64>,
    /// Whether subjects are many and nobody debugs them: then they are built to be small.
    pub(crate) lean: bool,
    /// How to keep hostile code from the machine; nothing for code of one's own.
    pub(crate) guard: Option<Guard>,
    /// Whether the rules on the syntax tree apply.
    pub(crate) inspection: bool,
    /// What the subjects are built for.
    pub(crate) purpose: Purpose,
}

impl Default for Settings {
    /// Every test of one's own code, as the kata says.
    fn default() -> Settings {
        Settings {
            seed: None,
            schedules: None,
            steps: None,
            replay: None,
            ask: None,
            test: None,
            first_failure: false,
            seconds: None,
            lean: false,
            guard: None,
            inspection: true,
            purpose: Purpose::Tests,
        }
    }
}

/// What subjects are built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To run the kata's tests.
    #[default]
    Tests,
    /// To run the kata's tests on schedules alone.
    Schedules,
    /// To time the kata's workload: optimised.
    Workload,
}

/// How strangers' code is kept from the machine.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// What isolation is to be had here.
    pub(crate) isolation: Isolation,
    /// What each process may use.
    pub(crate) limits: Limits,
}
