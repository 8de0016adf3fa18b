//! How late a page is answered: the same for the same page in every run, whatever the profile.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::time::Duration;

/// Latencies of pages by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// How they are spread.
    pub profile: Profile,
    /// What most pages take, or take on average.
    pub typical: Duration,
}

/// How latencies are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// All are the same.
    Fixed,
    /// Anything from half to one and a half of the typical one.
    Jittered,
    /// One page in twenty takes ten times as long.
    SlowTail,
    /// Of each hundred pages ten in a row take five times as long.
    Stalls,
}

/// Any number will do, as long as it stays the same.
const SEED: u64 = 0x1a7e_4c1e;

impl Profile {
    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Profile> {
        match name {
            "fixed" => Some(Profile::Fixed),
            "jittered" => Some(Profile::Jittered),
            "slow-tail" => Some(Profile::SlowTail),
            "stalls" => Some(Profile::Stalls),
            _ => None,
        }
    }
}

impl Latencies {
    /// How late this page is answered.
    pub fn of(&self, index: u64) -> Duration {
        let Latencies { profile, typical } = *self;
        match profile {
            Profile::Fixed => typical,
            Profile::Jittered => typical / 2 + typical * draw(index, 1001) / 1000,
            Profile::SlowTail if draw(index, 20) == 0 => typical * 10,
            Profile::Stalls if index % 100 / 10 == u64::from(draw(index / 100, 10)) => typical * 5,
            Profile::SlowTail | Profile::Stalls => typical,
        }
    }

    /// How long so many pages take a client that asks for `at_once` of them at the same time, in their order, and needs no time
    /// of its own. With fixed latencies that is one latency for each wave.
    pub fn limit(&self, pages: u64, at_once: u32) -> Duration {
        // When each of the client's places is free again.
        let mut free: BinaryHeap<Reverse<Duration>> = (0..at_once.max(1)).map(|_| Reverse(Duration::ZERO)).collect();
        let mut end = Duration::ZERO;
        for index in 0..pages {
            let Reverse(begin) = free.pop().expect("there is at least one place");
            free.push(Reverse(begin + self.of(index)));
            end = end.max(begin + self.of(index));
        }
        end
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typical = self.typical.as_millis();
        match self.profile {
            Profile::Fixed => write!(f, "{typical} ms"),
            Profile::Jittered => write!(f, "{} to {} ms", typical / 2, typical * 3 / 2),
            Profile::SlowTail => write!(f, "{typical} ms, one in twenty {} ms", typical * 10),
            Profile::Stalls => write!(f, "{typical} ms, ten in a row of each hundred {} ms", typical * 5),
        }
    }
}

/// A number below `below` that depends on nothing but `index` (the finishing steps of SplitMix64).
fn draw(index: u64, below: u32) -> u32 {
    let mut z = (index ^ SEED).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let drawn = (z ^ (z >> 31)) % u64::from(below);
    u32::try_from(drawn).expect("less than a number of 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of_100_ms(profile: Profile) -> Latencies {
        Latencies { profile, typical: Duration::from_millis(100) }
    }

    /// The latencies of a thousand pages, in milliseconds.
    fn thousand(profile: Profile) -> Vec<u128> {
        (0..1000).map(|index| of_100_ms(profile).of(index).as_millis()).collect()
    }

    #[test]
    fn each_profile_keeps_to_its_range_and_its_share() {
        assert!(thousand(Profile::Fixed).iter().all(|ms| *ms == 100));
        let jittered = thousand(Profile::Jittered);
        assert!(jittered.iter().all(|ms| (50..=150).contains(ms)));
        let mean = jittered.iter().sum::<u128>() / 1000;
        assert!((95..=105).contains(&mean), "{mean}");
        let slow = thousand(Profile::SlowTail).iter().filter(|ms| **ms == 1000).count();
        assert!((35..=65).contains(&slow), "{slow} of 1000 are slow");
        assert_eq!(thousand(Profile::Stalls).iter().filter(|ms| **ms == 500).count(), 100);
    }

    #[test]
    fn a_page_has_one_latency_for_ever() {
        let some = thousand(Profile::Jittered)[..6].to_vec();
        assert_eq!(some, [94, 132, 141, 111, 86, 73]);
    }

    #[test]
    fn the_limit_of_fixed_latencies_is_one_for_each_wave() {
        let limit = |pages, at_once| of_100_ms(Profile::Fixed).limit(pages, at_once).as_millis();
        assert_eq!(limit(100, 1), 10_000);
        assert_eq!(limit(100, 100), 100);
        assert_eq!(limit(101, 100), 200);
        assert_eq!(limit(10_000, 1000), 1000);
        assert_eq!(limit(0, 10), 0);
    }

    #[test]
    fn the_limit_of_other_latencies_is_that_of_a_busy_client() {
        let latencies = of_100_ms(Profile::SlowTail);
        let one_by_one: Duration = (0..50).map(|index| latencies.of(index)).sum();
        assert_eq!(latencies.limit(50, 1), one_by_one);
        let slowest = (0..50).map(|index| latencies.of(index)).max().expect("fifty");
        assert_eq!(latencies.limit(50, 50), slowest);
    }
}
