//! Small programs of calls: all of them, smallest first, none twice.

use std::time::Duration;

/// A small program on one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Program {
    /// Which setup it begins with.
    pub(super) setup: usize,
    /// The calls of each thread, by their place in the contract's list. Threads without a part of their own are in ascending order:
    /// programs that differ only by renaming those are the same.
    pub(super) threads: Vec<Vec<usize>>,
}

/// A call of a program: whose, which one, and its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// The thread, from 0.
    pub(super) thread: usize,
    /// The call, by its place in the contract's list.
    pub(super) call: usize,
    /// The number that the contract sees: 21 is the second thread's first call.
    pub(super) id: usize,
}

impl Program {
    /// All its calls, thread by thread.
    pub(super) fn calls(&self) -> Vec<Placed> {
        let placed = |(thread, calls): (usize, &Vec<usize>)| {
            let place = move |(index, &call)| Placed { thread, call, id: id(thread, index) };
            calls.iter().enumerate().map(place).collect::<Vec<_>>()
        };
        self.threads.iter().enumerate().flat_map(placed).collect()
    }

    /// When each thread makes its first call where those without a limit come at a moment of the longest limit of these first calls:
    /// who has a limit begins at once.
    pub(super) fn begins(
        &self,
        limit: impl Fn(usize) -> Option<Duration>,
        moment: impl Fn(Duration) -> Duration,
    ) -> Vec<Duration> {
        let limits = || self.threads.iter().map(|calls| limit(calls[0]));
        let Some(longest) = limits().flatten().max() else { return vec![Duration::ZERO; self.threads.len()] };
        limits().map(|limit| if limit.is_some() { Duration::ZERO } else { moment(longest) }).collect()
    }

    /// The same program without one of its calls, where so many threads have a part of their own.
    pub(super) fn without(&self, thread: usize, index: usize, parts: usize) -> Program {
        let mut shorter = self.clone();
        shorter.threads[thread].remove(index);
        shorter.threads.retain(|calls| !calls.is_empty());
        sort_alike(&mut shorter.threads, parts);
        shorter
    }
}

/// Puts those threads in ascending order that have no part of their own.
pub(super) fn sort_alike(threads: &mut [Vec<usize>], parts: usize) {
    let parts = parts.min(threads.len());
    threads[parts..].sort();
}

/// The number of a thread's call, both from 0.
fn id(thread: usize, index: usize) -> usize {
    10 * (thread + 1) + index + 1
}

/// All programs of exactly so many of these calls, on at most so many threads, for one setup in which so many have a part of their own;
/// those that make sense.
pub(super) fn of_size(
    setup: usize,
    kinds: &[usize],
    size: usize,
    threads: usize,
    parts: usize,
    makes_sense: impl Fn(&[Vec<usize>]) -> bool,
) -> Vec<Program> {
    let mut sequences: Vec<Vec<usize>> = Vec::new();
    let mut layer: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        layer = layer.iter().flat_map(|calls| kinds.iter().map(move |&call| [&calls[..], &[call]].concat())).collect();
        sequences.extend(layer.iter().cloned());
    }
    sequences.sort();
    let mut programs = Vec::new();
    add_threads(&sequences, 0, size, threads, parts, &mut Vec::new(), &mut |threads| {
        if makes_sense(threads) {
            programs.push(Program { setup, threads: threads.to_vec() });
        }
    });
    programs
}

/// Adds threads until `left` calls are placed: alike ones with sequences from `from` on.
fn add_threads(
    sequences: &[Vec<usize>],
    from: usize,
    left: usize,
    threads: usize,
    parts: usize,
    so_far: &mut Vec<Vec<usize>>,
    found: &mut impl FnMut(&[Vec<usize>]),
) {
    if left == 0 {
        return found(so_far);
    }
    if threads == 0 {
        return;
    }
    let from = if so_far.len() > parts { from } else { 0 };
    for index in from..sequences.len() {
        let calls = &sequences[index];
        if calls.len() <= left && (threads > 1 || calls.len() == left) {
            so_far.push(calls.clone());
            add_threads(sequences, index, left - calls.len(), threads - 1, parts, so_far, found);
            so_far.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_counted_as_one_counts_them_by_hand() {
        // Two calls a and b: aa ab ba bb on one thread; a|a a|b b|b on two.
        assert_eq!(of_size(0, &[0, 1], 2, 3, 0, |_| true).len(), 7);
        assert_eq!(of_size(0, &[0, 1], 2, 1, 0, |_| true).len(), 4);
        // aaa … bbb: 8; two and one: 4 * 2; one, one and one: 4 multisets.
        assert_eq!(of_size(0, &[0, 1], 3, 3, 0, |_| true).len(), 20);
        assert_eq!(of_size(0, &[0, 1], 3, 3, 0, |threads| threads.len() == 3).len(), 4);
        // Where the first has a part of its own, b|a is another program than a|b; and of three, the last two are alike.
        assert_eq!(of_size(0, &[0, 1], 2, 3, 1, |_| true).len(), 8);
        assert_eq!(of_size(0, &[0, 1], 3, 3, 1, |threads| threads.len() == 3).len(), 6);
        assert_eq!(of_size(0, &[0, 1], 3, 3, 2, |threads| threads.len() == 3).len(), 8);
    }

    #[test]
    fn no_program_is_another_one_with_its_threads_renamed() {
        let mut all = of_size(0, &[0, 1, 2], 4, 3, 0, |_| true);
        for program in &mut all {
            assert_eq!(program.calls().len(), 4);
            program.threads.sort();
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_program_can_lose_a_call() {
        let program = Program { setup: 0, threads: vec![vec![1, 0], vec![2]] };
        assert_eq!(program.without(1, 0, 0).threads, [vec![1, 0]]);
        assert_eq!(program.without(0, 0, 0).threads, [vec![0], vec![2]]);
        let of_an_owner = Program { setup: 0, threads: vec![vec![3, 0], vec![2]] };
        assert_eq!(of_an_owner.without(0, 1, 1).threads, [vec![3], vec![2]]);
    }
}
