//! Repetitions, told once.

use std::cmp::Reverse;
use std::ops::Range;

/// The longest part whose repetitions are seen.
const LONGEST: usize = 8;
/// What comes less often in a row is told each time.
const LEAST: usize = 3;

/// A part of a sequence, and how often it comes in a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it comes first.
    pub first: Range<usize>,
    /// How often it comes.
    pub times: usize,
}

impl Part {
    /// Where it comes last.
    pub(super) fn last(&self) -> Range<usize> {
        let later = (self.times - 1) * self.first.len();
        self.first.start + later..self.first.end + later
    }
}

/// Cuts a sequence into parts, of which each comes once, or at least three times in a row.
pub(super) fn parts<T>(items: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < items.len() {
        let times = |length: usize| {
            let first = &items[start..start + length];
            let is_same = |next: &&[T]| next.iter().zip(first).all(|(one, other)| same(one, other));
            1 + items[start + length..].chunks_exact(length).take_while(is_same).count()
        };
        let repeated = (1..=LONGEST.min(items.len() - start)).map(|length| (length, times(length)));
        let repeated = repeated.filter(|(_, times)| *times >= LEAST);
        let (length, times) =
            repeated.max_by_key(|(length, times)| (length * times, Reverse(*length))).unwrap_or((1, 1));
        parts.push(Part { first: start..start + length, times });
        start += length * times;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_three_times_is_told_once() {
        let folded = |text: &str| {
            let letters: Vec<char> = text.chars().collect();
            let told = |part: Part| match part.times {
                1 => String::from_iter(&letters[part.first]),
                times => format!("({})x{times}", String::from_iter(&letters[part.first])),
            };
            parts(&letters, |one, other| one == other).into_iter().map(told).collect::<String>()
        };
        assert_eq!(folded(""), "");
        assert_eq!(folded("aabb"), "aabb", "twice is not often");
        assert_eq!(folded("xaaaay"), "x(a)x4y");
        assert_eq!(folded("abcabcabcab"), "(abc)x3ab");
        assert_eq!(folded("aaaaaa"), "(a)x6", "the shortest part");
    }

    #[test]
    fn the_last_time_is_known() {
        let part = Part { first: 2..4, times: 3 };
        assert_eq!(part.last(), 6..8);
    }
}
