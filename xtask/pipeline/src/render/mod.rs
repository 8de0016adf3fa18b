//! Text and pictures for people: schedules as tables and drawings, and what every text is made of. Everything here is a function from
//! data to text, but for the few at the end that print it: the rest of both programs never writes to standard output. Colour only
//! repeats what the words say.

mod fold;
pub mod lanes;
mod layout;
pub mod rows;
#[cfg(test)]
mod sample;
pub mod schedule;
pub mod svg;

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::error::{Error, Result};

/// For what went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// For what did not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// For what is open.
pub const OPEN: Style = AnsiColor::Yellow.on_default();
/// For headings.
pub const STRONG: Style = Style::new().bold();
/// For what may be skipped.
pub const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The terminal's width in columns; 80 where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)).clamp(40, 240)
}

/// Text in exactly that many columns: cut with `…` if it is too long.
pub fn fit(text: &str, columns: usize) -> String {
    let length = text.chars().count();
    if length <= columns {
        return format!("{text}{}", " ".repeat(columns - length));
    }
    let cut: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// Divides room among columns that need so much: who needs less than an equal share leaves the rest to the others.
pub fn shares(needs: &[usize], mut room: usize) -> Vec<usize> {
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
pub fn paragraph(text: &str, indent: usize, width: usize) -> String {
    let blank = " ".repeat(indent);
    let options = textwrap::Options::new(width).initial_indent(&blank).subsequent_indent(&blank);
    text.lines().map(|line| textwrap::fill(line, &options) + "\n").collect()
}

/// Prints text; colours are left out where nobody could see them. A closed pipe is nobody's mistake.
pub fn print(text: &str) {
    let mut out = anstream::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints one JSON document.
///
/// # Errors
/// The data is not JSON; a mistake of ours.
pub fn json(data: &(impl Serialize + ?Sized)) -> Result<()> {
    let text = serde_json::to_string_pretty(data).map_err(|error| Error::new(error.to_string(), ""))?;
    print(&format!("{text}\n"));
    Ok(())
}

/// Names a file that was written; on standard error where a document has standard output for itself.
pub fn written(file: &std::path::Path, is_document: bool) {
    let said = format!("Wrote {}\n", file.display());
    if is_document {
        let _ = anstream::stderr().write_all(said.as_bytes());
    } else {
        print(&said);
    }
}

/// Prints what stopped the command, and the way out, on standard error.
pub fn error(error: &Error) {
    let _ = writeln!(anstream::stderr(), "{} {error}", styled(BAD, "error:"));
}

/// Prints something worth knowing on standard error.
pub fn warning(text: &str) {
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
