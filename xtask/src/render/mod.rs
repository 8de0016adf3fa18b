//! Text for people. Everything here is a function from data to text, but for the few at the end that print it: the rest of
//! the program never writes to standard output. Colour only repeats what the words say.

pub(crate) mod class;
pub(crate) mod course;
pub(crate) mod file;
mod fold;
pub(crate) mod grading;
pub(crate) mod lanes;
mod layout;
pub(crate) mod markdown;
pub(crate) mod mutation;
pub(crate) mod page;
pub(crate) mod play;
pub(crate) mod report;
pub(crate) mod rows;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod schedule;
pub(crate) mod svg;
pub(crate) mod timing;
pub(crate) mod verification;

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

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
/// For what may be skipped.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The terminal's width in columns; 80 where there is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)).clamp(40, 240)
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

/// Divides room among columns that need so much: who needs less than an equal share leaves the rest to the others.
pub(crate) fn shares(needs: &[usize], mut room: usize) -> Vec<usize> {
    let mut shares = needs.to_vec();
    let mut open: Vec<usize> = (0..needs.len()).collect();
    while !open.is_empty() {
        let equal = room / open.len();
        let (content, wanting): (Vec<usize>, Vec<usize>) = open.iter().partition(|column| needs[**column] <= equal);
        if content.is_empty() {
            wanting.iter().for_each(|column| shares[*column] = equal);
            break;
        }
        room -= content.iter().map(|column| needs[*column]).sum::<usize>();
        open = wanting;
    }
    shares
}

/// A paragraph, wrapped and indented.
pub(crate) fn paragraph(text: &str, indent: usize, width: usize) -> String {
    let blank = " ".repeat(indent);
    let options = textwrap::Options::new(width).initial_indent(&blank).subsequent_indent(&blank);
    text.lines().map(|line| textwrap::fill(line, &options) + "\n").collect()
}

/// The time of the day, as the clock on the wall shows it.
pub(crate) fn time_of_day() -> String {
    chrono::Local::now().format("%H:%M:%S").to_string()
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

/// Names a file that was written; on standard error where a document has standard output for itself.
pub(crate) fn written(file: &std::path::Path, is_document: bool) {
    let said = format!("Wrote {}\n", file.display());
    if is_document {
        let _ = anstream::stderr().write_all(said.as_bytes());
    } else {
        print(&said);
    }
}

/// Shows a long text: in `$PAGER`, or `less`, where it does not fit the terminal; printed elsewhere.
pub(crate) fn page(text: &str) {
    let rows = terminal_size::terminal_size().map_or(0, |(_, height)| usize::from(height.0));
    let stays = !std::io::stdout().is_terminal() || text.lines().count() < rows;
    if stays || through_pager(text).is_err() {
        print(text);
    }
}

fn through_pager(text: &str) -> std::io::Result<()> {
    let named = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let words = named.unwrap_or_else(|| "less".to_string());
    let mut words = words.split_whitespace();
    // As git does: colours are shown, what fits is not paged, and the screen stays.
    let mut pager = Command::new(words.next().unwrap_or("less"));
    pager.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        pager.env("LESS", "FRX");
    }
    let mut child = pager.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        let text = if colour { text.to_string() } else { anstream::adapter::strip_str(text).to_string() };
        // Who leaves early has read enough.
        let _ = stdin.write_all(text.as_bytes());
    }
    child.wait().map(|_| ())
}

/// Prints what stopped the command, and the way out, on standard error.
pub(crate) fn error(error: &Error) {
    let _ = writeln!(anstream::stderr(), "{} {error}", styled(BAD, "error:"));
}

/// Prints something worth knowing on standard error.
pub(crate) fn warning(text: &str) {
    let _ = writeln!(anstream::stderr(), "{} {text}", styled(OPEN, "warning:"));
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn who_needs_little_leaves_the_rest_to_the_others() {
        assert_eq!(shares(&[5, 6], 80), [5, 6], "no more than is needed");
        assert_eq!(shares(&[10, 90, 90], 90), [10, 40, 40]);
        assert_eq!(shares(&[10, 35, 90], 90), [10, 35, 45]);
        assert_eq!(shares(&[90, 90], 80), [40, 40]);
        assert_eq!(shares(&[], 80), [0; 0]);
    }
}
