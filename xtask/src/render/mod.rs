//! Text for people. Everything here is a function from data to text, but for the few at the end that print it: the rest of
//! the program never writes to standard output. Colour only repeats what the words say.

pub(crate) mod class;
pub(crate) mod course;
pub(crate) mod file;
mod fold;
pub(crate) mod grading;
pub(crate) mod lanes;
pub(crate) mod markdown;
pub(crate) mod mutation;
pub(crate) mod page;
pub(crate) mod report;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod schedule;
pub(crate) mod svg;
pub(crate) mod timing;
pub(crate) mod verification;

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::error::{Error, Result};

/// For what went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// For what did not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// For what is open.
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default();
/// For headings.
pub(crate) const STRONG: Style = Style::new().bold();
/// For what may be passed over.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The terminal's width in columns; 80 where there is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)).clamp(40, 160)
}

/// Text in exactly that many columns: cut with `…` if it is too long.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let length = text.chars().count();
    if length <= columns {
        return format!("{text}{}", " ".repeat(columns - length));
    }
    let cut: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// A paragraph, wrapped and indented.
pub(crate) fn paragraph(text: &str, indent: usize, width: usize) -> String {
    let blank = " ".repeat(indent);
    let options = textwrap::Options::new(width).initial_indent(&blank).subsequent_indent(&blank);
    text.lines().map(|line| textwrap::fill(line, &options) + "\n").collect()
}

/// Prints text; colours are left out where nobody could see them. A closed pipe is nobody's mistake.
pub(crate) fn print(text: &str) {
    let mut out = anstream::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints one JSON document.
///
/// # Errors
/// The data is not JSON; a mistake of ours.
pub(crate) fn json(data: &(impl Serialize + ?Sized)) -> Result<()> {
    let text = serde_json::to_string_pretty(data).map_err(|error| Error::new(error.to_string(), ""))?;
    print(&format!("{text}\n"));
    Ok(())
}

/// Prints what stopped the command, and the way out, on standard error.
pub(crate) fn error(error: &Error) {
    let _ = writeln!(anstream::stderr(), "{} {error}", styled(BAD, "error:"));
}

/// Prints something worth knowing on standard error.
pub(crate) fn warning(text: &str) {
    let _ = writeln!(anstream::stderr(), "{} {text}", styled(OPEN, "warning:"));
}
