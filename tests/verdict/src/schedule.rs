//! A schedule, and its notation: what a failed check prints and `replay --schedule` takes.
//!
//! `0x2.1.2x3` is two steps of the first thread, one of the second, three of the third. A letter marks what is not a plain step: `1t` is
//! the second thread's timeout, `1s` its spurious wakeup or another accident; `1r2` reads the value of an atomic that has two newer
//! ones, `1w2` takes the way 2 of several. Letters at the beginning say how it is run: `u.`, that unlocks are steps too, as they are in a program that can see
//! whether a lock is held; `c.`, that the schedule is coarse: what a thread does again and again is no step of its own; `w.`, that
//! the program asks for weaker orderings than `SeqCst`; `d.`, that details are steps which hardly any program sees, such as one sender
//! more. `i4.` in front of all: it is of the fourth input or scenario; `i4.h.`: of that
//! scenario, where limits may be over at any time.

use std::fmt;
use std::str::FromStr;

/// A schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// In which way it is run.
    pub manner: Manner,
    /// What the scheduler decides, in order.
    pub choices: Vec<Choice>,
}

/// In which way schedules are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Whether unlocks are steps.
    pub observed: bool,
    /// Whether threads may read old values of atomics.
    pub weak: bool,
    /// Whether details are steps that hardly any program sees.
    pub detailed: bool,
    /// Which steps are decisions.
    pub grain: Grain,
}

/// What is decided in a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grain {
    /// Every step is a decision.
    #[default]
    Fine,
    /// Repeated steps are passed.
    Coarse,
}

/// What the scheduler decides at one point: who goes on, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// Who, counted in the order of starting.
    pub thread: usize,
    /// How.
    pub how: How,
}

/// How a thread goes on from the operation that it announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// The operation is done.
    Step,
    /// Its time was up.
    Timeout,
    /// It woke although nobody called, failed for no reason, or called the one that came last.
    Spurious,
    /// The operation is done, and reads an older value of an atomic: the one that has so many newer ones.
    Old(u8),
    /// It took another than the first of several ways: the one of this number.
    Way(u8),
}

/// Which of a test's inputs or scenarios a schedule is of. It stands in front of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Counted from 1.
    pub number: usize,
    /// How time passes in it.
    pub timing: Timing,
}

/// How time passes in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timing {
    /// A limit is over when its time is, and everybody begins at once.
    #[default]
    Exact,
    /// Limits may be over at any time.
    Hostile,
    /// Whoever has no limit begins at the moment when the others' longest one is over.
    Late,
    /// Whoever has no limit begins a little behind the middle of the others' longest one, at no whole number of milliseconds.
    Midway,
}

impl How {
    /// Whether the operation is done as it was announced.
    #[inline]
    pub fn is_done(self) -> bool {
        matches!(self, How::Step | How::Old(_))
    }
}

/// Where the ways begin among the numbers of how a thread goes on, in a packed choice.
const FIRST_WAY: u32 = 16;

impl Choice {
    /// An ordinary step of a thread.
    #[inline]
    pub fn step(thread: usize) -> Choice {
        Choice { thread, how: How::Step }
    }

    /// The choice in four bytes, for those who keep many.
    #[inline]
    pub fn pack(self) -> u32 {
        let how = match self.how {
            How::Step => 0,
            How::Timeout => 1,
            How::Spurious => 2,
            // An atomic keeps fewer old values than that.
            How::Old(back) => 2 + u32::from(back),
            How::Way(way) => FIRST_WAY + u32::from(way),
        };
        // No schedule has millions of threads: each of them has a stack.
        (self.thread as u32) << 9 | how
    }

    /// The choice that was packed.
    #[inline]
    pub fn unpack(packed: u32) -> Choice {
        let how = match packed & 0x1FF {
            0 => How::Step,
            1 => How::Timeout,
            2 => How::Spurious,
            old if old < FIRST_WAY => How::Old(old as u8 - 2),
            way => How::Way((way - FIRST_WAY) as u8),
        };
        Choice { thread: (packed >> 9) as usize, how }
    }
}

/// The letters of a manner.
const OBSERVED: &str = "u";
const COARSE: &str = "c";
const WEAK: &str = "w";
const DETAILED: &str = "d";
/// Those of a case.
const CASE: char = 'i';
const HOSTILE: &str = "h";
const LATE: &str = "l";
const MIDWAY: &str = "m";
/// More than any schedule has of one step.
const MOST_TIMES: u32 = 1_000_000;

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Manner { observed, weak, detailed, grain } = self.manner;
        let letters = [(observed, OBSERVED), (grain == Grain::Coarse, COARSE), (weak, WEAK), (detailed, DETAILED)];
        let letters = letters.into_iter().filter(|(is, _)| *is).map(|(_, letter)| letter.to_string());
        let steps = self.choices.chunk_by(|a, b| a == b).map(|same| {
            let times = if same.len() == 1 { String::new() } else { format!("x{}", same.len()) };
            format!("{}{times}", same[0])
        });
        f.write_str(&letters.chain(steps).collect::<Vec<_>>().join("."))
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = self.thread;
        match self.how {
            How::Step => write!(f, "{thread}"),
            How::Timeout => write!(f, "{thread}t"),
            How::Spurious => write!(f, "{thread}s"),
            How::Old(back) => write!(f, "{thread}r{back}"),
            How::Way(way) => write!(f, "{thread}w{way}"),
        }
    }
}

impl FromStr for Schedule {
    /// A sentence that says which part is wrong.
    type Err = String;

    fn from_str(text: &str) -> Result<Schedule, String> {
        let mut schedule = Schedule::default();
        for part in text.trim().split('.').filter(|_| !text.trim().is_empty()) {
            match part {
                OBSERVED if schedule.choices.is_empty() => schedule.manner.observed = true,
                COARSE if schedule.choices.is_empty() => schedule.manner.grain = Grain::Coarse,
                WEAK if schedule.choices.is_empty() => schedule.manner.weak = true,
                DETAILED if schedule.choices.is_empty() => schedule.manner.detailed = true,
                part => {
                    let (choice, times) = several(part).ok_or_else(|| {
                        format!(
                            "the schedule has a part that is none: {part:?} (parts are like 1, 0x3, 1t, 2s, 1r2, 1w1)"
                        )
                    })?;
                    schedule.choices.extend((0..times).map(|_| choice));
                }
            }
        }
        Ok(schedule)
    }
}

/// The same choice so many times.
fn several(part: &str) -> Option<(Choice, u32)> {
    let (what, times) = part.split_once('x').unwrap_or((part, "1"));
    let (thread, how) = what.split_at(what.find(char::is_alphabetic).unwrap_or(what.len()));
    let numbered = |letter| how.strip_prefix(letter).and_then(|number: &str| number.parse().ok());
    let how = match how {
        "" => How::Step,
        "t" => How::Timeout,
        "s" => How::Spurious,
        _ => numbered('r').map(How::Old).or(numbered('w').map(How::Way))?,
    };
    let times = times.parse().ok().filter(|times| *times <= MOST_TIMES)?;
    Some((Choice { thread: thread.parse().ok()?, how }, times))
}

impl Case {
    /// What stands before the schedule's own text.
    pub fn label(self) -> String {
        let timing = match self.timing {
            Timing::Exact => String::new(),
            Timing::Hostile => format!("{HOSTILE}."),
            Timing::Late => format!("{LATE}."),
            Timing::Midway => format!("{MIDWAY}."),
        };
        format!("{CASE}{}.{timing}", self.number)
    }

    /// The schedule of this case as text, `own` being what it is without.
    pub fn before(self, own: &str) -> String {
        format!("{}{own}", self.label()).trim_end_matches('.').to_string()
    }

    /// The case that the text begins with, if it names one, and the rest.
    ///
    /// # Errors
    /// It names one by something that is no number: the part.
    pub fn of(text: &str) -> Result<(Option<Case>, &str), &str> {
        let (first, rest) = text.split_once('.').unwrap_or((text, ""));
        let Some(number) = first.strip_prefix(CASE) else { return Ok((None, text)) };
        let number = number.parse().map_err(|_| first)?;
        let (next, after) = rest.split_once('.').unwrap_or((rest, ""));
        let (timing, rest) = match next {
            HOSTILE => (Timing::Hostile, after),
            LATE => (Timing::Late, after),
            MIDWAY => (Timing::Midway, after),
            _ => (Timing::Exact, rest),
        };
        Ok((Some(Case { number, timing }), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "0", "0x2.1.2x3", "u.c.w.0.1t.2s.1r2.1w300.0x1000000", "c.0", "w.3w1", "u.w.d.0"] {
            let read = text.parse::<Schedule>();
            match text.contains("300") {
                true => assert!(read.is_err(), "{text}: no way has that number"),
                false => assert_eq!(read.unwrap().to_string(), text),
            }
        }
        for text in ["0.u", "0.c", "0.w", "0.d", "1z", "x3", "0x1000001", "-1", "0..1", "t"] {
            assert!(text.parse::<Schedule>().unwrap_err().contains("has a part that is none"), "{text}");
        }
    }

    #[test]
    fn a_packed_choice_is_the_same() {
        let ways = [How::Step, How::Timeout, How::Spurious, How::Old(1), How::Old(13), How::Way(1), How::Way(255)];
        for how in ways {
            let choice = Choice { thread: 70_000, how };
            assert_eq!(Choice::unpack(choice.pack()), choice);
        }
    }

    #[test]
    fn a_case_stands_in_front() {
        let of = |number, timing| Case { number, timing };
        for (case, own, text) in [
            (of(12, Timing::Hostile), "u.0", "i12.h.u.0"),
            (of(12, Timing::Late), "u.0", "i12.l.u.0"),
            (of(12, Timing::Midway), "u.0", "i12.m.u.0"),
            (of(4, Timing::Exact), "", "i4"),
            (of(4, Timing::Hostile), "", "i4.h"),
            (of(4, Timing::Late), "", "i4.l"),
        ] {
            assert_eq!(case.before(own), text);
            assert_eq!(Case::of(text), Ok((Some(case), own)));
        }
        assert_eq!(Case::of("0x2.1"), Ok((None, "0x2.1")));
        assert_eq!(Case::of("ix.1"), Err("ix"));
    }
}
