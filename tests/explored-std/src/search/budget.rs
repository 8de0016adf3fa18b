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
/// The share of the steps after which it is asked how far a search has come, one in so many.
const ASKED_SHARE: u64 = 8;
/// A search that has come less far by then is given up. Over all tests of all right answers of the katas, each search that did end
/// within its budget had come four times as far by then; of those that did not, three in four less far.
const LEAST_SHARE: f64 = 1.0 / 64.0;
/// How many units of the search's own work take as long as one step.
const WORK_PER_STEP: u64 = 16;

/// What is left of a part of the plan.
#[derive(Debug)]
pub(crate) struct Budget {
    schedules: u64,
    steps: u64,
    after_failure: u64,
    /// With how many steps left it is asked how far the search has come, unless that is over or of no interest.
    asked_at: Option<u64>,
}

impl Budget {
    /// A budget of so many schedules, of which there is at least one.
    pub(crate) fn new(schedules: u64) -> Budget {
        let steps = schedules.saturating_mul(STEPS_PER_SCHEDULE).max(LEAST_STEPS);
        Budget { schedules: schedules.max(1), steps, after_failure: AFTER_FAILURE, asked_at: None }
    }

    /// The same, but the first failure is enough.
    pub(crate) fn up_to_a_failure(schedules: u64) -> Budget {
        Budget { after_failure: 0, ..Budget::new(schedules) }
    }

    /// The same, but a search that will not end within it is given up early.
    pub(crate) fn for_a_search_that_ends(self) -> Budget {
        Budget { asked_at: Some(self.steps - self.steps / ASKED_SHARE), ..self }
    }

    /// Whether it is to be seen by now that the search will not end within the budget. `share` says how much of it is done.
    pub(crate) fn is_hopeless(&mut self, share: impl FnOnce() -> f64) -> bool {
        let is_due = self.asked_at.is_some_and(|at| self.steps <= at);
        is_due && self.asked_at.take().is_some() && share() < LEAST_SHARE
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
