//! What test files call: run this body, with these options.

use std::fmt::Display;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// Runs a test's body on threads, and in explored builds on every schedule. Fails the test if the contract is broken.
///
/// Threads that outlive the body are a failure; [`Check::daemons`] allows them.
///
/// A test is checked once: a grader hears of the first check, and of no other. [`Check::each`] has several bodies, or one with several
/// inputs.
///
/// # Panics
/// If the test fails: that is how the test harness learns of it.
#[track_caller]
pub fn check(body: impl Fn() + Send + Sync + 'static) {
    Check::new().run(body);
}

/// Runs a test's body on threads only: for what can't be modelled, such as sockets, processes, async runtimes and
/// `rayon`. Explored builds record the test as skipped.
///
/// Threads may outlive the body, since such libraries keep threads of their own. Processes may not.
///
/// # Panics
/// If the test fails.
#[track_caller]
pub fn on_threads(body: impl Fn() + Send + Sync + 'static) {
    Check::new().threads_only().library_threads().run(body);
}

/// Runs a test's body on threads only, as [`on_threads`] does, for each of these inputs, the smallest first.
///
/// # Panics
/// If the test fails: it says for which input.
#[track_caller]
pub fn each_on_threads<I: Display + Send + Sync + 'static>(
    inputs: impl IntoIterator<Item = I>,
    body: impl Fn(&I) + Send + Sync + 'static,
) {
    Check::new().threads_only().library_threads().each(inputs, body);
}

/// Runs a test's body on schedules only: for what needs the scheduler, such as [`until_blocked`](crate::until_blocked)
/// and virtual time. Threads builds record the test as skipped.
///
/// # Panics
/// If the test fails.
#[track_caller]
pub fn on_schedules(body: impl Fn() + Send + Sync + 'static) {
    Check::new().schedules_only().run(body);
}

/// How a test's body is run, where [`check`] isn't enough.
///
/// ```
/// use kata::Check;
/// use std::time::Duration;
///
/// Check::new().deadline(Duration::from_secs(30)).patient().run(|| assert_eq!(1 + 1, 2));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a check does nothing until it is run"]
pub struct Check {
    pub(crate) builds: Builds,
    pub(crate) may_outlive: MayOutlive,
    pub(crate) hostile_timeouts: bool,
    /// How many one schedule has; the explorer's default if it is not said.
    pub(crate) spurious_wakeups: Option<u32>,
    pub(crate) schedules: Option<u64>,
    pub(crate) deadline: Duration,
    pub(crate) patient: bool,
}

/// The builds in which a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builds {
    Both,
    Threads,
    Schedules,
}

/// What may still be there when the body is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MayOutlive {
    pub(crate) threads: bool,
    pub(crate) processes: bool,
}

impl Default for Check {
    fn default() -> Self {
        Check::new()
    }
}

impl Check {
    /// What [`check`] does: both builds, nothing may outlive the body, 10 seconds.
    pub fn new() -> Check {
        Check {
            builds: Builds::Both,
            may_outlive: MayOutlive { threads: false, processes: false },
            hostile_timeouts: false,
            spurious_wakeups: None,
            schedules: None,
            deadline: Duration::from_secs(10),
            patient: false,
        }
    }

    /// Threads and processes may outlive the body. On schedules they end with it, as a program's threads end with
    /// `main`.
    pub fn daemons(mut self) -> Check {
        self.may_outlive = MayOutlive { threads: true, processes: true };
        self
    }

    /// Threads may outlive the body, and processes may not: libraries keep threads for themselves.
    pub fn library_threads(mut self) -> Check {
        self.may_outlive.threads = true;
        self
    }

    /// On schedules, a timeout fires whenever it could. Otherwise it fires only when nothing else can run.
    pub fn hostile_timeouts(mut self) -> Check {
        self.hostile_timeouts = true;
        self
    }

    /// On schedules, nobody wakes for no reason, and no task is polled for none: for bodies in which only libraries wait, which look
    /// again. Each such accident would be some more schedules, and nothing new.
    pub fn no_spurious_wakeups(self) -> Check {
        self.spurious_wakeups(0)
    }

    /// On schedules, so many wake for no reason in one schedule, instead of one: for bodies with few schedules, in which somebody might
    /// forgive it once.
    pub fn spurious_wakeups(mut self, most: u32) -> Check {
        self.spurious_wakeups = Some(most);
        self
    }

    /// At most so many schedules. What the command line asks for comes first.
    pub fn schedules(mut self, schedules: u64) -> Check {
        self.schedules = Some(schedules);
        self
    }

    /// On threads, the body has so much time, for each of its inputs. It is real time, so leave plenty; but what a thread stood in
    /// line for a processor on a busy machine doesn't count ([`verdict::patience`]).
    pub fn deadline(mut self, deadline: Duration) -> Check {
        self.deadline = deadline;
        self
    }

    /// On threads, the body may stand still until its deadline. Otherwise a second in which no thread of the process
    /// moves ends the test. For bodies that wait for something outside: a long timeout, a process that isn't a child.
    pub fn patient(mut self) -> Check {
        self.patient = true;
        self
    }

    /// Runs on threads only, like [`on_threads`], but threads must not outlive the body.
    pub fn threads_only(mut self) -> Check {
        self.builds = Builds::Threads;
        self
    }

    /// Runs on schedules only, like [`on_schedules`].
    pub fn schedules_only(mut self) -> Check {
        self.builds = Builds::Schedules;
        self
    }

    /// Runs the body and judges what happened.
    ///
    /// # Panics
    /// If the test fails.
    #[track_caller]
    pub fn run(self, body: impl Fn() + Send + Sync + 'static) {
        self.judge_one(Arc::new(move |_| body()));
    }

    /// Runs the body for each of these inputs, and judges the first that fails. Put the smallest first: the failure names it.
    ///
    /// On schedules each input is explored by itself, and the budget of schedules is one for all of them together.
    ///
    /// ```
    /// use kata::Check;
    ///
    /// Check::new().each(0..10, |number| assert!(number * number >= *number));
    /// ```
    ///
    /// # Panics
    /// If the test fails.
    #[track_caller]
    pub fn each<I: Display + Send + Sync + 'static>(
        self,
        inputs: impl IntoIterator<Item = I>,
        body: impl Fn(&I) + Send + Sync + 'static,
    ) {
        self.each_of(inputs.into_iter().collect(), Box::new(body));
    }

    #[track_caller]
    fn each_of<I: Display + Send + Sync + 'static>(self, inputs: Vec<I>, body: Box<dyn Fn(&I) + Send + Sync>) {
        let given = inputs.iter().map(|input| Some(input.to_string())).collect();
        self.judge(given, Arc::new(move |number| body(&inputs[number])));
    }

    /// For itself, as `each_of` is: what is in `run` and `each` is compiled once for each body.
    #[track_caller]
    fn judge_one(self, body: Arc<dyn Fn(usize) + Send + Sync>) {
        self.judge(vec![None], body);
    }

    #[track_caller]
    fn judge(self, given: Vec<Option<String>>, body: Arc<dyn Fn(usize) + Send + Sync>) {
        let cases = Cases { given, body };
        let grader = crate::report::Grader::of_environment();
        let test_file = Location::caller().file();
        crate::kind::remember_test_file(test_file);
        #[cfg(not(feature = "explore"))]
        let verdict = crate::threads::run(&self, cases);
        #[cfg(feature = "explore")]
        let verdict = crate::schedules::run(&self, &cases);
        crate::report::report(&verdict, grader);
    }
}

/// A body, and what it is run with.
pub(crate) struct Cases {
    /// The inputs in words. `None` for a body that takes none.
    pub(crate) given: Vec<Option<String>>,
    /// Runs the body for the input of that number, counted from 0.
    pub(crate) body: Arc<dyn Fn(usize) + Send + Sync>,
}

/// A message that says for which input it is.
pub(crate) fn for_input(given: Option<&str>, message: &str) -> String {
    match given {
        Some(given) => format!("for {given}: {message}"),
        None => message.to_owned(),
    }
}
