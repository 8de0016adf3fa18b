//! What a kata's workload for `cargo xtask time` is made of.
//!
//! A workload is a small program, `katas/KATA/time/KATA.rs`, that is built with a subject as its library: once with a learner's,
//! once with the reference solution. It answers questions of the command line: what is there to time, what would be the limit, do
//! it once. Both programs live side by side and are asked in turn, so whatever disturbs one disturbs the other as well.
//!
//! ```no_run
//! use kata::time::{Bound, Workload, workload};
//!
//! // The workload's `main`.
//! workload(|job| {
//!     let numbers: Vec<u64> = (0..job.number("numbers")).collect();
//!     Workload::new(format!("the sum of {} numbers", numbers.len())).alone(
//!         "one by one",
//!         || Bound::Nothing,
//!         move |run| {
//!             // Only what stands in here is timed.
//!             let sum = run.time(|| numbers.iter().sum::<u64>());
//!             // A wrong answer is never a fast one.
//!             assert_eq!(sum, numbers.len() as u64 * (numbers.len() as u64 - 1) / 2);
//!         },
//!     )
//! });
//! ```

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use verdict::time::{ANSWER, Answer, Approach, Load, Question, Reply, Setting, Task};

pub use verdict::time::Bound;

/// What the command line asked for: how much work, and where the mock site is.
#[derive(Clone, Debug)]
pub struct Job {
    load: Load,
    site: Option<String>,
}

/// The ways to do one piece of work.
pub struct Workload {
    about: String,
    pieces: Option<u64>,
    ways: Vec<Way>,
}

/// One way, and what limits it.
struct Way {
    name: String,
    workers: Option<u32>,
    instead_of: Option<String>,
    limit: Box<dyn Fn(u32) -> Bound>,
    run: Box<dyn Fn(&Run)>,
}

/// The work, done once.
#[derive(Debug)]
pub struct Run {
    /// How many threads, tasks or processes may work at once.
    pub workers: u32,
    /// The number of the round. Work that depends on it can't be answered from memory.
    pub round: u32,
    seconds: Cell<Option<f64>>,
}

impl Job {
    /// The number of that name in the load.
    ///
    /// # Panics
    /// If the kata's manifest gives the load no such number.
    pub fn number(&self, name: &str) -> u64 {
        match self.load.get(name) {
            Some(Setting::Number(number)) => *number,
            other => panic!("the load's `{name}` should be a number and is {other:?}"),
        }
    }

    /// The number of that name as a number of workers.
    ///
    /// # Panics
    /// See [`number`](Job::number); also if it is too large.
    pub fn workers(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).expect("the command line allows no more workers than that")
    }

    /// The word of that name in the load.
    ///
    /// # Panics
    /// If the kata's manifest gives the load no such word.
    pub fn word(&self, name: &str) -> &str {
        match self.load.get(name) {
            Some(Setting::Word(word)) => word,
            other => panic!("the load's `{name}` should be a word and is {other:?}"),
        }
    }

    /// Where the mock site listens: `127.0.0.1:8000`.
    ///
    /// # Panics
    /// If the kata's manifest asks for no site.
    pub fn site(&self) -> String {
        self.site.clone().expect("the kata's manifest says `site = true`")
    }
}

#[cfg(feature = "site")]
impl Job {
    /// The latencies that the load asks for: `latency` in milliseconds, and a `profile`.
    ///
    /// # Panics
    /// If the load has no such settings, or an unknown profile.
    pub fn latencies(&self) -> crate::site::load::Latencies {
        let profile = crate::site::load::Profile::from_name(self.word("profile"));
        let typical = std::time::Duration::from_millis(self.number("latency"));
        crate::site::load::Latencies { profile: profile.expect("one of the manifest's profiles"), typical }
    }
}

impl Workload {
    /// A workload without any way yet. `about` is the work in one line: "100 pages".
    pub fn new(about: impl Into<String>) -> Workload {
        Workload { about: about.into(), pieces: None, ways: Vec::new() }
    }

    /// The work has so many pieces, and it makes sense to ask how many are done in a second.
    pub fn pieces(self, pieces: u64) -> Workload {
        Workload { pieces: Some(pieces), ..self }
    }

    /// A way with one worker, or whose workers can't be chosen.
    pub fn alone(self, name: &str, limit: impl Fn() -> Bound + 'static, run: impl Fn(&Run) + 'static) -> Workload {
        let (limit, run) = (Box::new(move |_| limit()), Box::new(run));
        self.way(Way { name: name.to_owned(), workers: None, instead_of: None, limit, run })
    }

    /// A way with so many workers, unless the command line wants another number. The limit is asked for that number.
    pub fn with_workers(
        self,
        name: &str,
        workers: u32,
        limit: impl Fn(u32) -> Bound + 'static,
        run: impl Fn(&Run) + 'static,
    ) -> Workload {
        let (limit, run) = (Box::new(limit), Box::new(run));
        self.way(Way { name: name.to_owned(), workers: Some(workers), instead_of: None, limit, run })
    }

    /// The way that was added last is the workload's own, and does the work of that other one, the subject's: the two are compared
    /// with each other.
    ///
    /// # Panics
    /// If there is no way yet.
    pub fn instead_of(mut self, other: &str) -> Workload {
        let last = self.ways.last_mut().expect("a way was added before");
        last.instead_of = Some(other.to_owned());
        self
    }

    fn way(mut self, way: Way) -> Workload {
        self.ways.push(way);
        self
    }

    fn approaches(&self) -> Vec<Approach> {
        let approach = |way: &Way| Approach {
            name: way.name.clone(),
            workers: way.workers,
            pieces: self.pieces,
            instead_of: way.instead_of.clone(),
        };
        self.ways.iter().map(approach).collect()
    }

    fn find(&self, name: &str) -> &Way {
        self.ways.iter().find(|way| way.name == name).expect("the command line asks for what was described")
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload").field("about", &self.about).finish_non_exhaustive()
    }
}

impl Run {
    /// Does the work and notes how long it takes. What comes before and after is not timed: getting ready, and checking the result.
    pub fn time<R>(&self, work: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = work();
        self.seconds.set(Some(started.elapsed().as_secs_f64()));
        result
    }
}

/// The limit of work that computes: that approach's time, divided by how many of the workers can compute at once.
pub fn share_of(approach: &str, workers: u32) -> Bound {
    let at_once = cores().min(workers as usize).max(1);
    Bound::Share { of: approach.to_owned(), share: 1.0 / at_once as f64 }
}

/// How many threads can compute at once here.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get())
}

/// Answers the command line's questions until it has no more. The workload's `main` calls it; `setup` says what there is to time.
pub fn workload(setup: impl Fn(&Job) -> Workload) {
    let mut desk = Desk { setup, job: None, workload: None };
    for line in io::stdin().lock().lines() {
        let Ok(question) = line.map_err(|_| ()).and_then(|line| serde_json::from_str(&line).map_err(|_| ())) else {
            eprintln!("This program answers `cargo xtask time`; it is of no use by itself.");
            return;
        };
        let Question { token, task } = question;
        let reply = catch_unwind(AssertUnwindSafe(|| desk.answer(task)))
            .unwrap_or_else(|payload| Reply::Failed { message: in_words(payload) });
        let answer = serde_json::to_string(&Answer { token, reply }).expect("an answer has nothing that JSON lacks");
        // On a line of its own, whatever was printed before.
        let mut stdout = io::stdout().lock();
        if writeln!(stdout, "\n{ANSWER}{answer}").and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

/// Who answers, and what it has got ready.
struct Desk<Setup> {
    setup: Setup,
    job: Option<Job>,
    workload: Option<Workload>,
}

impl<Setup: Fn(&Job) -> Workload> Desk<Setup> {
    fn answer(&mut self, task: Task) -> Reply {
        match task {
            Task::Serve { load } => serve(load),
            Task::Describe { load, site } => {
                let job = self.job.insert(Job { load, site });
                let workload = self.workload.insert((self.setup)(job));
                Reply::Described { about: workload.about.clone(), approaches: workload.approaches() }
            }
            Task::Limit { approach, workers } => {
                Reply::Limited { limit: (self.workload().find(&approach).limit)(workers) }
            }
            Task::Run { approach, workers, round } => {
                let run = Run { workers, round, seconds: Cell::new(None) };
                (self.workload().find(&approach).run)(&run);
                Reply::Ran { seconds: run.seconds.get().expect("the workload times its work") }
            }
            Task::Ceiling => ceiling(self.job.as_ref()),
        }
    }

    fn workload(&self) -> &Workload {
        self.workload.as_ref().expect("the command line asks for a description first")
    }
}

#[cfg(feature = "site")]
fn serve(load: Load) -> Reply {
    let latencies = Job { load, site: None }.latencies();
    Reply::Serving { site: crate::site::load::serve(latencies).to_string() }
}

#[cfg(feature = "site")]
fn ceiling(job: Option<&Job>) -> Reply {
    let site = job.expect("the command line asks for a description first").site();
    Reply::Ceiling { per_second: crate::site::load::ceiling(&site) }
}

#[cfg(not(feature = "site"))]
fn serve(_: Load) -> Reply {
    Reply::Failed { message: "this workload has no mock site".to_owned() }
}

#[cfg(not(feature = "site"))]
fn ceiling(_: Option<&Job>) -> Reply {
    Reply::Failed { message: "this workload has no mock site".to_owned() }
}

fn in_words(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().map_or("it panicked", |text| text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Desk<impl Fn(&Job) -> Workload> {
        let setup = |job: &Job| {
            let numbers = job.number("numbers");
            Workload::new("a sum")
                .pieces(numbers)
                .alone("one by one", || Bound::Nothing, |run| run.time(|| ()))
                .with_workers("threads", 2, |workers| share_of("one by one", workers), |_| ())
                .instead_of("one by one")
        };
        Desk { setup, job: None, workload: None }
    }

    fn described() -> Desk<impl Fn(&Job) -> Workload> {
        let mut desk = desk();
        let load = Load::from([("numbers".to_owned(), Setting::Number(8))]);
        let Reply::Described { approaches, .. } = desk.answer(Task::Describe { load, site: None }) else {
            panic!("no description")
        };
        let one = Approach { name: "one by one".to_owned(), workers: None, pieces: Some(8), instead_of: None };
        let instead_of = Some(one.name.clone());
        let many = Approach { name: "threads".to_owned(), workers: Some(2), pieces: Some(8), instead_of };
        assert_eq!(approaches, [one, many]);
        desk
    }

    #[test]
    fn a_run_is_timed() {
        let reply = described().answer(Task::Run { approach: "one by one".to_owned(), workers: 1, round: 0 });
        assert!(matches!(reply, Reply::Ran { .. }), "{reply:?}");
    }

    #[test]
    fn the_limit_depends_on_the_workers() {
        let reply = described().answer(Task::Limit { approach: "threads".to_owned(), workers: 5 });
        let limit = Bound::Share { of: "one by one".to_owned(), share: 1.0 / cores().min(5) as f64 };
        assert_eq!(reply, Reply::Limited { limit });
    }

    #[test]
    #[should_panic(expected = "the workload times its work")]
    fn a_way_that_times_nothing_is_a_mistake() {
        described().answer(Task::Run { approach: "threads".to_owned(), workers: 1, round: 0 });
    }
}
