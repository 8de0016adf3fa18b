//! What steps say while they work: a status line on a terminal's standard error, so that nobody wonders whether anything happens,
//! or news for the learner's screen. Elsewhere it is silent.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use verdict::TestVerdict;

/// Longer than a blink: sooner, a status line would only flicker.
const BLINK: Duration = Duration::from_millis(250);

/// What a step says.
#[derive(Debug)]
pub(crate) enum News {
    /// What it does now.
    Doing(String),
    /// A test was judged, in one of its modes.
    Judged(Box<TestVerdict>),
}

/// Where steps say what they do. Dropping it wipes the status line.
pub(crate) struct Console {
    terminal: bool,
    started: Instant,
    drawn: Cell<Option<Instant>>,
    text: RefCell<String>,
    /// What comes before the text: how far the whole is.
    headline: RefCell<String>,
    /// Who is told, in the place of a status line.
    listener: Option<Box<dyn Fn(News)>>,
}

impl Console {
    /// A status line that stays away when standard error is not a terminal, or when `quiet`.
    pub(crate) fn new(quiet: bool) -> Console {
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
    pub(crate) fn telling(listener: impl Fn(News) + 'static) -> Console {
        let mut console = Console::new(true);
        console.listener = Some(Box::new(listener));
        console
    }

    /// Says that a test was judged.
    pub(crate) fn judged(&self, test: &TestVerdict) {
        self.tell(|| News::Judged(Box::new(test.clone())));
    }

    fn tell(&self, news: impl FnOnce() -> News) {
        if let Some(listener) = &self.listener {
            listener(news());
        }
    }

    /// Says what is going on now.
    pub(crate) fn progress(&self, text: &str) {
        *self.text.borrow_mut() = text.to_string();
        self.tell(|| News::Doing(text.to_string()));
        self.tick();
    }

    /// Says how far the whole is: it stands before whatever goes on.
    pub(crate) fn headline(&self, text: &str) {
        *self.headline.borrow_mut() = text.to_string();
        self.tick();
    }

    /// One line for a log, where nobody watches a status line.
    pub(crate) fn log(&self, line: &str) {
        if !self.terminal {
            eprintln!("{line}");
        }
    }

    /// Draws the line again if it is time.
    pub(crate) fn tick(&self) {
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
    pub(crate) fn clear(&self) {
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
