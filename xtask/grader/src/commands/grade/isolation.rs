//! How far a class is kept apart: as far as the machine can, but alike from the first answer to the last.

use std::path::Path;

use pipeline::error::{Error, Result};
use verdict::{Isolation, Tier};

use crate::class::ledger;
use crate::render::grading;
use crate::sandbox;

/// The isolation to grade with, if at least `required` is to be had. A record in `out` goes on with the tier that it began with.
///
/// # Errors
/// It is not to be had, or nobody can say what this machine has, or the record is broken.
pub(super) fn choose(out: &Path, required: Option<Tier>) -> Result<Isolation> {
    continued(ledger::began_with(out)?, sandbox::probe()?, required.unwrap_or(Tier::None), out)
}

fn continued(began: Option<Isolation>, here: Isolation, required: Tier, out: &Path) -> Result<Isolation> {
    if here.tier < required {
        return Err(Error::new(
            format!("this machine gives less isolation than is required: {}", grading::isolation(&here)),
            "Grade on a machine that has it, or require less with `--require-isolation`.",
        ));
    }
    match began {
        Some(began) if began.tier > here.tier => Err(Error::new(
            format!(
                "the record in {} began with more isolation ({}) than this machine gives: {}",
                out.display(),
                grading::tier(began.tier),
                grading::isolation(&here)
            ),
            "Go on with it on a machine that has it, or give another folder with `--out`.",
        )),
        // What is required by name is worth grading anew for.
        Some(began) if began.tier < here.tier && began.tier >= required => Ok(began),
        _ => Ok(here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(tier: Tier) -> Isolation {
        Isolation { tier, lacks: Vec::new() }
    }

    #[test]
    fn a_record_goes_on_with_the_tier_that_it_began_with() {
        let chosen = |began: Option<Tier>, here, required| {
            continued(began.map(with), with(here), required, Path::new("grades")).ok().map(|isolation| isolation.tier)
        };
        assert_eq!(chosen(None, Tier::Confined, Tier::None), Some(Tier::Confined), "the machine's own");
        assert_eq!(chosen(None, Tier::Limits, Tier::Confined), None, "less than is required");
        assert_eq!(chosen(Some(Tier::Limits), Tier::Isolated, Tier::None), Some(Tier::Limits));
        assert_eq!(chosen(Some(Tier::Isolated), Tier::Limits, Tier::None), None, "never with less");
        assert_eq!(chosen(Some(Tier::Limits), Tier::Isolated, Tier::Confined), Some(Tier::Isolated), "anew");
    }
}
