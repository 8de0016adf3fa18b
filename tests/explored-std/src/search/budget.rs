//! How much a part of the plan may run. Counted in schedules and steps, never in time: the same on every machine.

use super::runner::Ran;

/// How many schedules are run after the first that failed, for the count and for one that is shorter.
const AFTER_FAILURE: u64 = 500;
/// How many steps these may have together with it.
const STEPS_AFTER_FAILURE: u64 = 100_000;
/// How many steps a part of the plan may have for each schedule of its budget. Tests with longer schedules get fewer of them,
/// so that they do not take minutes.
const STEPS_PER_SCHEDULE: u64 = 100;
/// How many steps there are at least.
const LEAST_STEPS: u64 = 500_000;
/// How many units of the search's own work take as long as one step.
const WORK_PER_STEP: u64 = 16;

/// What is left of a part of the plan.
#[derive(Debug)]
pub(crate) struct Budget {
    schedules: u64,
    steps: u64,
    after_failure: u64,
}

impl Budget {
    /// A budget of so many schedules, of which there is at least one.
    pub(crate) fn new(schedules: u64) -> Budget {
        let steps = schedules.saturating_mul(STEPS_PER_SCHEDULE).max(LEAST_STEPS);
        Budget { schedules: schedules.max(1), steps, after_failure: AFTER_FAILURE }
    }

    /// The same, but the first failure is enough.
    pub(crate) fn up_to_a_failure(schedules: u64) -> Budget {
        Budget { after_failure: 0, ..Budget::new(schedules) }
    }

    /// Counts a run, and the work that the search had with it.
    pub(crate) fn spend(&mut self, ran: &Ran, work: u64) {
        self.schedules = self.schedules.saturating_sub(1);
        self.steps = self.steps.saturating_sub(ran.length() + work / WORK_PER_STEP);
    }

    /// After the run that failed, only so much is spent on the count and on a shorter one: nothing more, if that one had no end.
    pub(crate) fn cut(&mut self, failed: &Ran) {
        self.schedules = self.schedules.min(self.after_failure);
        self.steps = self.steps.min(STEPS_AFTER_FAILURE.saturating_sub(failed.length()));
    }

    /// How many schedules may still be run.
    pub(crate) fn schedules(&self) -> u64 {
        self.schedules
    }

    /// Whether another schedule may be run.
    pub(crate) fn is_left(&self) -> bool {
        self.schedules > 0 && self.steps > 0
    }
}
