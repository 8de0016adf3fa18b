//! `merge`: the shards of a class as one record, with every report. What does not fit together is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pipeline::error::{Error, Result};
use verdict::{Graded, Inputs, Isolation, Shard};

use crate::class::claim::Claim;
use crate::class::gradebook::Gradebook;
use crate::class::ledger::{self, Ledger, Record};
use crate::class::shard;
use crate::cli::MergeArgs;
use crate::render::{self, grading};

/// Merges the shards; whether the graders of all of them did everything they had to.
pub(crate) fn run(args: &MergeArgs) -> Result<bool> {
    let mut records = Vec::new();
    for folder in &args.shards {
        records.push((folder.clone(), ledger::read(folder)?));
    }
    let (inputs, results) = union(records)?;
    let claim = Claim::of(&args.out)?;
    let ledger = Ledger::open(&claim)?;
    ledger.finish(&inputs, &results)?;
    let gradebook = Gradebook::new(inputs, results);
    render::class::write(&gradebook, &claim)?;
    render::print(&grading::summary(&gradebook, &args.out, &[]));
    Ok(grading::grader_errors(&gradebook) == 0)
}

/// The whole class, in the order of one that was graded on one machine.
fn union(records: Vec<(PathBuf, Record)>) -> Result<(Inputs, Vec<Graded>)> {
    let mut parts: BTreeMap<u32, PathBuf> = BTreeMap::new();
    let mut whole: Option<(PathBuf, Inputs)> = None;
    let mut results: BTreeMap<(String, String), Graded> = BTreeMap::new();
    for (folder, record) in records {
        let (inputs, shard) = complete(&folder, &record)?;
        if let Some(other) = parts.insert(shard.number, folder.clone()) {
            return Err(Error::new(
                format!("{} and {} are both shard {}/{}", other.display(), folder.display(), shard.number, shard.of),
                "Give each shard once.",
            ));
        }
        for (place, graded) in record.results {
            if !shard::contains(Some(shard), &graded.learner) {
                return Err(Error::new(
                    format!("{} holds a result that belongs to another shard", folder.display()),
                    "Grade that shard again into an empty folder.",
                ));
            }
            results.insert(place, graded);
        }
        match &whole {
            None => whole = Some((folder, Inputs { shard: Some(Shard { number: 1, ..shard }), ..inputs })),
            Some((first, known)) => same(first, known, &folder, &inputs, shard)?,
        }
    }
    let (_, inputs) = whole.ok_or_else(|| Error::new("there is no shard to merge", "Give their folders."))?;
    let of = inputs.shard.map_or(1, |shard| shard.of);
    if let Some(missing) = (1..=of).find(|number| !parts.contains_key(number)) {
        return Err(Error::new(
            format!("shard {missing}/{of} is missing"),
            format!("Grade it with `--shard {missing}/{of}`, then merge all {of}."),
        ));
    }
    let mut ordered = Vec::new();
    for learner in &inputs.learners {
        for assignment in &inputs.assignments {
            let place = (learner.name.clone(), assignment.kata.clone());
            ordered.push(results.remove(&place).ok_or_else(|| {
                Error::new(
                    format!("no shard has a result on {:?} and {}", learner.name, assignment.kata),
                    "Grade that learner's shard again.",
                )
            })?);
        }
    }
    Ok((Inputs { shard: None, ..inputs }, ordered))
}

/// What a finished shard graded, and which part it is.
fn complete(folder: &std::path::Path, record: &Record) -> Result<(Inputs, Shard)> {
    let shown = folder.display();
    let Some(inputs) = record.inputs.clone() else {
        return Err(Error::new(format!("{shown} holds an empty record"), "Grade that shard again."));
    };
    let Some(shard) = inputs.shard else {
        return Err(Error::new(
            format!("{shown} is no shard: it holds a whole class"),
            "Only what was graded with `--shard K/N` is merged.",
        ));
    };
    if !record.finished {
        return Err(Error::new(
            format!("{shown} is not finished: its grader was stopped"),
            "Run the same `grade` again; it goes on where it stopped.",
        ));
    }
    Ok((inputs, shard))
}

/// Refuses shards that were not graded in the same way.
fn same(
    first: &std::path::Path,
    known: &Inputs,
    folder: &std::path::Path,
    inputs: &Inputs,
    shard: Shard,
) -> Result<()> {
    // Taken apart, so that nothing of it can be forgotten.
    let Inputs {
        title,
        deadline,
        assignments,
        learners,
        submissions,
        judge,
        toolchain,
        limits,
        isolation: Isolation { tier, lacks: _ },
        inspection,
        seed,
        schedules,
        deep,
        shard: known_shard,
    } = known;
    let known_of = known_shard.map_or(0, |shard| shard.of);
    let differing = [
        ("number of shards", known_of != shard.of),
        ("course", (title, assignments) != (&inputs.title, &inputs.assignments)),
        ("deadlines", *deadline != inputs.deadline),
        ("class", (learners, submissions) != (&inputs.learners, &inputs.submissions)),
        ("tests or graders", *judge != inputs.judge),
        ("compilers", *toolchain != inputs.toolchain),
        ("limits", *limits != inputs.limits),
        ("rules", *inspection != inputs.inspection),
        ("isolation", *tier != inputs.isolation.tier),
        ("seeds or numbers of schedules", (*seed, *schedules) != (inputs.seed, inputs.schedules)),
        ("depths (`--deep`)", *deep != inputs.deep),
    ];
    match differing.iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((what, _)) => Err(Error::new(
            format!(
                "{} and {} were graded with different inputs: the {what} differ",
                first.display(),
                folder.display()
            ),
            "Grade all shards of one class with the same checkout, toolchain and options.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::class::sample;

    #[test]
    fn what_was_graded_in_another_way_is_not_merged() {
        let inputs = sample::inputs(&["ada"], Vec::new());
        let shard = |number| Shard { number, of: 2 };
        let known = Inputs { shard: Some(shard(1)), ..inputs.clone() };
        let compared = |other: &Inputs| same("one".as_ref(), &known, "two".as_ref(), other, shard(2));
        assert!(compared(&inputs).is_ok());
        let others = [
            ("the depths (`--deep`) differ", Inputs { deep: true, ..inputs.clone() }),
            ("the rules differ", Inputs { inspection: false, ..inputs.clone() }),
            ("the seeds or numbers of schedules differ", Inputs { seed: Some(1), ..inputs.clone() }),
        ];
        for (why, other) in others {
            let refused = compared(&other).unwrap_err().to_string();
            assert!(refused.contains(&format!("one and two were graded with different inputs: {why}")), "{refused}");
        }
    }
}
