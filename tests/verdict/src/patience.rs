//! When the time of a process is up. A limit is for what a program does, not for how busy the machine is: where its threads stand in
//! line for a processor, nobody can tell a program that is stuck from one that is right and was not let run.
//!
//! Linux says for how long each thread had a processor and for how long it was ready and had none. Elsewhere the clock alone decides.

use std::fs;
use std::time::Duration;

/// So many times as long as its limit a process may take at most, however long its threads stood in line.
const FARTHEST: u32 = 10;

/// A process that had processors for this part of its limit had what it needs: limits leave that much room. So one that spins costs a
/// busy machine no more than it must.
const PLENTY: u32 = 4;

/// How a thread got on with the machine's processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Turns {
    /// For how long it had one.
    had: Duration,
    /// For how long it was ready, and had none.
    waited: Duration,
}

/// Whether the time of this process and of all that descend from it is up, which began so long ago and may take so long.
///
/// It is when the clock says so, unless some thread stood in line for a processor and they had next to none: what it stood in line is given
/// back then. After ten times the limit it is up in any case.
pub fn is_over(process: u32, elapsed: Duration, limit: Duration) -> bool {
    elapsed >= limit && says(elapsed, limit, &turns_of_family(process))
}

fn says(elapsed: Duration, limit: Duration, turns: &[Turns]) -> bool {
    let waited = turns.iter().map(|turns| turns.waited).max().unwrap_or_default();
    let had: Duration = turns.iter().map(|turns| turns.had).sum();
    had >= limit / PLENTY || elapsed >= limit + waited || elapsed >= limit * FARTHEST
}

/// The turns of all threads of the process and of all that descend from it, as far as the system tells.
fn turns_of_family(process: u32) -> Vec<Turns> {
    let mut turns = Vec::new();
    let mut processes = vec![process];
    while let Some(process) = processes.pop() {
        let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
        for thread in threads.filter_map(|entry| Some(entry.ok()?.path())) {
            // It may end while it is looked at. Then it needs no time any more.
            turns.extend(fs::read_to_string(thread.join("schedstat")).ok().as_deref().and_then(turns_in));
            let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
            processes.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    turns
}

/// What a file `schedstat` says: nanoseconds with a processor, nanoseconds in line for one, and how often it got one.
fn turns_in(schedstat: &str) -> Option<Turns> {
    let mut numbers = schedstat.split_whitespace().map(|number| number.parse().map(Duration::from_nanos));
    Some(Turns { had: numbers.next()?.ok()?, waited: numbers.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_line_is_given_back_to_who_had_next_to_no_processor() {
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
    fn the_system_is_read_as_it_writes() {
        let turns = Turns { had: Duration::from_nanos(102_182), waited: Duration::from_nanos(3_474_430) };
        assert_eq!(turns_in("102182 3474430 1\n"), Some(turns));
        assert_eq!(turns_in(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_seen_with_its_children() {
        let sleeper = std::process::Command::new("sleep").arg("600").spawn();
        let mut sleeper = sleeper.expect("a program that does nothing");
        let (with, own) = (turns_of_family(std::process::id()), turns_of_family(sleeper.id()));
        sleeper.kill().and_then(|()| sleeper.wait()).expect("it can be ended");
        assert!(own.len() == 1 && own[0].had > Duration::ZERO, "{own:?}");
        // This thread, the harness, and the child.
        assert!(with.len() >= 3, "{with:?}");
    }
}
