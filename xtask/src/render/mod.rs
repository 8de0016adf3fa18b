//! What learners and maintainers are shown, as functions from data to text, beside what both programs draw with.

pub(crate) mod course;
pub(crate) mod file;
pub(crate) mod markdown;
pub(crate) mod mutation;
pub(crate) mod page;
pub(crate) mod play;
pub(crate) mod report;
#[cfg(test)]
#[allow(dead_code, reason = "the library's own tests use the rest")]
#[path = "../../pipeline/src/render/sample.rs"]
pub(crate) mod sample;
pub(crate) mod verification;

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

pub(crate) use pipeline::render::*;

/// The time of the day, as the clock on the wall shows it.
pub(crate) fn time_of_day() -> String {
    chrono::Local::now().format("%H:%M:%S").to_string()
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
