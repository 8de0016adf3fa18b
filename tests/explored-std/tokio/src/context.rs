//! What a modelled thread knows of the runtime that it is in, and of the future that it polls.

use std::cell::RefCell;
use std::raw::{Awaited, RawWorkers};
use std::sync::Arc;

use crate::runtime::Handle;
use crate::task::{Gate, Id};

/// How many steps a task may make in one poll before it has to let others go first, as tokio has it.
const BUDGET: u32 = 128;

/// Of one thread.
#[derive(Default)]
pub(crate) struct Context {
    /// The runtimes that it has entered, the innermost last.
    pub(crate) handles: Vec<Handle>,
    /// Whether it polls a future, so that it must not block.
    pub(crate) polls: bool,
    /// The workers of which it has one while it polls.
    pub(crate) workers: Option<Arc<RawWorkers>>,
    /// The worker that it is itself, in `block_on` of a runtime that has others.
    pub(crate) own_worker: Option<Arc<RawWorkers>>,
    /// What the poll that is under way waits for first.
    pub(crate) awaited: Option<Awaited>,
    /// The task that it is.
    pub(crate) task: Option<Id>,
    /// The local set whose tasks it may add to.
    pub(crate) gate: Option<Arc<Gate>>,
    budget: Budget,
}

#[derive(Clone, Copy, Default)]
enum Budget {
    #[default]
    Unlimited,
    Left(u32),
}

thread_local! {
    static CONTEXT: RefCell<Context> = RefCell::default();
}

/// Uses the running thread's context. `f` must make no step.
pub(crate) fn with<R>(f: impl FnOnce(&mut Context) -> R) -> R {
    CONTEXT.with_borrow_mut(f)
}

/// A poll begins.
pub(crate) fn begin(workers: &Arc<RawWorkers>) {
    with(|context| {
        context.polls = true;
        context.workers = Some(Arc::clone(workers));
        context.awaited = None;
        context.budget = Budget::Left(BUDGET);
    });
}

/// A poll ends. Gives what it waits for.
pub(crate) fn end() -> Option<Awaited> {
    with(|context| {
        context.polls = false;
        context.budget = Budget::Unlimited;
        context.awaited.take()
    })
}

/// The future that is polled waits for this.
pub fn awaits(awaited: Awaited) {
    with(|context| {
        context.awaited.get_or_insert(awaited);
    });
}

/// Takes one step from the budget of the poll. False if nothing was left.
pub(crate) fn spend() -> bool {
    with(|context| match &mut context.budget {
        Budget::Unlimited => true,
        Budget::Left(0) => false,
        Budget::Left(left) => {
            *left -= 1;
            true
        }
    })
}

/// Gives back what was taken from the budget last.
pub(crate) fn restore() {
    with(|context| {
        if let Budget::Left(left) = &mut context.budget {
            *left += 1;
        }
    });
}

/// Whether nothing is left of the budget of the poll.
pub(crate) fn is_spent() -> bool {
    with(|context| matches!(context.budget, Budget::Left(0)))
}

/// Does something without a budget.
pub(crate) fn unlimited<R>(f: impl FnOnce() -> R) -> R {
    let before = with(|context| std::mem::replace(&mut context.budget, Budget::Unlimited));
    let result = f();
    with(|context| context.budget = before);
    result
}
