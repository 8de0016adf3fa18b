//! A schedule as text: `0x2.1.2x3` is two steps of the first thread, one of the second, three of the third. A letter marks
//! what is not a plain step: `1t` is the second thread's timeout, `1s` its spurious wakeup; `1r2` reads the value of an atomic
//! that has two newer ones, `1w2` takes the way 2 of several. `u.` at the beginning says that
//! unlocks are steps too, as they are in a program that can see whether a lock is held; `c.` says that the schedule is coarse:
//! what a thread does again and again is no step of its own; `w.`, that the program asks for weaker orderings than `SeqCst`.

use super::grain::Grain;
use super::operation::{Choice, How};
use super::state::Mode;

/// A schedule to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) choices: Vec<Choice>,
    pub(crate) mode: Mode,
}

/// Writes a schedule down.
pub(crate) fn write(choices: &[Choice], mode: Mode) -> String {
    let mut parts = Vec::new();
    if mode.observed {
        parts.push("u".to_string());
    }
    if mode.grain == Grain::Coarse {
        parts.push("c".to_string());
    }
    if mode.weak {
        parts.push("w".to_string());
    }
    for same in choices.chunk_by(|a, b| a == b) {
        let mark = match same[0].how {
            How::Step => String::new(),
            How::Timeout => "t".to_string(),
            How::Spurious => "s".to_string(),
            How::Old(back) => format!("r{back}"),
            How::Way(way) => format!("w{way}"),
        };
        let times = if same.len() == 1 { String::new() } else { format!("x{}", same.len()) };
        parts.push(format!("{}{mark}{times}", same[0].thread));
    }
    parts.join(".")
}

/// Reads a schedule.
///
/// # Errors
/// A sentence that says which part is wrong.
pub(crate) fn read(text: &str) -> Result<Schedule, String> {
    let mut schedule = Schedule { choices: Vec::new(), mode: Mode::default() };
    if text.trim().is_empty() {
        return Ok(schedule);
    }
    for part in text.trim().split('.') {
        match part {
            "u" if schedule.choices.is_empty() => {
                schedule.mode.observed = true;
                continue;
            }
            "c" if schedule.choices.is_empty() => {
                schedule.mode.grain = Grain::Coarse;
                continue;
            }
            "w" if schedule.choices.is_empty() => {
                schedule.mode.weak = true;
                continue;
            }
            _ => {}
        }
        let (what, times) = part.split_once('x').unwrap_or((part, "1"));
        let thread = &what[..what.find(char::is_alphabetic).unwrap_or(what.len())];
        let numbered = |letter| what[thread.len()..].strip_prefix(letter).and_then(|number: &str| number.parse().ok());
        let how = match &what[thread.len()..] {
            "" => Some(How::Step),
            "t" => Some(How::Timeout),
            "s" => Some(How::Spurious),
            _ => numbered('r').map(How::Old).or(numbered('w').map(How::Way)),
        };
        match (thread.parse(), how, times.parse::<u32>()) {
            (Ok(thread), Some(how), Ok(times)) if times <= 1_000_000 => {
                schedule.choices.extend((0..times).map(|_| Choice { thread, how }));
            }
            _ => {
                return Err(format!(
                    "the schedule has a part that is none: {part:?} (parts are like 1, 0x3, 1t, 2s, 1r2, 1w1)"
                ));
            }
        }
    }
    Ok(schedule)
}
