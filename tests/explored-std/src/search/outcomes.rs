//! Every schedule of a small program, counted by how it ends: for tests of the search itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Body;
use super::config::Config;
use super::plan::{coarse, new_runner};
use super::preemptions::Preemptions;
use super::reduction::Reduction;
use super::runner::{Again, Ran, Runner};
use verdict::schedule::{Manner, Schedule};

use crate::engine::grain::Grain;
use crate::engine::operation::Choice;

/// Runs every schedule, failing or not, and counts how they end. Nothing if there are more than the budget allows.
pub(crate) fn every_outcome(
    config: &Config,
    body: Body,
    reduced: bool,
    grain: Grain,
    log: &dyn Fn() -> String,
) -> Option<BTreeMap<String, u64>> {
    let mut runner = new_runner(config, body);
    let begins = config.replay.as_deref().map(|text| text.parse::<Schedule>().expect("a schedule"));
    let alone = if grain == Grain::Coarse { coarse(Manner::default()) } else { Manner::default() };
    let mut manner = begins.as_ref().map_or(alone, |schedule| schedule.manner);
    let beginning = begins.map_or(Vec::new(), |schedule| schedule.choices);
    loop {
        runner.set(manner);
        let count = |ran: &Ran, outcomes: &mut BTreeMap<String, u64>| {
            let end = ran.failure.as_ref().map_or("passed".to_string(), |failure| failure.message.clone());
            *outcomes.entry(format!("{} {end}", log())).or_default() += 1;
        };
        let found = if reduced {
            every_reduced(&mut runner, config.schedules, &beginning, count)
        } else {
            every_plain(&mut runner, config.schedules, &beginning, count)
        };
        match found {
            Ok(outcomes) => return outcomes,
            // In another way of running, the beginning would have other choices.
            Err(again) if !beginning.is_empty() && again != Again::Crowded => return None,
            Err(Again::Looked) => manner.observed = true,
            Err(Again::Closer) => manner.detailed = true,
            Err(Again::Weaker) => manner.weak = true,
            // The runner keeps that in mind.
            Err(Again::Crowded | Again::Hidden) => {}
            Err(Again::TooLong) => manner = coarse(manner),
        }
    }
}

type Outcomes = BTreeMap<String, u64>;

fn every_reduced(
    runner: &mut Runner,
    schedules: u64,
    beginning: &[Choice],
    count: impl Fn(&Ran, &mut Outcomes),
) -> Result<Option<Outcomes>, Again> {
    let mut outcomes = BTreeMap::new();
    let strategy = Rc::new(RefCell::new(Reduction::from(beginning)));
    for _ in 0..schedules {
        if !strategy.borrow_mut().next() {
            return Ok(Some(outcomes));
        }
        let ran = runner.run_reduced(&strategy);
        if let Some(again) = ran.again {
            return Err(again);
        }
        let mut nothing = BTreeMap::new();
        count(&ran, if strategy.borrow().is_redundant() { &mut nothing } else { &mut outcomes });
    }
    Ok(None)
}

fn every_plain(
    runner: &mut Runner,
    schedules: u64,
    beginning: &[Choice],
    count: impl Fn(&Ran, &mut Outcomes),
) -> Result<Option<Outcomes>, Again> {
    let mut outcomes = BTreeMap::new();
    let strategy = Rc::new(RefCell::new(Preemptions::from(beginning)));
    for left in (1..=schedules).rev() {
        // That there are more is mostly known long before so many were run.
        if strategy.borrow().known() as u64 > left {
            return Ok(None);
        }
        if ({ strategy.borrow_mut().next(u64::MAX) }).is_none() {
            return Ok(Some(outcomes));
        }
        let ran = runner.run(&strategy);
        if let Some(again) = ran.again {
            return Err(again);
        }
        count(&ran, &mut outcomes);
        strategy.borrow_mut().finish_run(false);
    }
    Ok(None)
}
