//! Runs schedules one after the other and says how each went.

use std::cell::RefCell;
use std::rc::Rc;

use verdict::schedule::Manner;
use verdict::{Failure, Trace};

use super::Body;
use super::reduction::Reduction;
use super::replay::Replay;
use crate::engine::grain::{Grain, Passed};
use crate::engine::happens_before::HappensBefore;
use crate::engine::judge::{self, Historian, KindOfPanic};
use crate::engine::record::Recorder;
use crate::engine::run::{self, Stacks, with};
use crate::engine::state::{Settings, State};
use crate::engine::strategy::Strategy;

/// What a later runner uses again.
#[derive(Default)]
pub(crate) struct Kept {
    stacks: Stacks,
    reduction: Rc<RefCell<Reduction>>,
}

/// Runs schedules of one body.
pub(crate) struct Runner {
    body: Body,
    kept: Kept,
    kind_of_panic: KindOfPanic,
    historian: Option<Historian>,
    /// Whether steps that touch different things are independent of each other, as far as that is known.
    is_reducible: bool,
}

/// Why a search has to begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The program turned out to see whether locks are held: with unlocks as steps.
    Looked,
    /// It turned out to ask for weaker orderings than `SeqCst`: with old values to read.
    Weaker,
    /// Somebody had to wait for a worker: with workers as what polls meet at.
    Crowded,
    /// It turned out to see details that hardly any program sees: with these as steps.
    Closer,
    /// A schedule is too long to decide at each step: coarsely.
    TooLong,
    /// Steps depend on each other by something that is not seen, such as how many references there are: all of them in all orders.
    Hidden,
}

/// How one schedule went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) failure: Option<Failure>,
    /// If it fails because its marks could have come in another order: what happened before each of them, in that order.
    pub(crate) disputed: Option<Vec<Box<[u32]>>>,
    pub(crate) steps: u32,
    /// How many live threads beyond a few were looked at.
    pub(crate) looks: u64,
    /// Steps that were passed.
    pub(crate) passed: Passed,
    /// Whether it had no end.
    pub(crate) is_endless: bool,
    /// Whether a search that decides at each step would get nowhere, or take a long loop for waiting.
    pub(crate) is_hopeless: bool,
    /// Why the search has to begin again in another way.
    pub(crate) again: Option<Again>,
    /// Whether a thread was stopped for having run too long: then not every schedule can be reached.
    pub(crate) forced: bool,
    /// Whether something could have happened by accident, and no accident was allowed.
    pub(crate) spared_accidents: bool,
}

/// How many steps that are passed take as long as one that is decided.
const PASSED_PER_STEP: u64 = 8;
/// How many looks at a live thread take as long as one step that is decided.
const LOOKS_PER_STEP: u64 = 64;

impl Ran {
    /// How much work it was, in steps that are decided.
    pub(crate) fn length(&self) -> u64 {
        u64::from(self.steps) + self.passed.all / PASSED_PER_STEP + self.looks / LOOKS_PER_STEP
    }
}

impl Runner {
    /// Takes this OS thread for the body's schedules, until the runner is dropped.
    pub(crate) fn new(body: Body, kind_of_panic: KindOfPanic, settings: Settings) -> Runner {
        run::install(Some(Box::new(State::new(settings))));
        Runner { body, kept: Kept::default(), kind_of_panic, historian: None, is_reducible: true }
    }

    /// Uses what an earlier runner kept, and lets the harness judge what it noted in each schedule.
    pub(crate) fn judged_by(mut self, historian: Historian, kept: Kept) -> Runner {
        self.historian = Some(historian);
        self.kept = kept;
        self
    }

    /// What is kept for a later runner.
    pub(crate) fn take_kept(&mut self) -> Kept {
        std::mem::take(&mut self.kept)
    }

    /// A reduced search that is over, for the next one.
    pub(crate) fn reduction(&self) -> Rc<RefCell<Reduction>> {
        Rc::clone(&self.kept.reduction)
    }

    /// Whether a reduced search says anything of this body.
    pub(crate) fn is_reducible(&self) -> bool {
        self.is_reducible
    }

    /// From now on, no search leaves out what differs in the order of independent steps only.
    pub(crate) fn reduce_no_more(&mut self) {
        self.is_reducible = false;
    }

    /// Sets in which way schedules are run.
    pub(crate) fn set(&mut self, manner: Manner) {
        with(|state| {
            let Manner { observed, weak, detailed, grain } = manner;
            state.settings = Settings { observed, weak, detailed, grain, ..state.settings };
        });
    }

    /// In which way schedules are run.
    pub(crate) fn manner(&self) -> Manner {
        with(|state| state.settings.manner())
    }

    /// Runs one schedule.
    pub(crate) fn run<S: Strategy + 'static>(&mut self, strategy: &Rc<RefCell<S>>) -> Ran {
        let before = self.start(strategy, None, None);
        let ran = self.judge(before, &[]);
        run::clear_away(&mut self.kept.stacks);
        ran
    }

    /// Runs one schedule that nobody judges, until it has passed over so many steps.
    pub(crate) fn try_out<S: Strategy + 'static>(&mut self, strategy: &Rc<RefCell<S>>, most_passed_over: u64) -> Ran {
        with(|state| state.settings.most_passed_over = most_passed_over);
        let before = self.start(strategy, None, None);
        let ran = self.unjudged(before);
        with(|state| state.settings.most_passed_over = u64::MAX);
        run::clear_away(&mut self.kept.stacks);
        ran
    }

    /// Runs one schedule of the reduced search.
    pub(crate) fn run_reduced(&mut self, search: &Rc<RefCell<Reduction>>) -> Ran {
        let order = search.borrow().order();
        let before = self.start(search, None, Some(order));
        with(|state| {
            search.borrow_mut().finish_run(state);
            state.order = None;
        });
        // What was run before in another order has been judged.
        let ran = if search.borrow().is_redundant() { self.unjudged(before) } else { self.judge(before, &[]) };
        run::clear_away(&mut self.kept.stacks);
        ran
    }

    /// Runs one schedule and writes it down.
    pub(crate) fn record(&mut self, strategy: &Rc<RefCell<Replay>>) -> (Ran, Trace) {
        let order = strategy.borrow().order();
        let callers = with(|state| state.settings.callers);
        let before = self.start(strategy, Some(Box::new(Recorder::new(callers))), Some(order));
        let notes = judge::notes();
        let ran = self.judge(before, &notes);
        let trace = with(|state| {
            let recorder = state.recorder.take().expect("nobody else takes the recorder");
            recorder.finish(state, &notes, ran.failure.as_ref())
        });
        run::clear_away(&mut self.kept.stacks);
        (ran, trace)
    }

    fn start<S: Strategy + 'static>(
        &mut self,
        strategy: &Rc<RefCell<S>>,
        recorder: Option<Box<Recorder>>,
        order: Option<Rc<RefCell<HappensBefore>>>,
    ) -> Settings {
        let before = with(|state| {
            state.strategy = Some(Box::new(Rc::clone(strategy)));
            state.recorder = recorder;
            state.order = order;
            state.settings
        });
        run::run(&self.body, &mut self.kept.stacks);
        before
    }

    fn judge(&self, before: Settings, notes: &[Option<String>]) -> Ran {
        let judged = judge::judge(self.kind_of_panic, notes, self.historian.as_ref());
        let (failure, disputed) = judged.map_or((None, None), |judged| (Some(judged.failure), judged.disputed));
        Ran { failure, disputed, ..self.unjudged(before) }
    }

    fn unjudged(&self, before: Settings) -> Ran {
        with(|state| {
            state.strategy = None;
            let looked = state.settings.observed && !before.observed;
            let weaker = state.weaker && !state.settings.weak;
            let closer = state.settings.detailed && !before.detailed;
            let crowded = state.settings.crowded && !before.crowded;
            let too_long = state.settings.grain == Grain::Fine && state.is_too_long_to_decide();
            Ran {
                failure: None,
                disputed: None,
                steps: state.steps,
                looks: state.looks,
                passed: state.passed,
                is_endless: state.is_endless(),
                is_hopeless: state.is_hopeless_to_decide(),
                again: [
                    (weaker, Again::Weaker),
                    (looked, Again::Looked),
                    (closer, Again::Closer),
                    (crowded, Again::Crowded),
                    (too_long, Again::TooLong),
                ]
                .into_iter()
                .find_map(|(is_why, again)| is_why.then_some(again)),
                forced: state.forced,
                spared_accidents: state.spared_accidents,
            }
        })
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // Where a judge has panicked, threads still stand in the schedule.
        run::clear_away(&mut self.kept.stacks);
        run::install(None);
    }
}
