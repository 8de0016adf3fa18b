//! Sharding: which part of a class is this machine's. Whose part a learner is in depends on the name alone, so every machine
//! finds the same parts without asking another.

use std::env;
use std::str::FromStr;

use pipeline::error::{Error, Result};
use sha2::{Digest, Sha256};
use verdict::Shard;

/// What `--shard` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// `K/N`: part K of N.
    Part(Shard),
    /// `auto`: what the machine's own variables say.
    Auto,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Wanted, String> {
        if text == "auto" {
            return Ok(Wanted::Auto);
        }
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Wanted::Part(Shard { number, of })),
            _ => Err("write it as K/N with K from 1 to N, like 2/4, or `auto`".to_string()),
        }
    }
}

/// Variables that say which of several machines this is: the number, the first number, how many.
const SYSTEMS: [(&str, &str, First, &str); 4] = [
    ("GitLab's `parallel`", "CI_NODE_INDEX", First::Is(1), "CI_NODE_TOTAL"),
    ("a Slurm array", "SLURM_ARRAY_TASK_ID", First::In("SLURM_ARRAY_TASK_MIN"), "SLURM_ARRAY_TASK_COUNT"),
    // Kubernetes does not tell a pod how many completions its job wants, GitHub tells a job nothing: the ready files set these.
    ("a Kubernetes Indexed Job", "JOB_COMPLETION_INDEX", First::Is(0), "JOB_COMPLETIONS"),
    ("a GitHub matrix", "STRATEGY_JOB_INDEX", First::Is(0), "STRATEGY_JOB_TOTAL"),
];

/// The number of the first machine.
#[derive(Clone, Copy)]
enum First {
    Is(u32),
    In(&'static str),
}

/// The part that is wanted.
///
/// # Errors
/// `auto`, and no variable says which part this is, or one says nonsense.
pub(crate) fn of(wanted: Wanted) -> Result<Shard> {
    match wanted {
        Wanted::Part(shard) => Ok(shard),
        Wanted::Auto => from_variables(&|name| env::var(name).ok()),
    }
}

fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard> {
    for (system, index, first, total) in SYSTEMS {
        let Some(text) = variable(index) else { continue };
        let broken = |name: &str, text: Option<String>| {
            let what = match text {
                Some(text) => format!("`--shard auto`: {name} is {text:?}, which is no number of {system}"),
                None => format!("`--shard auto`: {index} is set, as by {system}, but {name} is not"),
            };
            Error::new(what, "Set it, or give `--shard K/N`.")
        };
        let number = |name: &str| -> Result<u32> {
            let text = variable(name);
            text.as_ref().and_then(|text| text.parse().ok()).ok_or_else(|| broken(name, text))
        };
        let first = match first {
            First::Is(first) => first,
            First::In(name) => number(name)?,
        };
        let (index_number, of) = (number(index)?, number(total)?);
        let number = index_number.checked_sub(first).map_or(0, |past| past + 1);
        if !(1..=of).contains(&number) {
            return Err(broken(index, Some(text)));
        }
        return Ok(Shard { number, of });
    }
    let known: Vec<&str> = SYSTEMS.iter().map(|(_, index, ..)| *index).collect();
    Err(Error::new(
        format!("`--shard auto`: none of {} is set", known.join(", ")),
        "Give `--shard K/N`, or run it where one of them is.",
    ))
}

/// Whether this learner is in that part.
pub(crate) fn contains(shard: Option<Shard>, learner: &str) -> bool {
    shard.is_none_or(|shard| place(learner, shard.of) == shard.number)
}

/// The part, from 1, that a learner belongs to when there are so many.
fn place(learner: &str, of: u32) -> u32 {
    let hash = Sha256::digest(learner.as_bytes());
    let number = u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes"));
    u32::try_from(number % u64::from(of)).expect("less than `of`") + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(set: &[(&str, &str)]) -> Result<Shard> {
        from_variables(&|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string()))
    }

    #[test]
    fn a_part_is_written_from_one_to_n() {
        assert_eq!("2/4".parse(), Ok(Wanted::Part(Shard { number: 2, of: 4 })));
        assert_eq!("auto".parse(), Ok(Wanted::Auto));
        for text in ["0/4", "5/4", "1/0", "4", "a/b", "-1/4", "1/4/2", ""] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_system_counts_in_its_own_way() {
        let third = Shard { number: 3, of: 4 };
        assert_eq!(auto(&[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "4")]).unwrap(), third);
        assert_eq!(auto(&[("JOB_COMPLETION_INDEX", "2"), ("JOB_COMPLETIONS", "4")]).unwrap(), third);
        assert_eq!(auto(&[("STRATEGY_JOB_INDEX", "2"), ("STRATEGY_JOB_TOTAL", "4")]).unwrap(), third);
        let slurm = [("SLURM_ARRAY_TASK_ID", "12"), ("SLURM_ARRAY_TASK_MIN", "10"), ("SLURM_ARRAY_TASK_COUNT", "4")];
        assert_eq!(auto(&slurm).unwrap(), third);
    }

    #[test]
    fn auto_says_what_it_misses() {
        let missing = |set: &[(&str, &str)]| auto(set).unwrap_err().to_string();
        assert!(missing(&[]).contains("CI_NODE_INDEX"));
        assert!(missing(&[("CI_NODE_INDEX", "3")]).contains("CI_NODE_TOTAL is not"));
        assert!(missing(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")]).contains("\"0\""));
        assert!(missing(&[("CI_NODE_INDEX", "five"), ("CI_NODE_TOTAL", "4")]).contains("\"five\""));
    }

    #[test]
    fn every_learner_is_in_exactly_one_part() {
        for of in 1..=7 {
            let mut sizes = vec![0; of as usize];
            for learner in (0..700).map(|number| format!("learner{number}")) {
                let parts: Vec<u32> =
                    (1..=of).filter(|number| contains(Some(Shard { number: *number, of }), &learner)).collect();
                assert_eq!(parts.len(), 1, "{learner} of {of}");
                sizes[parts[0] as usize - 1] += 1;
            }
            assert!(sizes.iter().all(|size| *size > 700 / of / 2), "{sizes:?}");
        }
        assert!(contains(None, "anybody"));
        // Written down: another machine, or a later version, must find the same.
        assert_eq!([place("ada", 4), place("grace", 4), place("edsger", 4)], [3, 4, 3]);
    }
}
