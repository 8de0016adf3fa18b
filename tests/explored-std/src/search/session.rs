//! Several bodies on one OS thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::config::{Config, Effort, Exploration, Glance};
use super::plan;
use super::runner::{Kept, Runner};
use crate::engine::judge::Objection;
use crate::engine::mark::Mark;

/// Explores several bodies one after the other, which a harness judges by what it notes in each schedule. The bodies call
/// `explored::rest` at the end of their main thread; a schedule is over when nobody can go on.
#[derive(Default)]
pub struct Session {
    kept: Kept,
}

/// Judges the marks of a schedule in which nobody can go on any more.
pub type Judge = Rc<RefCell<dyn FnMut(&[Mark]) -> Option<Objection>>>;

impl Session {
    /// Runs schedules of the body until one fails, or the effort is made.
    pub fn glance(
        &mut self,
        config: &Config,
        effort: Effort,
        judge: &Judge,
        body: impl Fn() + Send + Sync + 'static,
    ) -> Glance {
        self.with_runner(config, judge, body, |runner| plan::glance(runner, effort))
    }

    /// Explores the body as `explored::explore` does.
    pub fn explore(&mut self, config: &Config, judge: &Judge, body: impl Fn() + Send + Sync + 'static) -> Exploration {
        self.with_runner(config, judge, body, |runner| plan::explore_with(runner, config))
    }

    fn with_runner<R>(
        &mut self,
        config: &Config,
        judge: &Judge,
        body: impl Fn() + Send + Sync + 'static,
        work: impl FnOnce(&mut Runner) -> R,
    ) -> R {
        let kept = std::mem::take(&mut self.kept);
        let mut runner = plan::new_runner(config, Arc::new(body)).judged_by(Rc::clone(judge), kept);
        let result = work(&mut runner);
        self.kept = runner.take_kept();
        result
    }
}
