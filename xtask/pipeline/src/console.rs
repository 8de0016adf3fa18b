//! What steps say while they work: a status line on a terminal's standard error, so that nobody wonders whether anything happens,
//! or news for the learner's screen. Elsewhere it is silent.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use verdict::TestVerdict;

/// Longer than a blink: sooner, a status line would only flicker.
const BLINK: Duration = Duration::from_millis(250);

/// Who is told what happens.
type Listener = Box<dyn Fn(Event<'_>)>;

/// What happens in a step.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Another command uses the workspace, and is waited for.
    Waiting,
    /// Crates are staged and built.
    Building,
    /// One crate is built.
    Compiled(&'a str),
    /// A test was run, as one of so many.
    Ran {
        /// How many were.
        count: usize,
        /// How many there are.
        all: usize,
        /// Its name.
        test: &'a str,
    },
    /// A test was judged, in one of its modes.
    Judged(&'a TestVerdict),
    /// A test is explored for the first position of a game.
    Exploring,
    /// So many positions were looked at.
    Positions(usize),
    /// An approach is timed.
    Timing {
        /// The round, in words.
        round: &'a str,
        /// The approach.
        approach: &'a str,
    },
    /// What a command does around its steps, in its own words.
    Doing(&'a str),
}

impl Event<'_> {
    /// What a status line says of it; nothing where nobody waits for anything else now.
    pub fn in_words(&self) -> Option<String> {
        match self {
            Event::Waiting => Some("waiting for another check to finish".to_string()),
            Event::Building => Some("building".to_string()),
            Event::Compiled(name) => Some(format!("building: {name} is done")),
            Event::Ran { count, all, test } => Some(format!("running: {count} of {all} tests, {test}")),
            Event::Judged(_) => None,
            Event::Exploring => Some("exploring".to_string()),
            Event::Positions(count) => Some(format!("looking at positions: {count}")),
            Event::Timing { round, approach } => Some(format!("timing: {round}, {approach}")),
            Event::Doing(what) => Some(what.to_string()),
        }
    }
}

/// Where steps say what they do. Dropping it wipes the status line.
pub struct Console {
    terminal: bool,
    started: Instant,
    drawn: Cell<Option<Instant>>,
    text: RefCell<String>,
    /// What comes before the text: how far the whole is.
    headline: RefCell<String>,
    /// Who is told, in the place of a status line.
    listener: Option<Listener>,
}

impl Console {
    /// A status line that stays away when standard error is not a terminal, or when `quiet`.
    pub fn new(quiet: bool) -> Console {
        Console {
            terminal: !quiet && stderr().is_terminal(),
            started: Instant::now(),
            drawn: Cell::new(None),
            text: RefCell::default(),
            headline: RefCell::default(),
            listener: None,
        }
    }

    /// No status line: `listener` is told.
    pub fn telling(listener: impl Fn(Event<'_>) + 'static) -> Console {
        let mut console = Console::new(true);
        console.listener = Some(Box::new(listener));
        console
    }

    /// Says what happened.
    pub fn happened(&self, event: Event<'_>) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
        if let Some(words) = event.in_words() {
            *self.text.borrow_mut() = words;
            self.tick();
        }
    }

    /// Says how far the whole is: it stands before whatever goes on.
    pub fn headline(&self, text: &str) {
        *self.headline.borrow_mut() = text.to_string();
        self.tick();
    }

    /// One line for a log, where nobody watches a status line.
    pub fn log(&self, line: &str) {
        if !self.terminal {
            eprintln!("{line}");
        }
    }

    /// Draws the line again if it is time.
    pub fn tick(&self) {
        let recently = self.drawn.get().is_some_and(|drawn| drawn.elapsed() < BLINK / 2);
        if !self.terminal || recently || self.started.elapsed() < BLINK {
            return;
        }
        let seconds = self.started.elapsed().as_secs();
        let line: String =
            format!("{}{} ({seconds} s)", self.headline.borrow(), self.text.borrow()).chars().take(79).collect();
        eprint!("\r\x1b[K{line}");
        let _ = stderr().flush();
        self.drawn.set(Some(Instant::now()));
    }

    /// Wipes the line.
    pub fn clear(&self) {
        if self.drawn.take().is_some() {
            eprint!("\r\x1b[K");
            let _ = stderr().flush();
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.clear();
    }
}
