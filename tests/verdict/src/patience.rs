//! When the time of a process is up. A limit is for what a program does, not for how busy the machine is: where its threads stand in
//! line for a processor, nobody can tell a program that is stuck from one that is right and was not let run.
//!
//! Linux says for how long each thread had a processor and for how long it was ready and had none. Elsewhere the clock alone decides.

use std::time::Duration;

/// So many times as long as its limit a process may take at most, however long its threads stood in line.
const FARTHEST: u32 = 10;

/// A process that had processors for this part of its limit had what it needs: limits leave that much room. So one that spins costs a
/// busy machine no more than it must.
const PLENTY: u32 = 4;

/// How a thread got on with the machine's processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// For how long it had one.
    had: Duration,
    /// For how long it was ready, and had none.
    waited: Duration,
}

impl Turns {
    /// What Linux says in a thread's file `schedstat`: nanoseconds with a processor, nanoseconds in line for one, and how often it got
    /// one. Nothing if it reads otherwise.
    pub fn told_by(schedstat: &str) -> Option<Turns> {
        let mut numbers = schedstat.split_whitespace().map(|number| number.parse().map(Duration::from_nanos));
        Some(Turns { had: numbers.next()?.ok()?, waited: numbers.next()?.ok()? })
    }

    /// Those of a process's threads that have ended, and of its children whose end it knows: together they had what the process has
    /// [`spent`], but for what these `living` threads of it had.
    pub fn of_the_ended(spent: Duration, living: &[Turns]) -> Turns {
        Turns { had: spent.saturating_sub(living.iter().map(|turns| turns.had).sum()), waited: Duration::ZERO }
    }
}

/// For how long a process has had processors with all threads that it ever had, and with the children whose end it knows: what Linux says
/// in its file `stat`. Nothing if it reads otherwise.
pub fn spent(stat: &str) -> Option<Duration> {
    /// Linux counts for everybody in hundredths of a second here, whatever it counts in by itself.
    const TICK: Duration = Duration::from_millis(10);
    // The name may hold anything, brackets too. The tenth to thirteenth number after it are those.
    let mut numbers = stat.rsplit_once(')')?.1.split_whitespace().skip(11).map(|number| number.parse::<u32>().ok());
    (0..4).map(|_| numbers.next()?).sum::<Option<u32>>().map(|ticks| TICK * ticks)
}

/// Whether the time of somebody is up who began so long ago and may take so long. `turns` are those of all its threads, the threads of
/// the processes that descend from it too, and [of those that have ended](Turns::of_the_ended); they are asked for when the clock says
/// that it is.
///
/// It is up then, unless a thread stood in line for a processor and all together had one for less than a quarter of the limit: what that
/// thread stood in line is given back. After ten times the limit it is up in any case.
pub fn is_over(elapsed: Duration, limit: Duration, turns: impl FnOnce() -> Vec<Turns>) -> bool {
    elapsed >= limit && says(elapsed, limit, &turns())
}

fn says(elapsed: Duration, limit: Duration, turns: &[Turns]) -> bool {
    let waited = turns.iter().map(|turns| turns.waited).max().unwrap_or_default();
    let had: Duration = turns.iter().map(|turns| turns.had).sum();
    had >= limit / PLENTY || elapsed >= limit + waited || elapsed >= limit * FARTHEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_line_is_given_back_to_who_had_few_turns() {
        let over = |elapsed, threads: &[(u64, u64)]| {
            let seconds = Duration::from_secs;
            let turns = threads.iter().map(|&(had, waited)| Turns { had: seconds(had), waited: seconds(waited) });
            says(seconds(elapsed), seconds(20), &turns.collect::<Vec<_>>())
        };
        assert!(over(20, &[]), "nobody says how its threads got on");
        assert!(over(20, &[(0, 0), (1, 0)]), "it sleeps");
        assert!(!over(20, &[(0, 0), (1, 19)]), "it was not let run");
        assert!(!over(38, &[(0, 0), (1, 19)]), "it was not let run");
        assert!(over(39, &[(0, 0), (1, 19)]), "it was not let run, and sleeps since");
        assert!(over(20, &[(5, 15)]), "it spins");
        assert!(over(20, &[(3, 15), (2, 15)]), "it spins, with threads that stand in each other's way");
        assert!(!over(199, &[(4, 195)]) && over(200, &[(4, 195)]), "there is an end");
    }

    #[test]
    fn short_lives_add_up() {
        let seconds = Duration::from_secs;
        let starved = Turns { had: seconds(1), waited: seconds(19) };
        let says = |spent| says(seconds(20), seconds(20), &[starved, Turns::of_the_ended(seconds(spent), &[starved])]);
        assert!(says(5), "its threads spin one after the other");
        assert!(!says(4) && !says(0), "it was not let run");
    }

    #[test]
    fn the_system_is_read_as_it_writes() {
        let turns = Turns { had: Duration::from_nanos(102_182), waited: Duration::from_nanos(3_474_430) };
        assert_eq!(Turns::told_by("102182 3474430 1\n"), Some(turns));
        assert_eq!(Turns::told_by(""), None);
        let stat = "4711 (a) b) S 1 4711 4711 0 -1 4194560 210 3 0 0 100 20 3 7 20 0 1 0 88 4096 1";
        assert_eq!(spent(stat), Some(Duration::from_millis(1300)));
        assert_eq!(spent("4711 (a) S 1"), None);
    }
}
