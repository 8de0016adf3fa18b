//! Stacks as std prints them, in the long form (`{:#}`), which has whole paths.

use crate::Location;

/// A call on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function's name.
    pub function: String,
    /// Where it stands.
    pub at: Location,
}

/// The calls of a stack whose places are known, innermost first. Of a text that reads otherwise, none.
pub fn frames(stack: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut function = "";
    for line in stack.lines().map(str::trim) {
        match line.strip_prefix("at ") {
            Some(place) => frames.extend(location(place).map(|at| Frame { function: function.to_string(), at })),
            None => {
                // `12: 0x55d0c0ffee00 - lock::Bank::transfer`, or without the number where it is inlined.
                let numbered = line.split_once(": ").filter(|(number, _)| number.parse::<u32>().is_ok());
                let named = numbered.map_or(line, |(_, name)| name.trim_start());
                let addressed = named.split_once(" - ").filter(|(address, _)| address.starts_with("0x"));
                function = addressed.map_or(named, |(_, name)| name);
            }
        }
    }
    frames
}

/// `/work/lock/src/lib.rs:68:13`, or without the column where the compiler gives none: what is dropped at the end of a block.
fn location(place: &str) -> Option<Location> {
    let (rest, last) = place.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let line = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?)));
    let (file, line, column) = line.map_or((rest, last, 1), |(file, line)| (file, line, last));
    Some(Location { file: file.to_string(), line, column })
}

/// Whether a file is of the standard library.
#[must_use]
pub fn is_of_std(file: &str) -> bool {
    file.starts_with("/rustc/") || file.contains("/rustlib/src/rust/library/")
}
