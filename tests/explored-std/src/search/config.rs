//! What is asked of an exploration, and what it found.

/// How to explore.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many schedules to run at most.
    pub schedules: u64,
    /// The seed of sampled schedules.
    pub seed: u64,
    /// When a timeout fires.
    pub timeouts: Timeouts,
    /// Whether threads that still run when the body returns simply die, as when a process ends. Otherwise they are a leak.
    pub daemons: bool,
    /// How many accidents one schedule has: spurious wakeups, weak exchanges that fail for no reason, and notifications out of turn.
    pub spurious: u32,
    /// How many decisions one schedule may have before it is called too long.
    pub steps: u32,
    /// Run only this schedule, in the notation of [`verdict::Trace::schedule`], and record it.
    pub replay: Option<String>,
    /// A question about a position of that schedule, in the place of running it to its end.
    pub ask: Option<verdict::Ask>,
    /// Whether a trace names the line that called a helper, which stacks tell. Of a program without line tables they don't.
    pub callers: bool,
    /// Which kind of failure a panic is, by its message and the file of the `panic!`.
    pub kind_of_panic: fn(message: &str, file: &str) -> verdict::Kind,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            schedules: 10_000,
            seed: 0,
            timeouts: Timeouts::Patient,
            daemons: false,
            spurious: 1,
            steps: 20_000,
            replay: None,
            ask: None,
            callers: true,
            kind_of_panic: |message, _file| match message.starts_with("assertion") {
                true => verdict::Kind::Assertion,
                false => verdict::Kind::Panic,
            },
        }
    }
}

/// When a timeout fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timeouts {
    /// When nothing else can run.
    #[default]
    Patient,
    /// Whenever it could.
    Hostile,
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Whether the body failed in some schedule, and how in the one that has the fewest preemptions.
    pub outcome: verdict::Outcome,
    /// What was explored.
    pub coverage: verdict::Coverage,
    /// The failing schedule, or the replayed one.
    pub trace: Option<verdict::Trace>,
    /// The position that was asked for.
    pub position: Option<verdict::Position>,
}

/// How much to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// All schedules, reduced, but so many at most.
    Reduced {
        /// How many are run at most.
        schedules: u64,
    },
    /// All schedules with few preemptions, but so many at most.
    Preemptions {
        /// How many preemptions a schedule has at most.
        most: u32,
        /// How many are run at most.
        schedules: u64,
    },
}

impl Effort {
    /// The same with so many schedules at most.
    #[must_use]
    pub fn at_most(self, limit: u64) -> Effort {
        match self {
            Effort::Reduced { schedules } => Effort::Reduced { schedules: schedules.min(limit) },
            Effort::Preemptions { most, schedules } => Effort::Preemptions { most, schedules: schedules.min(limit) },
        }
    }
}

/// What a [`Session::glance`] saw.
#[derive(Clone, Debug)]
pub struct Glance {
    /// What was explored; it ended at the first failure.
    pub coverage: verdict::Coverage,
    /// How many steps all schedules had together.
    pub steps: u64,
    /// Whether something could have happened by accident in one of them ([`Config::spurious`]), and no accident was allowed. If not, these
    /// are all schedules with accidents, too.
    pub spared_accidents: bool,
    /// The schedule that fails, if one does, for [`Config::replay`].
    pub failing: Option<String>,
}
