//! Rounds: every approach once by the subject and once by the reference, close together, in alternating order. What disturbs the
//! machine for longer than a run disturbs both.

use std::path::Path;
use std::time::{Duration, Instant};

use pipeline::console::Event;
use pipeline::error::{Error, Result};
use pipeline::scratch::Scratch;
use pipeline::subject::catalog::{Speed, Workload};
use verdict::time::{Approach, Bound, Load, Reply, Task};

use crate::timing::session::{PROMPT, Program, Watch};
use crate::timing::statistics::{self, Comparison, Pace};

/// So many rounds are enough for an interval of 95 % (the outermost of six ratios).
const LEAST: u32 = 6;
/// If so many are too noisy to tell, more will hardly help.
const MOST: u32 = 30;
/// Nor will waiting for longer than this.
const PATIENCE: Duration = Duration::from_secs(90);

/// Subject and reference, ready to be asked, and the site that they both use.
pub(crate) struct Session {
    subject: Program,
    reference: Program,
    site: Option<Program>,
    /// The work in one line.
    pub(crate) about: String,
    /// The ways to do it.
    pub(crate) approaches: Vec<Approach>,
    _folder: Scratch,
}

/// One approach with so many workers.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The approach.
    pub(crate) approach: Approach,
    /// Its workers.
    pub(crate) workers: u32,
    /// What limits it.
    pub(crate) limit: Bound,
}

/// Seconds of an item by round. The reference's list is empty if it did not take part: in a sweep, and where an approach is
/// compared with another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    /// The subject's.
    pub(crate) subject: Vec<f64>,
    /// The reference's.
    pub(crate) reference: Vec<f64>,
}

/// The subject's answer was wrong after all, or it never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The approach that failed, unless it was all of them.
    pub(crate) approach: Option<String>,
    /// What happened.
    pub(crate) message: String,
}

/// What the subject does with it: figures, or a wrong answer.
pub(crate) type Outcome<T> = std::result::Result<T, Wrong>;

/// How many rounds there are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rounds<'a> {
    /// So many, with the reference.
    Exactly(u32),
    /// As many as it takes, with the reference, to say how fast the subject is, and whether it gets these points.
    Enough(&'a [Speed]),
    /// So many, of the subject alone.
    Alone(u32),
}

/// Starts the two workloads, and the site if the kata needs one. The site is a process of its own (the reference's program in
/// another role), so that it takes no time from either client's threads.
///
/// # Errors
/// A process can't be started, a debugger is attached, or the reference's own workload fails.
pub(crate) fn open(
    [subject, reference]: [(&Path, &str); 2],
    workload: &Workload,
    load: &Load,
    watch: Watch<'_>,
) -> Result<Outcome<Session>> {
    let folder = Scratch::new()?;
    let start = |(binary, name): (&Path, &str)| Program::start(binary, folder.path(), name);
    let mut site = workload.site.then(|| start((reference.0, "the mock site"))).transpose()?;
    let address = match &mut site {
        None => None,
        Some(site) => match site.ask(Task::Serve { load: load.clone() }, PROMPT, watch)? {
            Ok(Reply::Serving { site }) => Some(site),
            Ok(other) => return Err(ours(&format!("the mock site answered {other:?}"))),
            Err(message) => return Err(ours(&message)),
        },
    };
    let (mut subject, mut reference) = (start(subject)?, start(reference)?);
    let describe = Task::Describe { load: load.clone(), site: address };
    let (about, approaches) = match reference.ask(describe.clone(), PROMPT, watch)? {
        Ok(Reply::Described { about, approaches }) => (about, approaches),
        Ok(other) => return Err(ours(&format!("the reference answered {other:?}"))),
        Err(message) => return Err(ours(&message)),
    };
    if let Err(message) = subject.ask(describe, PROMPT, watch)? {
        return Ok(Err(Wrong { approach: None, message }));
    }
    Ok(Ok(Session { subject, reference, site, about, approaches, _folder: folder }))
}

impl Session {
    /// An approach with so many workers, and what limits it.
    ///
    /// # Errors
    /// The reference's workload fails.
    pub(crate) fn item(&mut self, approach: &Approach, workers: u32, watch: Watch<'_>) -> Result<Item> {
        let task = Task::Limit { approach: approach.name.clone(), workers };
        match self.reference.ask(task, PROMPT, watch)? {
            Ok(Reply::Limited { limit }) => Ok(Item { approach: approach.clone(), workers, limit }),
            Ok(other) => Err(ours(&format!("the reference answered {other:?}"))),
            Err(message) => Err(ours(&message)),
        }
    }

    /// How many requests in a second the site answers at all; nothing without a site.
    ///
    /// # Errors
    /// The site does not answer.
    pub(crate) fn ceiling(&mut self, watch: Watch<'_>) -> Result<Option<f64>> {
        if self.site.is_none() {
            return Ok(None);
        }
        match self.reference.ask(Task::Ceiling, PROMPT, watch)? {
            Ok(Reply::Ceiling { per_second }) => Ok(Some(per_second)),
            Ok(other) => Err(ours(&format!("the reference answered {other:?}"))),
            Err(message) => Err(ours(&message)),
        }
    }
}

/// Measures the items: a round to warm up, which is not counted, then the others.
///
/// # Errors
/// Ctrl-C was pressed, a debugger was attached meanwhile, or the reference itself fails.
pub(crate) fn measure(
    session: &mut Session,
    items: &[Item],
    rounds: Rounds<'_>,
    watch: Watch<'_>,
) -> Result<Outcome<Vec<Samples>>> {
    let mut samples = vec![Samples::default(); items.len()];
    let began = Instant::now();
    for round in 0.. {
        let is_unsure = |place: &usize| is_open(rounds, round, items, &samples, *place);
        let unsure: Vec<usize> = (0..items.len()).filter(is_unsure).collect();
        // Whom others are compared with stays as long as they do.
        let needed = |place: &usize| unsure.iter().any(|other| other == place || base(items, *other) == Some(*place));
        let open: Vec<usize> = (0..items.len()).filter(needed).collect();
        let late = round > LEAST && matches!(rounds, Rounds::Enough(_)) && began.elapsed() > PATIENCE;
        if open.is_empty() || late {
            break;
        }
        // One may have been attached since the start.
        session.subject.refuse_debugger()?;
        session.reference.refuse_debugger()?;
        for place in open {
            let approach = &items[place].approach.name;
            watch.console.happened(Event::Timing { round: &in_words(round), approach });
            // The one that goes first alternates from round to round, and from approach to approach.
            let subject_first = (round as usize + place).is_multiple_of(2);
            for subjects_turn in [subject_first, !subject_first] {
                let alone = matches!(rounds, Rounds::Alone(_)) || items[place].approach.instead_of.is_some();
                if !subjects_turn && alone {
                    continue;
                }
                match run(session, subjects_turn, &items[place], round, watch)? {
                    Err(wrong) => return Ok(Err(wrong)),
                    Ok(_) if round == 0 => {}
                    Ok(seconds) if subjects_turn => samples[place].subject.push(seconds),
                    Ok(seconds) => samples[place].reference.push(seconds),
                }
            }
        }
    }
    Ok(Ok(samples))
}

fn in_words(round: u32) -> String {
    if round == 0 { "warming up".to_string() } else { format!("round {round}") }
}

/// The place of the item with which this one is compared instead of with the reference.
fn base(items: &[Item], place: usize) -> Option<usize> {
    let name = items[place].approach.instead_of.as_ref()?;
    items.iter().position(|item| item.approach.name == *name)
}

/// How the item compares with the reference, or with the approach that it is another way for. Nothing if neither took part.
pub(crate) fn compared(items: &[Item], samples: &[Samples], place: usize) -> Option<Comparison> {
    let other = match &items[place].approach.instead_of {
        None => &samples[place].reference,
        Some(_) => &samples[base(items, place)?].subject,
    };
    (!other.is_empty()).then(|| statistics::compare(&samples[place].subject, other))
}

/// Whether more rounds are needed to say something of this item.
fn is_open(rounds: Rounds<'_>, round: u32, items: &[Item], samples: &[Samples], place: usize) -> bool {
    match rounds {
        Rounds::Exactly(rounds) | Rounds::Alone(rounds) => round <= rounds,
        Rounds::Enough(_) if round <= LEAST => true,
        Rounds::Enough(speed) => {
            let Some(comparison) = compared(items, samples, place) else { return false };
            let mut of_this = speed.iter().filter(|one| one.approach == items[place].approach.name);
            let unsure = comparison.verdict == Pace::TooNoisy
                || of_this.any(|one| statistics::undecided(&comparison, one.within));
            round <= MOST && unsure
        }
    }
}

/// Does the work once.
fn run(session: &mut Session, subjects_turn: bool, item: &Item, round: u32, watch: Watch<'_>) -> Result<Outcome<f64>> {
    let task = Task::Run { approach: item.approach.name.clone(), workers: item.workers, round };
    let expected = if let Bound::Seconds(seconds) = item.limit { seconds } else { 0.0 };
    let patience = PROMPT + Duration::from_secs_f64(expected * 10.0);
    let program = if subjects_turn { &mut session.subject } else { &mut session.reference };
    match program.ask(task, patience, watch)? {
        Ok(Reply::Ran { seconds }) => Ok(Ok(seconds)),
        Ok(other) => Err(ours(&format!("the workload of {} answered {other:?}", program.name()))),
        Err(message) if subjects_turn => Ok(Err(Wrong { approach: Some(item.approach.name.clone()), message })),
        Err(message) => Err(ours(&message)),
    }
}

/// Something that is no fault of the subject's.
fn ours(message: &str) -> Error {
    Error::new(
        format!("the reference could not be timed: {message}"),
        "That is not your fault. Try a smaller load; `git status` shows what differs from the delivered repository.",
    )
}
