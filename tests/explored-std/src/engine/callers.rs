//! Which line of the learner's tells most: where a helper takes a lock, it is the line that called the helper.
//!
//! `#[track_caller]` ends where a function of the learner's begins, and where std calls the model (`Arc::<Mutex<_>>::default()`) it
//! ends in std. The stack knows more. It is looked at only in the run that makes a trace.

use std::backtrace::Backtrace;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use verdict::Location;
use verdict::stack::{Frame, is_of_std};

use super::operation::ThreadIndex;

/// So many stacks are kept in a schedule. Longer ones are loops, whose helpers nobody reads one by one.
const MOST: usize = 400;

/// The stacks of a schedule's steps, not yet looked at.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    taken: usize,
    /// How many are kept at most.
    most: usize,
    /// Where each thread announced its operation: another one may be running when that is done.
    announced: BTreeMap<ThreadIndex, Rc<Backtrace>>,
}

impl Stacks {
    /// Those of a schedule, or none of them.
    pub(crate) fn new(kept: bool) -> Stacks {
        Stacks { most: if kept { MOST } else { 0 }, ..Stacks::default() }
    }

    /// Keeps the stack of the thread that runs now.
    pub(crate) fn take(&mut self, thread: ThreadIndex) {
        self.taken += 1;
        if self.taken > self.most {
            self.announced.remove(&thread);
        } else {
            self.announced.insert(thread, Rc::new(Backtrace::force_capture()));
        }
    }

    /// The stack on which a thread announced its last operation.
    pub(crate) fn of(&self, thread: ThreadIndex) -> Option<Rc<Backtrace>> {
        self.announced.get(&thread).map(Rc::clone)
    }

    /// Whether every step's stack was kept.
    pub(crate) fn are_whole(&self) -> bool {
        self.taken <= self.most
    }
}

/// Whether a file is std's or a model's own.
pub(crate) fn is_foreign(file: &str) -> bool {
    let models = file!().strip_suffix("src/engine/callers.rs").unwrap_or("tests/explored-std/");
    let of_a_model = file.strip_prefix(models).is_some_and(|rest| !rest.starts_with("tests/"));
    of_a_model || is_of_std(file)
}

/// Takes the folder from the files of calls that the compiler named files by: a stack has whole paths, and a place has not.
pub(crate) fn name_as_the_steps_do<'a>(stacks: &mut [Vec<Frame>], places: impl Iterator<Item = &'a Location>) {
    let root = |(frames, at): (&Vec<Frame>, &Location)| {
        let same_line = frames.iter().filter(|frame| frame.at.line == at.line);
        let mut roots = same_line.filter_map(|frame| frame.at.file.strip_suffix(&at.file));
        roots.find(|root| root.ends_with(['/', '\\'])).map(str::to_string)
    };
    let Some(root) = stacks.iter().zip(places).find_map(root) else { return };
    for frame in stacks.iter_mut().flatten() {
        if let Some(below) = frame.at.file.strip_prefix(&root) {
            frame.at.file = below.to_string();
        }
    }
}

/// The calls in the sources that a place belongs to, from the place outwards. Of what is given back, which has the place where it was
/// taken, they begin where that happens: at the end of a block, say.
pub(crate) fn chain(frames: &[Frame], at: &Location) -> Vec<Frame> {
    let folder = |folder: &str| Some(&at.file[..at.file.rfind(folder)? + folder.len()]);
    let Some(sources) = folder("src/").or_else(|| folder("tests/")) else { return Vec::new() };
    let own = frames.iter().filter(|frame| !is_foreign(&frame.at.file));
    // Behind the first call from elsewhere, a test tool's, say, is another story.
    own.take_while(|frame| frame.at.file.starts_with(sources)).cloned().collect()
}

/// For each chain of calls, and the place that its step has, the place that tells most. A function in which all that happens does so on
/// one line is a helper: where it was called tells more, if that is in the same sources.
pub(crate) fn telling<'a>(chains: &[Vec<Frame>], places: impl Iterator<Item = &'a Location>) -> Vec<Option<Location>> {
    let mut lines: BTreeMap<&str, BTreeSet<(&str, u32)>> = BTreeMap::new();
    for frame in chains.iter().flatten() {
        lines.entry(&frame.function).or_default().insert((&frame.at.file, frame.at.line));
    }
    let told = |(chain, at): (&Vec<Frame>, &Location)| {
        let (here, caller) = (chain.first()?, chain.get(1));
        // Where something is given back tells enough.
        let is_taken_here = (&here.at.file, here.at.line) == (&at.file, at.line);
        let is_helper = is_taken_here && lines[&here.function[..]].len() == 1;
        Some(caller.filter(|_| is_helper).unwrap_or(here).at.clone())
    };
    chains.iter().zip(places).map(told).collect()
}
