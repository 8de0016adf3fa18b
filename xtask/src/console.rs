//! A status line on a terminal's standard error, so that nobody wonders whether anything happens. Elsewhere it is silent.

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Longer than a blink: sooner, a status line would only flicker.
const BLINK: Duration = Duration::from_millis(250);

/// The status line. Dropping it wipes it.
#[derive(Debug)]
pub(crate) struct Console {
    terminal: bool,
    started: Instant,
    drawn: Cell<Option<Instant>>,
    text: RefCell<String>,
    /// What comes before the text: how far the whole is.
    headline: RefCell<String>,
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
        }
    }

    /// Says what is going on now.
    pub(crate) fn progress(&self, text: &str) {
        *self.text.borrow_mut() = text.to_string();
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
