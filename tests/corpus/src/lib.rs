//! Classic concurrency bugs and their correct twins.
//!
//! Each program is a few lines of plain `std` code that says what the explorer must find in it. `tests/corpus.rs` holds it to
//! that; `cargo run --release -p corpus` prints how many schedules each bug took. With `--features compare` the programs also
//! run on another model of `std` and its random and PCT schedulers, as far as that model can run them.

use verdict::Kind;

/// A small program with a bug, or without.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The bug's common name.
    pub name: &'static str,
    /// What must be found; nothing in a correct twin.
    pub bug: Option<Kind>,
    /// Whether threads may outlive `main`, and end with it.
    pub daemons: bool,
    /// Whether timeouts fire whenever they could.
    pub hostile_timeouts: bool,
    /// The program.
    pub body: fn(),
}

impl Program {
    fn fails(name: &'static str, kind: Kind, body: fn()) -> Program {
        Program { name, bug: Some(kind), daemons: false, hostile_timeouts: false, body }
    }

    fn passes(name: &'static str, body: fn()) -> Program {
        Program { name, bug: None, daemons: false, hostile_timeouts: false, body }
    }

    fn with_daemons(self) -> Program {
        Program { daemons: true, ..self }
    }

    fn with_hostile_timeouts(self) -> Program {
        Program { hostile_timeouts: true, ..self }
    }
}

mod ours;

#[cfg(feature = "compare")]
mod other;

/// Every program, on our model. The first ones are those that [`on_the_other_model`] has too.
pub fn programs() -> Vec<Program> {
    use ours::{atomics, channels, locks, orderings, own, waiting};
    let on_both = [locks::programs(), waiting::programs(), atomics::programs(), channels::programs()];
    [on_both.concat(), own::programs(), orderings::programs()].concat()
}

/// How many schedules the other model's schedulers run until they notice something: `(random, PCT)`, nothing where they never
/// do within `iterations`. The outer nothing is a program that they can't run.
#[cfg(feature = "compare")]
pub fn on_the_other_model(name: &str, iterations: usize) -> Option<(Option<usize>, Option<usize>)> {
    use other::{atomics, channels, locks, waiting};
    let programs = [locks::programs(), waiting::programs(), atomics::programs(), channels::programs()].concat();
    let program = programs.into_iter().find(|program| program.name == name)?;
    // A thread each: a failure leaves that model's thread-local state unusable.
    let apart = |run: fn(usize, fn()) -> Option<usize>| {
        let body = program.body;
        std::thread::spawn(move || run(iterations, body)).join().ok().flatten()
    };
    let random =
        apart(|iterations, body| caught(shuttle::scheduler::RandomScheduler::new_from_seed(0, iterations), body));
    let pct = apart(|iterations, body| caught(shuttle::scheduler::PctScheduler::new_from_seed(0, 3, iterations), body));
    Some((random, pct))
}

#[cfg(feature = "compare")]
fn caught(scheduler: impl shuttle::scheduler::Scheduler + 'static, body: fn()) -> Option<usize> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    let runner = shuttle::Runner::new(scheduler, config);
    let run = AssertUnwindSafe(|| {
        runner.run(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            body();
        })
    });
    catch_unwind(run).is_err().then(|| runs.load(Ordering::SeqCst))
}

/// Explores a program with so many schedules at most.
pub fn explore(program: &Program, schedules: u64) -> explored_std::explored::Exploration {
    use explored_std::explored::{Config, Timeouts, explore};

    let timeouts = if program.hostile_timeouts { Timeouts::Hostile } else { Timeouts::Patient };
    // Assertions have words of their own; what else panics here is an unwrapped error, or deliberate.
    let kind_of_panic = |message: &str, _file: &str| match message.contains("called `") || message == "deliberate" {
        true => Kind::Panic,
        false => Kind::Assertion,
    };
    let config = Config { schedules, timeouts, daemons: program.daemons, kind_of_panic, ..Config::default() };
    explore(&config, program.body)
}

/// The number of the schedule at which the bug is caught, if it is within so many.
pub fn caught_at(program: &Program, schedules: u64) -> Option<u64> {
    // The smallest budget that finds it. A budget is a prefix of the next larger one, so this can be searched by halves.
    let fails = |budget: u64| matches!(explore(program, budget).outcome, verdict::Outcome::Failed(_));
    if !fails(schedules) {
        return None;
    }
    let (mut low, mut high) = (0, schedules);
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if fails(middle) { high = middle } else { low = middle }
    }
    Some(high)
}
