//! What is to be timed, and how it is done: build, start, measure, put the figures together.

use std::path::Path;
use std::sync::Arc;

use pipeline::error::{Error, Result};
use pipeline::judging::settings::{Purpose, Settings};
use pipeline::judging::{self, Prepared};
use pipeline::repository::Repository;
use pipeline::subject::catalog::{self, Kata, Workload};
use pipeline::subject::{self, Subject};
use verdict::SubjectVerdict;
use verdict::time::{Approach, Bound, Load, Setting};

use crate::timing::load::Sweep;
use crate::timing::machine::{self, Machine};
use crate::timing::rounds::{self, Item, Rounds, Session};
use crate::timing::session::Watch;
use crate::timing::{Ceiling, Refused, Timed, measured, speed_points};

/// What is to be timed.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The kata.
    pub(crate) kata: &'a Arc<Kata>,
    /// Its workload.
    pub(crate) workload: &'a Workload,
    /// Whose answer.
    pub(crate) subject: &'a Subject,
    /// The machine, before anything was built: building makes it busy, too.
    pub(crate) machine: Machine,
    /// How much work.
    pub(crate) load: Load,
    /// The numbers of workers to try, for time over workers.
    pub(crate) sweep: Option<Sweep>,
    /// The approaches; all that do not take too long if none is named.
    pub(crate) approaches: Vec<String>,
    /// How many rounds, if that is not to be found out.
    pub(crate) rounds: Option<u32>,
}

/// Rounds of a sweep. It shows a shape; it judges nobody.
const ROUNDS_OF_A_SWEEP: u32 = 3;
/// What takes longer than this at least, in seconds, is left out unless it is asked for.
const LONG: f64 = 20.0;
/// Beyond this share of what the mock site can do, it may be the site that is measured.
const NEAR: f64 = 0.7;

/// Builds the subject and the reference with the workload, measures them, and puts the figures together.
///
/// # Errors
/// The machine or the repository is not as it must be, the plan names an approach that does not exist, or Ctrl-C was pressed.
pub(crate) fn carry_out(
    repository: &Repository,
    plan: &Plan<'_>,
    watch: Watch<'_>,
) -> Result<std::result::Result<Timed, Refused>> {
    let machine = plan.machine;
    machine::make_room_for(most_workers(plan))?;
    let prepared = build(repository, plan, watch)?;
    let [subject, reference] = match binaries(plan, &prepared)? {
        Ok(binaries) => binaries,
        Err(refused) => return Ok(Err(refused)),
    };
    let programs = [(subject, plan.subject.name.as_str()), (reference, "the reference solution")];
    let mut session = match rounds::open(programs, plan.workload, &plan.load, watch)? {
        Ok(session) => session,
        Err(wrong) => return Ok(Err(Refused::wrong(plan.subject, &wrong))),
    };
    let mut notes = machine.notes();
    let items = items(&mut session, plan, &mut notes, watch)?;
    let rounds = match (&plan.sweep, plan.rounds) {
        (Some(_), rounds) => Rounds::Alone(rounds.unwrap_or(ROUNDS_OF_A_SWEEP)),
        (None, Some(rounds)) => Rounds::Exactly(rounds),
        (None, None) => Rounds::Enough(&plan.workload.speed),
    };
    let samples = match rounds::measure(&mut session, &items, rounds, watch)? {
        Ok(samples) => samples,
        Err(wrong) => return Ok(Err(Refused::wrong(plan.subject, &wrong))),
    };
    let approaches = measured(&items, &samples, plan.sweep.is_some());
    let highest = approaches.iter().filter_map(|one| one.per_second).fold(0.0, f64::max);
    let site = session.ceiling(watch)?.map(|per_second| Ceiling { per_second, used: highest / per_second });
    notes.extend(site.filter(|site| site.used > NEAR).map(|site| {
        let Ceiling { per_second, used } = site;
        let share = used * 100.0;
        format!("The mock site itself answers {per_second:.0} requests a second here, and the fastest approach asked for {share:.0} % of that: the site may be what was measured.")
    }));
    Ok(Ok(Timed {
        kata: plan.kata.name.clone(),
        subject: plan.subject.name.clone(),
        about: session.about.clone(),
        load: plan.load.clone(),
        machine,
        speed: speed_points(&plan.workload.speed, &approaches),
        approaches,
        sweep: plan.sweep.is_some(),
        site,
        notes,
    }))
}

/// Builds both, optimised. While what was built is held, no other command builds or checks: it would be heard.
fn build(repository: &Repository, plan: &Plan<'_>, watch: Watch<'_>) -> Result<Prepared> {
    let reference = Subject {
        // The subject may be the solution itself, and two staged crates can't have one name.
        id: format!("{}-reference", plan.kata.name),
        ..subject::solution(repository, plan.kata)
    };
    let label = format!("time-{}", plan.subject.id);
    let settings = Settings { purpose: Purpose::Workload, ..Settings::default() };
    let session = judging::Session { repository, settings: &settings, console: watch.console, cancel: watch.cancel };
    session.prepare(&label, vec![plan.subject.clone(), reference])
}

/// The two programs; or what is wrong with the subject's.
fn binaries<'a>(plan: &Plan<'_>, prepared: &'a Prepared) -> Result<std::result::Result<[&'a Path; 2], Refused>> {
    match judging::workloads(prepared)[..] {
        [Ok(subject), Ok(reference)] => Ok(Ok([subject, reference])),
        [Err(objections), Ok(_)] => {
            let words: Vec<&str> = objections.iter().map(|objection| objection.rendered.trim_end()).collect();
            let message = format!("It does not compile with the workload:\n{}", words.join("\n"));
            Ok(Err(Refused::because(plan.subject, SubjectVerdict::CompileError, &message)))
        }
        _ => Err(Error::new(
            "the reference solution does not compile with the workload",
            "`git status` shows what differs from the delivered repository.",
        )),
    }
}

/// What is measured: the approaches that the plan names, or all but those that would take very long; in a sweep each of them with
/// each number of workers.
fn items(session: &mut Session, plan: &Plan<'_>, notes: &mut Vec<String>, watch: Watch<'_>) -> Result<Vec<Item>> {
    let known = session.approaches.clone();
    if let Some(unknown) = plan.approaches.iter().find(|name| known.iter().all(|approach| approach.name != **name)) {
        let names: Vec<String> = known.iter().map(|approach| format!("`{}`", approach.name)).collect();
        let near = catalog::nearest(unknown, known.iter().map(|approach| approach.name.as_str()));
        let near = near.map_or_else(String::new, |near| format!("Did you mean `{near}`? "));
        return Err(Error::new(
            format!("`{}` has no approach `{unknown}`", plan.kata.name),
            format!("{near}There are {}.", names.join(", ")),
        ));
    }
    let mut items = Vec::new();
    for approach in known.iter().filter(|one| plan.approaches.is_empty() || plan.approaches.contains(&one.name)) {
        for workers in workers(approach, plan) {
            let item = session.item(approach, workers, watch)?;
            match item.limit {
                Bound::Seconds(seconds) if seconds > LONG && plan.approaches.is_empty() => {
                    notes.push(left_out(&item, seconds));
                }
                _ => items.push(item),
            }
        }
    }
    Ok(items)
}

fn left_out(item: &Item, seconds: f64) -> String {
    let Item { approach, workers, .. } = item;
    let name = &approach.name;
    let with = approach.workers.map_or_else(String::new, |_| format!(" with {workers} workers"));
    format!(
        "Left out: {name}{with}, which takes {seconds:.0} s a round at least. With --approach '{name}' it is timed."
    )
}

/// The numbers of workers to try an approach with.
fn workers(approach: &Approach, plan: &Plan<'_>) -> Vec<u32> {
    match (approach.workers, &plan.sweep) {
        (None, _) => vec![1],
        (Some(workers), None) => vec![workers],
        (Some(_), Some(sweep)) => sweep.workers.clone(),
    }
}

/// How many connections there may be at once, at most.
fn most_workers(plan: &Plan<'_>) -> u32 {
    let of_load = plan.load.get("in-flight").map_or(0, |setting| match setting {
        Setting::Number(number) => u32::try_from(*number).unwrap_or(u32::MAX),
        Setting::Word(_) => 0,
    });
    let of_sweep = plan.sweep.iter().flat_map(|sweep| sweep.workers.iter().copied()).max().unwrap_or(0);
    of_load.max(of_sweep)
}
