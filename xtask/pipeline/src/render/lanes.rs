//! What the pictures of a schedule show, worked out of its trace: one lane per thread, what it did, when it held which lock, when it was
//! blocked and on what, which step let which other one happen, and who waits for whom at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use verdict::{Did, Effect, Location, Step, Trace};

use crate::render::rows::{Length, Row, Shows, of_tools, rows};
use crate::render::schedule::{self, Sources, name};

/// A schedule, ready to be drawn.
#[derive(Debug, Serialize)]
pub struct Lanes {
    /// The threads' names, a lane each.
    pub threads: Vec<String>,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// The moment at which each thread was started. None for main, and for those that are never shown to start.
    pub born: Vec<Option<usize>>,
    /// The last moment of each thread that ended.
    pub ended: Vec<Option<usize>>,
    /// The locks, by the numbers that [`Lanes::held`] has.
    pub locks: Vec<Lock>,
    /// When threads held locks. The bars of a thread are in the order of their beginning.
    pub held: Vec<Bar>,
    /// When threads were blocked.
    pub blocked: Vec<Bar>,
    /// What let what happen.
    pub(crate) arrows: Vec<Arrow>,
    /// Who waits at the end, those that wait for each other first.
    pub waits: Vec<Wait>,
}

/// A row of the picture.
#[derive(Debug, Serialize)]
pub struct Moment {
    /// The lane. Also a remark has one: its text stands there.
    pub thread: usize,
    /// The step's number, from 1. None for a remark.
    pub number: Option<usize>,
    /// The file, as the trace names it; empty where no line is shown.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
    /// The place, as people read it: `lib.rs:68`.
    pub place: String,
    /// The line's text.
    pub source: String,
    /// How it went, in words; the words of a remark.
    pub effect: String,
    /// Whether the thread goes on no more for now: it waits, or it has panicked.
    pub stops: bool,
    /// The thread that was stopped for this one although it could have gone on.
    pub stopped: Option<String>,
    /// How every thread stands afterwards.
    pub threads: Vec<Standing>,
}

/// How a thread stands after a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// `not started`, `running`, `ready`, `waits for account#1`, `ended`.
    pub state: String,
    /// The locks it holds.
    pub holds: Vec<String>,
}

/// A lock that somebody held.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// Its name.
    pub name: String,
    /// `made at lib.rs:41`.
    pub origin: String,
}

/// Something lasted from one moment to another; to the end if it never ended.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// The lane.
    pub thread: usize,
    /// The moment at which it began.
    pub from: usize,
    /// The moment at which it ended.
    pub to: Option<usize>,
    /// Of a lock, its number.
    pub lock: Option<usize>,
}

/// One moment let another happen.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Arrow {
    /// The moment that made it possible.
    pub from: usize,
    /// The moment that was made possible.
    pub to: usize,
    /// `unlock`, `notify`, `send`, `join`, `unpark`; `missed` for a store that was not seen.
    pub why: &'static str,
}

/// Somebody waits at the end.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// Who.
    pub thread: usize,
    /// Whom it waits for.
    pub on: Vec<usize>,
    /// The whole sentence.
    pub sentence: String,
    /// Whether they wait for each other.
    pub(crate) in_circle: bool,
}

/// Works the picture out.
pub fn lanes(trace: &Trace, sources: &mut Sources, length: Length) -> Lanes {
    let rows = rows(trace, sources, length);
    let standings = standings(trace);
    let mut moments: Vec<Moment> = Vec::new();
    for row in &rows {
        let lane = moments.last().map_or(0, |before| before.thread);
        moments.push(moment(row, lane, standings[..row.steps.end].last()));
    }
    let (locks, held) = held(trace, &rows);
    Lanes {
        threads: trace.threads.iter().map(|thread| thread.name.clone()).collect(),
        born: (0..trace.threads.len()).map(|thread| born(trace, &rows, thread)).collect(),
        ended: (0..trace.threads.len()).map(|thread| ended(trace, &rows, thread)).collect(),
        locks,
        held,
        blocked: blocked(trace, &rows),
        arrows: arrows(trace, &rows),
        waits: waits(trace),
        moments,
    }
}

fn moment(row: &Row, lane: usize, threads: Option<&Vec<Standing>>) -> Moment {
    let threads = threads.cloned().unwrap_or_default();
    match &row.shows {
        Shows::Remark(words) => Moment {
            thread: lane,
            number: None,
            file: String::new(),
            line: 0,
            place: String::new(),
            source: String::new(),
            effect: words.clone(),
            stops: false,
            stopped: None,
            threads,
        },
        Shows::Line(line) => Moment {
            thread: line.thread,
            number: Some(row.steps.start + 1),
            file: line.at.as_ref().map_or(String::new(), |at| at.file.clone()),
            line: line.at.as_ref().map_or(0, |at| at.line),
            place: line.at.as_ref().map_or(String::new(), Location::to_string),
            source: line.source.clone(),
            effect: line.effect(|told| &told.words, "; "),
            stops: line.effects.last().is_some_and(|told| told.stops),
            stopped: line.stopped.clone(),
            threads,
        },
    }
}

/// The row of a step, or the last one before it where the step itself is not shown.
fn row_of(rows: &[Row], step: usize) -> usize {
    rows.partition_point(|row| row.steps.start <= step).saturating_sub(1)
}

/// The row that shows this very step.
fn row_with(trace: &Trace, rows: &[Row], step: usize) -> Option<usize> {
    let row = row_of(rows, step);
    let shown = rows.get(row)?.steps.contains(&step) && rows[row].line()?.thread == trace.steps[step].thread;
    shown.then_some(row)
}

/// How many steps the rows stand for.
fn shown(rows: &[Row]) -> usize {
    rows.last().map_or(0, |row| row.steps.end)
}

fn born(trace: &Trace, rows: &[Row], thread: usize) -> Option<usize> {
    let starts =
        |step: &Step| step.operation == Did::Spawn && step.other == Some(thread) && step.effect == Effect::Done;
    let step = trace.steps[..shown(rows)].iter().position(starts)?;
    Some(row_of(rows, step))
}

fn ended(trace: &Trace, rows: &[Row], thread: usize) -> Option<usize> {
    if trace.waiting.iter().any(|waiting| waiting.thread == thread) {
        return None;
    }
    let last = trace.steps.iter().rposition(|step| step.thread == thread)?;
    (last < shown(rows)).then(|| row_of(rows, last))
}

/// The locks that were held for longer than a row, and when.
fn held(trace: &Trace, rows: &[Row]) -> (Vec<Lock>, Vec<Bar>) {
    let mut bars: Vec<(usize, Bar)> = Vec::new();
    // The bars that have not ended, by thread and lock.
    let mut open: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let of_tools = of_tools(trace);
    for (number, step) in trace.steps[..shown(rows)].iter().enumerate() {
        let row = row_of(rows, number);
        let given_back: Vec<(usize, usize)> = open
            .keys()
            .filter(|(thread, lock)| *thread == step.thread && !step.holds.contains(lock))
            .copied()
            .collect();
        for key in given_back {
            let bar = open.remove(&key).expect("it is one of its keys");
            bars[bar].1.to = Some(row);
        }
        for lock in step.holds.iter().copied().filter(|lock| !of_tools.contains(lock)) {
            open.entry((step.thread, lock)).or_insert_with(|| {
                bars.push((lock, Bar { thread: step.thread, from: row, to: None, lock: None }));
                bars.len() - 1
            });
        }
    }
    bars.retain(|(_, bar)| bar.to != Some(bar.from));
    let numbers: BTreeSet<usize> = bars.iter().map(|(object, _)| *object).collect();
    let lock = |object: &usize| Lock {
        name: trace.objects[*object].name.clone(),
        origin: schedule::origin(&trace.objects[*object]),
    };
    let locks = numbers.iter().map(lock).collect();
    let number = |object| numbers.iter().position(|one| *one == object);
    (locks, bars.into_iter().map(|(object, bar)| Bar { lock: number(object), ..bar }).collect())
}

fn blocked(trace: &Trace, rows: &[Row]) -> Vec<Bar> {
    let steps = trace.steps[..shown(rows)].iter().enumerate();
    let bars = steps.filter(|(_, step)| step.effect == Effect::Blocks).map(|(from, step)| {
        let next = next_of(trace, step.thread, from).filter(|next| *next < shown(rows));
        Bar { thread: step.thread, from: row_of(rows, from), to: next.map(|to| row_of(rows, to)), lock: None }
    });
    bars.filter(|bar| bar.to != Some(bar.from)).collect()
}

/// The next step of a thread after that one.
fn next_of(trace: &Trace, thread: usize, after: usize) -> Option<usize> {
    (after + 1..trace.steps.len()).find(|number| trace.steps[*number].thread == thread)
}

fn awaited(trace: &Trace, step: &Step) -> String {
    match (step.object, step.other) {
        (Some(object), _) => trace.objects[object].name.clone(),
        (None, Some(other)) => format!("{} to end", trace.threads[other].name),
        (None, None) => step.operation.to_string(),
    }
}

/// Which moment made which other one possible. An arrow joins two threads, never one with itself.
fn arrows(trace: &Trace, rows: &[Row]) -> Vec<Arrow> {
    let arrow = |(from, to, why): (usize, usize, &'static str)| {
        let (from, to) = (row_with(trace, rows, from)?, row_with(trace, rows, to)?);
        (from < to).then_some(Arrow { from, to, why })
    };
    let mut arrows: Vec<Arrow> = causes(&trace.steps[..shown(rows)]).into_iter().filter_map(arrow).collect();
    arrows.sort_by_key(|arrow| (arrow.from, arrow.to));
    arrows.dedup_by_key(|arrow| (arrow.from, arrow.to));
    arrows
}

/// Which step made which other one possible, and how.
fn causes(steps: &[Step]) -> Vec<(usize, usize, &'static str)> {
    let mut causes = Vec::new();
    // What was offered last, by what it was offered to: a lock that is free, a notification, the messages in a channel.
    let mut freed: BTreeMap<usize, usize> = BTreeMap::new();
    // Who waits at a condition variable, in the order of coming, and which step woke whom.
    let mut sleepers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut woken: BTreeMap<usize, usize> = BTreeMap::new();
    let mut sent: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut unparked: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        let cause = match (&step.operation, step.effect, step.object, step.other) {
            (Did::Join, Effect::Done, _, Some(child)) => {
                (0..number).rev().find(|before| steps[*before].thread == child).map(|from| (from, "join"))
            }
            (Did::Unlock, _, Some(object), _) => {
                freed.insert(object, number);
                None
            }
            (Did::NotifyOne | Did::NotifyAll, _, Some(object), _) => {
                let asleep = sleepers.entry(object).or_default();
                if step.effect == Effect::Spurious
                    && let Some(last) = asleep.pop()
                {
                    // Out of turn: the one that came last.
                    asleep.insert(0, last);
                }
                let many = step.value.as_ref().and_then(|value| value.strip_prefix("woke ")?.parse().ok());
                woken.extend(asleep.drain(..many.unwrap_or(asleep.len()).min(asleep.len())).map(|one| (one, number)));
                None
            }
            (Did::Wait | Did::WaitTimeout, Effect::Blocks, Some(object), _) => {
                sleepers.entry(object).or_default().push(step.thread);
                None
            }
            (Did::Wait | Did::WaitTimeout, _, Some(object), _) => {
                sleepers.entry(object).or_default().retain(|sleeper| *sleeper != step.thread);
                woken.remove(&step.thread).filter(|_| step.effect == Effect::Done).map(|from| (from, "notify"))
            }
            (Did::Send | Did::TrySend, Effect::Done, Some(object), _) => {
                sent.entry(object).or_default().push(number);
                None
            }
            (Did::Recv | Did::TryRecv | Did::RecvTimeout, Effect::Done, Some(object), _) => {
                sent.get_mut(&object).filter(|waiting| !waiting.is_empty()).map(|waiting| (waiting.remove(0), "send"))
            }
            (Did::Unpark, _, _, Some(parked)) => {
                unparked.insert(parked, number);
                None
            }
            (Did::Park | Did::ParkTimeout, Effect::Done, ..) => {
                unparked.remove(&step.thread).map(|from| (from, "unpark"))
            }
            (Did::Lock | Did::Read | Did::Write, Effect::Done, Some(object), _) if was_blocked(steps, number) => {
                freed.get(&object).map(|from| (*from, "unlock"))
            }
            _ => step.missed.as_ref().and_then(|missed| Some((missed.step?, "missed"))),
        };
        let between = cause.filter(|(from, _)| *from < number && steps[*from].thread != step.thread);
        causes.extend(between.map(|(from, why)| (from, number, why)));
    }
    causes
}

/// Whether the thread was blocked before this step.
fn was_blocked(steps: &[Step], number: usize) -> bool {
    let before = steps[..number].iter().rev().find(|step| step.thread == steps[number].thread);
    before.is_some_and(|step| step.effect == Effect::Blocks)
}

/// Who waits at the end and for whom: those that wait for each other first.
fn waits(trace: &Trace) -> Vec<Wait> {
    let on = |thread: usize| {
        let waiting = trace.waiting.iter().find(|waiting| waiting.thread == thread);
        waiting.and_then(|waiting| waiting.waits_for.as_ref()).map_or(&[][..], |waits_for| &waits_for.on)
    };
    let in_circle = |start: usize| {
        let (mut seen, mut open) = (BTreeSet::new(), on(start).to_vec());
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(on(next));
            }
        }
        seen.contains(&start)
    };
    let sentence = |waiting: &verdict::Waiting| {
        let waits_for = waiting.waits_for.as_ref().filter(|waits_for| waits_for.operation != Did::Rest)?;
        let sentence = format!("{} waits for {}", name(trace, waiting.thread), schedule::wait(trace, waits_for));
        let thread = waiting.thread;
        let on = waits_for.on.iter().copied().filter(|on| *on < trace.threads.len()).collect();
        Some(Wait { thread, on, sentence, in_circle: in_circle(thread) })
    };
    let mut waits: Vec<Wait> = trace.waiting.iter().filter_map(sentence).collect();
    waits.sort_by_key(|wait| !wait.in_circle);
    waits
}

/// How every thread stands after each step.
pub(crate) fn standings(trace: &Trace) -> Vec<Vec<Standing>> {
    let last: Vec<Option<usize>> =
        (0..trace.threads.len()).map(|thread| trace.steps.iter().rposition(|step| step.thread == thread)).collect();
    let still_there = |thread: usize| trace.waiting.iter().any(|waiting| waiting.thread == thread);
    let mut now: Vec<Standing> =
        trace.threads.iter().map(|_| Standing { state: "not started".to_string(), holds: Vec::new() }).collect();
    if let Some(main) = now.first_mut() {
        main.state = "ready".to_string();
    }
    let mut all = Vec::new();
    for (number, step) in trace.steps.iter().enumerate() {
        for standing in &mut now {
            if standing.state == "running" {
                standing.state = "ready".to_string();
            }
        }
        if let (Did::Spawn, Some(child)) = (&step.operation, step.other) {
            now[child].state = "ready".to_string();
        }
        let ended = last[step.thread] == Some(number) && !still_there(step.thread);
        now[step.thread] = Standing {
            state: match step.effect {
                Effect::Blocks if step.operation == Did::Rest => "ready".to_string(),
                Effect::Blocks => format!("waits for {}", awaited(trace, step)),
                _ if ended => "ended".to_string(),
                _ => "running".to_string(),
            },
            holds: step.holds.iter().map(|object| trace.objects[*object].name.clone()).collect(),
        };
        all.push(now.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::abba;

    fn drawn(trace: &Trace) -> Lanes {
        lanes(trace, &mut Sources::given(BTreeMap::new()), Length::Whole)
    }

    #[test]
    fn who_is_blocked_and_until_when() {
        let mut trace = abba();
        let to_the_end = Bar { thread: 1, from: 3, to: None, lock: None };
        assert_eq!(drawn(&trace).blocked[0], to_the_end);
        // Had it gone on, the hatching would end there.
        trace.steps.push(Step { effect: Effect::Done, ..trace.steps[3].clone() });
        assert_eq!(drawn(&trace).blocked[0], Bar { to: Some(5), ..to_the_end });
    }

    #[test]
    fn a_lock_is_held_from_taking_to_giving_back() {
        let mut trace = abba();
        let bar = |thread, from, to, lock| Bar { thread, from, to, lock: Some(lock) };
        assert_eq!(drawn(&trace).held, [bar(0, 1, None, 0), bar(1, 2, None, 1)]);
        trace.steps.push(Step { operation: Did::Unlock, holds: Vec::new(), ..trace.steps[1].clone() });
        trace.steps.push(trace.steps[0].clone());
        assert_eq!(drawn(&trace).held[0], bar(0, 1, Some(5), 0));
    }

    #[test]
    fn arrows_lead_from_cause_to_effect() {
        let mut trace = abba();
        assert_eq!(drawn(&trace).arrows, []);
        assert_eq!(drawn(&trace).born, [None, Some(0)]);
        // main frees the lock that back is blocked on, and back takes it.
        trace.steps[4] = Step { operation: Did::Unlock, effect: Effect::Done, ..trace.steps[1].clone() };
        trace.steps.push(Step { effect: Effect::Done, ..trace.steps[3].clone() });
        assert_eq!(drawn(&trace).arrows, [Arrow { from: 4, to: 5, why: "unlock" }]);
    }

    #[test]
    fn a_notification_leads_to_whom_it_woke() {
        let mut trace = abba();
        let step = |thread, operation: &str, effect, value: Option<&str>| Step {
            thread,
            operation: Did::from(operation),
            effect,
            value: value.map(str::to_string),
            ..trace.steps[1].clone()
        };
        trace.steps = vec![
            step(1, "wait", Effect::Blocks, None),
            step(2, "wait", Effect::Blocks, None),
            step(0, "notify_one", Effect::Done, Some("woke 1")),
            step(0, "notify_one", Effect::Done, Some("woke 1")),
            step(0, "notify_one", Effect::Done, Some("woke 0")),
            step(2, "wait", Effect::Done, None),
            step(1, "wait", Effect::Done, None),
        ];
        trace.steps.iter_mut().enumerate().for_each(|(number, step)| step.at.line = number as u32 + 1);
        trace.threads.push(verdict::TracedThread { name: "third".to_string() });
        let arrow = |from, to| Arrow { from, to, why: "notify" };
        assert_eq!(drawn(&trace).arrows, [arrow(2, 6), arrow(3, 5)], "whoever came first is woken first");
        trace.steps[2].effect = Effect::Spurious;
        assert_eq!(drawn(&trace).arrows, [arrow(2, 5), arrow(3, 6)], "out of turn, whoever came last is woken first");
    }

    #[test]
    fn those_that_wait_for_each_other_are_a_circle() {
        let mut trace = abba();
        let on_the_side = verdict::Waiting { thread: 0, ..trace.waiting[0].clone() };
        assert!(drawn(&trace).waits.iter().all(|wait| wait.in_circle));
        trace.threads.push(verdict::TracedThread { name: "third".to_string() });
        trace.waiting.insert(0, verdict::Waiting { thread: 2, ..on_the_side });
        let waits = drawn(&trace).waits;
        assert_eq!(
            waits.iter().map(|wait| (wait.thread, wait.in_circle)).collect::<Vec<_>>(),
            [(0, true), (1, true), (2, false)]
        );
    }

    #[test]
    fn what_comes_after_the_panic_is_left_out() {
        let mut trace = abba();
        trace.panicked = Some(2);
        assert_eq!(drawn(&trace).moments.len(), 3);
    }

    #[test]
    fn after_each_step_it_is_known_how_every_thread_stands() {
        let standings = standings(&abba());
        let (main, back) = (&standings[4][0], &standings[4][1]);
        assert_eq!(
            (main.state.as_str(), main.holds.as_slice()),
            ("waits for account#2", ["account#1".to_string()].as_slice())
        );
        assert_eq!(
            (back.state.as_str(), back.holds.as_slice()),
            ("waits for account#1", ["account#2".to_string()].as_slice())
        );
        assert_eq!(standings[0][1].state, "ready");
    }
}
