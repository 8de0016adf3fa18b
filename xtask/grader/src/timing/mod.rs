//! Timing: how long each approach of a kata takes, beside the reference solution in the same rounds, and beside its limit.
//!
//! Both subjects are living processes that take turns, so whatever slows the machine down slows both. Only `Bound`s and ratios
//! between them are judged, never seconds.

pub(crate) mod load;
pub(crate) mod machine;
pub(crate) mod plan;
pub(crate) mod rounds;
pub(crate) mod session;
pub(crate) mod statistics;

use pipeline::subject::Subject;
use pipeline::subject::catalog::Speed;
use serde::Serialize;
use verdict::SubjectVerdict;
use verdict::time::{Bound, Load};

use crate::timing::machine::Machine;
use crate::timing::rounds::{Item, Samples, Wrong};
use crate::timing::statistics::{Comparison, Spread};

/// What came of timing a subject: the document of `time --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Timed {
    /// The kata's name.
    pub(crate) kata: String,
    /// Whose answer it is.
    pub(crate) subject: String,
    /// The work in one line.
    pub(crate) about: String,
    /// How much work there was.
    pub(crate) load: Load,
    /// Where it ran.
    pub(crate) machine: Machine,
    /// One entry for each approach, in the order of the lesson; in a sweep one for each approach and number of workers.
    pub(crate) approaches: Vec<Measured>,
    /// Whether the number of workers was swept. Then there is no reference.
    pub(crate) sweep: bool,
    /// What the mock site can do, if there is one.
    pub(crate) site: Option<Ceiling>,
    /// Points for speed, where the kata's manifest gives some.
    pub(crate) speed: Vec<SpeedPoints>,
    /// What a reader must know to read the figures right.
    pub(crate) notes: Vec<String>,
}

/// Why a subject was not timed: the document of `time --json` then.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Refused {
    /// The kata's name.
    pub(crate) kata: String,
    /// Whose answer it is.
    pub(crate) subject: String,
    /// What is wrong with it.
    pub(crate) verdict: SubjectVerdict,
    /// The same in words.
    pub(crate) message: String,
}

/// One approach, measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measured {
    /// The approach's name.
    pub(crate) approach: String,
    /// How many workers it had, where that can be chosen.
    pub(crate) workers: Option<u32>,
    /// The subject's times.
    pub(crate) seconds: Spread,
    /// The reference's times in the same rounds.
    pub(crate) reference: Option<Spread>,
    /// The approach that this is another way for. Then it is compared with that one, and not with the reference.
    pub(crate) instead_of: Option<String>,
    /// The subject beside the reference, or this way beside the approach that it is another way for.
    pub(crate) comparison: Option<Comparison>,
    /// Seconds that no implementation of this approach can beat.
    pub(crate) limit: Option<f64>,
    /// How many times the limit the subject takes.
    pub(crate) of_limit: Option<f64>,
    /// Pieces of work in a second.
    pub(crate) per_second: Option<f64>,
}

/// What the mock site can do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ceiling {
    /// Requests in a second that it answers a client which costs nothing.
    pub(crate) per_second: f64,
    /// The share of it that the fastest approach has used.
    pub(crate) used: f64,
}

/// Points for speed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SpeedPoints {
    /// The approach.
    pub(crate) approach: String,
    /// How many times as long as the reference it may take.
    pub(crate) within: f64,
    /// What it gets; all of it as well when the machine is too noisy to tell.
    pub(crate) points: u32,
    /// What is to be had.
    pub(crate) of: u32,
}

impl Refused {
    /// A subject that is not right.
    pub(crate) fn because(subject: &Subject, verdict: SubjectVerdict, message: &str) -> Refused {
        let (kata, subject) = (subject.kata.name.clone(), subject.name.clone());
        Refused { kata, subject, verdict, message: message.to_string() }
    }

    /// A subject that passed its tests and failed while it was timed.
    pub(crate) fn wrong(subject: &Subject, wrong: &Wrong) -> Refused {
        let Wrong { approach, message } = wrong;
        let what =
            approach.as_ref().map_or_else(|| "The workload".to_string(), |name| format!("The approach `{name}`"));
        Refused::because(subject, SubjectVerdict::Failed, &format!("{what} failed while it was timed: {message}"))
    }
}

/// Samples as figures. Where a limit is a share of another approach's time, the reference's time counts: the limit is the
/// machine's, not the subject's.
pub(crate) fn measured(items: &[Item], samples: &[Samples], sweep: bool) -> Vec<Measured> {
    let spreads = samples.iter().map(|one| Spread::of(one.subject.clone()));
    let mut all: Vec<Measured> = Vec::new();
    for (place, ((item, one), seconds)) in items.iter().zip(samples).zip(spreads).enumerate() {
        let has_reference = !one.reference.is_empty();
        all.push(Measured {
            approach: item.approach.name.clone(),
            workers: item.approach.workers.map(|_| item.workers),
            reference: has_reference.then(|| Spread::of(one.reference.clone())),
            instead_of: item.approach.instead_of.clone(),
            comparison: (!sweep).then(|| rounds::compared(items, samples, place)).flatten(),
            limit: None,
            of_limit: None,
            per_second: item.approach.pieces.map(|pieces| pieces as f64 / seconds.median),
            seconds,
        });
    }
    for (place, item) in items.iter().enumerate() {
        let limit = match &item.limit {
            Bound::Nothing => None,
            Bound::Seconds(seconds) => Some(*seconds),
            Bound::Share { of, share } => all
                .iter()
                .find(|other| other.approach == *of)
                .map(|other| other.reference.as_ref().unwrap_or(&other.seconds).median * share),
        };
        all[place].limit = limit;
        all[place].of_limit = limit.map(|limit| all[place].seconds.median / limit);
    }
    all
}

/// The points for speed. They are lost only where it is beyond doubt that the subject is slower than it may be.
pub(crate) fn speed_points(speed: &[Speed], measured: &[Measured]) -> Vec<SpeedPoints> {
    let award = |one: &Speed| {
        let comparison = measured.iter().find(|other| other.approach == one.approach)?.comparison?;
        let lost = statistics::certainly_beyond(&comparison, one.within);
        let points = if lost { 0 } else { one.points };
        Some(SpeedPoints { approach: one.approach.clone(), within: one.within, points, of: one.points })
    };
    speed.iter().filter_map(award).collect()
}
