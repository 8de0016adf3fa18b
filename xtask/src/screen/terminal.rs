//! The terminal: keys in, pictures out. It is put back as it was, however the screen ends.

use std::io::{self, Write, stdin, stdout};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::screen::keys::{Key, Keyboard};
use crate::screen::text::ascii;

/// A second screen, no cursor, no wrapping at its edge, pasted text marked as such.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[2J";
const LEAVE: &str = "\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l";

/// How the terminal was set before.
static BEFORE: OnceLock<Termios> = OnceLock::new();

/// The terminal was closed: nobody looks any more.
#[derive(Debug)]
pub(crate) struct Closed;

/// A terminal that shows pictures and hands over keys. Dropping it puts everything back.
pub(crate) struct Terminal {
    keyboard: Keyboard,
    /// The lines that are on it.
    shown: Vec<String>,
    /// Whether somebody else may have written on it.
    is_stale: bool,
    size: (usize, usize),
    colour: bool,
    /// Whether it can show more than ASCII.
    unicode: bool,
}

impl Terminal {
    /// Takes the terminal of standard input and output.
    ///
    /// # Errors
    /// It can't be set.
    pub(crate) fn open() -> io::Result<Terminal> {
        let before = tcgetattr(stdin())?;
        let _ = BEFORE.set(before);
        let tells = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A check that panics is told on the screen.
            if std::thread::current().name() == Some("main") {
                put_back();
                tells(panic);
            }
        }));
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let colour = anstream::AutoStream::choice(&stdout()) != anstream::ColorChoice::Never;
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        let mut terminal = Terminal {
            keyboard: Keyboard::default(),
            shown: Vec::new(),
            is_stale: false,
            size: (0, 0),
            colour,
            unicode: locale.is_none_or(|locale| is_unicode(&locale)),
        };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Takes the terminal again.
    ///
    /// # Errors
    /// It can't be set.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        let mut raw = tcgetattr(stdin())?;
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        self.shown.clear();
        write(ENTER)
    }

    /// Gives the terminal to somebody else for a while.
    pub(crate) fn leave(&mut self) {
        put_back();
    }

    /// Draws everything anew with the next picture: what others wrote, or a terminal forgot while its size changed, is put right.
    pub(crate) fn distrust(&mut self) {
        self.is_stale = true;
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (usize, usize) {
        match tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => (80, 24),
        }
    }

    /// Shows these lines; what is there already is not drawn again.
    ///
    /// # Errors
    /// The terminal was closed.
    pub(crate) fn draw(&mut self, lines: &[String]) -> Result<(), Closed> {
        let mut drawn = String::new();
        let size = self.size();
        if size != self.size || self.shown.is_empty() {
            self.size = size;
            self.shown.clear();
            drawn += "\x1b[2J";
        }
        let rows = lines.len().max(self.shown.len());
        for row in 0..rows {
            let line = lines.get(row).map_or("", String::as_str);
            if self.is_stale || self.shown.get(row).map(String::as_str) != Some(line) {
                let mut seen =
                    if self.colour { line.to_string() } else { anstream::adapter::strip_str(line).to_string() };
                if !self.unicode {
                    seen = ascii(&seen);
                }
                drawn += &format!("\x1b[{};1H{seen}\x1b[K", row + 1);
            }
        }
        self.shown = lines.to_vec();
        self.is_stale = false;
        if drawn.is_empty() { Ok(()) } else { write(&drawn).map_err(|_| Closed) }
    }

    /// The keys that are pressed within that time; none if there are none.
    ///
    /// # Errors
    /// The terminal was closed.
    pub(crate) fn keys(&mut self, within: Duration) -> Result<Vec<Key>, Closed> {
        let stdin = stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: within.subsec_nanos().into() };
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => return Ok(self.keyboard.pause().into_iter().collect()),
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(_) => return Err(Closed),
        }
        let mut buffer = [0; 4096];
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) => Err(Closed),
            Ok(length) => Ok(self.keyboard.take(&buffer[..length])),
            Err(Errno::INTR | Errno::AGAIN) => Ok(Vec::new()),
            Err(_) => Err(Closed),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        put_back();
    }
}

fn put_back() {
    // Where that fails, nobody is left to look.
    let _ = write(LEAVE);
    if let Some(before) = BEFORE.get() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, before);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn is_unicode(locale: &str) -> bool {
    let locale = locale.to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
