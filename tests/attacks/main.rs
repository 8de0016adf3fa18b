//! Hostile submissions, and what must become of each: the grader's own proof.
//!
//! `code/` has one file for each attack. Its first lines declare what it tries and how it must end. All of them are put into
//! one class, beside a few honest neighbours, and graded twice: as usual, and without the rules on the syntax tree, since
//! isolation alone must hold. Then the machine must be as it was before, and the neighbours' verdicts what they always are.
//!
//! Every sample is bounded by itself. A broken guard fails a test here, and harms nothing.
//!
//! `INTERLEAVE_ATTACK=exit,zip cargo test -p grader --test attacks` tries only those with one of these words in their names.
//! What a machine can't hold for lack of isolation is not tried there, and said so. `INTERLEAVE_ATTACK_TIER=isolated` makes that
//! a failure.
#![cfg(target_os = "linux")]

mod archives;
mod arena;
mod files;
mod folders;
mod machine;
mod names;
mod reports;
mod samples;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use crate::arena::{Arena, Graded};
use crate::samples::Sample;

/// So many attacks are the least that the suite promises.
const LEAST: usize = 150;

#[test]
fn every_attack_says_what_it_tries() {
    let samples = all();
    let mut names: Vec<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), samples.len(), "two attacks of one name");
    assert!(samples.len() >= LEAST, "{} attacks; {LEAST} are the least", samples.len());
}

#[test]
fn attacks_end_as_declared_and_harm_nobody() {
    let arena = Arena::new();
    let (samples, skipped): (Vec<Sample>, Vec<Sample>) =
        chosen().into_iter().partition(|sample| sample.needs <= arena.tier());
    let required = std::env::var("INTERLEAVE_ATTACK_TIER").unwrap_or_default();
    assert!(skipped.is_empty() || required != "isolated", "this machine has only the tier {:?}", arena.tier());
    for sample in skipped {
        println!(
            "not tried: {}, which needs the tier {:?}; this machine has {:?}",
            sample.name,
            sample.needs,
            arena.tier()
        );
    }
    let graded = arena.grade(&samples, &[]);
    let mut wrong = compare(&samples, &graded, |sample| &sample.inspected);
    wrong.extend(reports::check(&graded));

    // What the rules let through has been tried. The others must be stopped by isolation alone.
    let rejected: Vec<Sample> = samples.into_iter().filter(|sample| sample.uninspected.is_some()).collect();
    let graded = arena.grade(&rejected, &["--without-inspection"]);
    wrong.extend(compare(&rejected, &graded, |sample| sample.uninspected.as_ref().unwrap_or(&sample.inspected)));
    assert!(wrong.is_empty(), "{} things are not as they must be:\n{}", wrong.len(), wrong.join("\n"));
}

/// The attacks that are asked for, and every honest neighbour.
fn chosen() -> Vec<Sample> {
    let mut samples = all();
    if let Ok(words) = std::env::var("INTERLEAVE_ATTACK") {
        samples.retain(|sample| words.split(',').any(|word| sample.name.contains(word)));
    }
    let katas: BTreeSet<String> = samples.iter().map(|sample| sample.kata.clone()).collect();
    samples.extend(samples::neighbours(&katas));
    samples
}

/// Every attack.
fn all() -> Vec<Sample> {
    let mut all = samples::read();
    all.extend(texts::samples());
    all.extend(folders::samples());
    all.extend(archives::samples());
    all.extend(names::samples());
    all
}

/// In which way the verdicts differ from what is declared, and what else the attacks have achieved.
fn compare<'a>(
    samples: &'a [Sample],
    graded: &Graded,
    declared: impl Fn(&'a Sample) -> &'a samples::Declared,
) -> Vec<String> {
    let mut wrong = graded.harm.clone();
    let results: BTreeMap<(&str, &str), &verdict::Graded> =
        graded.results.iter().map(|one| ((one.learner.as_str(), one.verdict.kata.as_str()), one)).collect();
    for sample in samples {
        let Some(result) = results.get(&(sample.learner(), sample.kata.as_str())) else {
            wrong.push(format!("{}: no result", sample.name));
            continue;
        };
        wrong.extend(declared(sample).differs(&sample.name, result));
    }
    wrong
}
