//! What the pictures of a schedule show, worked out of its trace: a lane a thread, when it was blocked and on what, and which
//! step let which other one happen.

use std::collections::BTreeMap;

use serde::Serialize;
use verdict::{Effect, Step, Trace};

use crate::render::schedule::{Sources, effect, note_of_last};

/// A schedule, ready to be drawn.
#[derive(Debug, Serialize)]
pub(crate) struct Lanes {
    /// The threads' names, a lane each.
    pub(crate) threads: Vec<String>,
    /// The steps, in order.
    pub(crate) steps: Vec<Moment>,
    /// Where threads were blocked.
    pub(crate) blocked: Vec<Blocked>,
    /// What let what happen.
    pub(crate) arrows: Vec<Arrow>,
}

/// One step.
#[derive(Debug, Serialize)]
pub(crate) struct Moment {
    /// The lane.
    pub(crate) thread: usize,
    /// The file, as shown to people.
    pub(crate) file: String,
    /// The line in it, from 1.
    pub(crate) line: u32,
    /// The line's text.
    pub(crate) source: String,
    /// How it went.
    pub(crate) effect: String,
    /// Whether another thread was stopped for this one although it could have gone on.
    pub(crate) preemption: bool,
    /// What each thread does and holds once the step is done.
    pub(crate) threads: Vec<Standing>,
}

/// How a thread stands after a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Standing {
    /// `not started`, `running`, `ready`, `waits for account#1`, `ended`.
    pub(crate) state: String,
    /// The locks it holds.
    pub(crate) holds: Vec<String>,
}

/// A thread was blocked from one step to another; to the end if it never went on.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Blocked {
    /// The lane.
    pub(crate) thread: usize,
    /// The step at which it blocked.
    pub(crate) from: usize,
    /// The step with which it went on.
    pub(crate) to: Option<usize>,
    /// What it waited for.
    pub(crate) on: String,
}

/// One step let another happen.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Arrow {
    /// The step that made it possible.
    pub(crate) from: usize,
    /// The step that was made possible.
    pub(crate) to: usize,
    /// `unlock`, `notify`, `send`, `spawn`, `join`, `unpark`.
    pub(crate) why: String,
}

/// Works the picture out.
pub(crate) fn lanes(trace: &Trace, sources: &mut Sources) -> Lanes {
    let standings = standings(trace);
    let steps = trace.steps.iter().enumerate().zip(standings).map(|((number, step), threads)| Moment {
        thread: step.thread,
        file: step.at.file.clone(),
        line: step.at.line,
        source: note_of_last(trace, number)
            .map_or_else(|| sources.line(&step.at, &step.operation), |note| format!("waits at {note}")),
        // Fonts of browsers often lack the terminal's sign for a pause.
        effect: effect(trace, step).replace('⏸', "‖"),
        preemption: step.preemption,
        threads,
    });
    Lanes {
        threads: trace.threads.iter().map(|thread| thread.name.clone()).collect(),
        steps: steps.collect(),
        blocked: blocked(trace),
        arrows: arrows(trace),
    }
}

fn blocked(trace: &Trace) -> Vec<Blocked> {
    let steps = trace.steps.iter().enumerate();
    steps
        .filter(|(_, step)| step.effect == Effect::Blocks)
        .map(|(from, step)| Blocked {
            thread: step.thread,
            from,
            to: next_of(trace, step.thread, from),
            on: awaited(trace, step),
        })
        .collect()
}

/// The next step of a thread after that one.
fn next_of(trace: &Trace, thread: usize, after: usize) -> Option<usize> {
    (after + 1..trace.steps.len()).find(|number| trace.steps[*number].thread == thread)
}

fn awaited(trace: &Trace, step: &Step) -> String {
    match (step.object, step.other) {
        (Some(object), _) => trace.objects[object].name.clone(),
        (None, Some(other)) => format!("{} to end", trace.threads[other].name),
        (None, None) => step.operation.clone(),
    }
}

/// Which step made which other one possible. An arrow joins two threads, never one with itself.
fn arrows(trace: &Trace) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    // What was offered last, by what it was offered to: a lock that is free, a notification, the messages in a channel.
    let mut freed: BTreeMap<usize, usize> = BTreeMap::new();
    let mut notified: BTreeMap<usize, usize> = BTreeMap::new();
    let mut sent: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut unparked: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, step) in trace.steps.iter().enumerate() {
        let cause = match (&step.operation[..], step.effect, step.object, step.other) {
            ("spawn", _, _, Some(child)) => {
                arrows.extend(next_of(trace, child, number).map(|to| Arrow {
                    from: number,
                    to,
                    why: "spawn".to_string(),
                }));
                None
            }
            ("join", Effect::Done, _, Some(child)) => {
                (0..number).rev().find(|before| trace.steps[*before].thread == child).map(|from| (from, "join"))
            }
            ("unlock", _, Some(object), _) => {
                freed.insert(object, number);
                None
            }
            ("notify_one" | "notify_all", _, Some(object), _) => {
                notified.insert(object, number);
                None
            }
            ("wait", Effect::Done, Some(object), _) => notified.get(&object).map(|from| (*from, "notify")),
            ("send" | "try_send", Effect::Done, Some(object), _) => {
                sent.entry(object).or_default().push(number);
                None
            }
            ("recv" | "try_recv" | "recv_timeout", Effect::Done, Some(object), _) => {
                sent.get_mut(&object).filter(|waiting| !waiting.is_empty()).map(|waiting| (waiting.remove(0), "send"))
            }
            ("unpark", _, _, Some(parked)) => {
                unparked.insert(parked, number);
                None
            }
            ("park" | "park_timeout", Effect::Done, ..) => unparked.remove(&step.thread).map(|from| (from, "unpark")),
            ("lock" | "read" | "write", Effect::Done, Some(object), _) if was_blocked(trace, number) => {
                freed.get(&object).map(|from| (*from, "unlock"))
            }
            _ => None,
        };
        let between = cause.filter(|(from, _)| trace.steps[*from].thread != step.thread);
        arrows.extend(between.map(|(from, why)| Arrow { from, to: number, why: why.to_string() }));
    }
    arrows.sort_by_key(|arrow| (arrow.from, arrow.to));
    arrows
}

/// Whether the thread was blocked before this step.
fn was_blocked(trace: &Trace, number: usize) -> bool {
    let thread = trace.steps[number].thread;
    let before = trace.steps[..number].iter().rev().find(|step| step.thread == thread);
    before.is_some_and(|step| step.effect == Effect::Blocks)
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
        if let ("spawn", Some(child)) = (&step.operation[..], step.other) {
            now[child].state = "ready".to_string();
        }
        let ended = last[step.thread] == Some(number) && !still_there(step.thread);
        now[step.thread] = Standing {
            state: match step.effect {
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

    #[test]
    fn who_is_blocked_and_until_when() {
        let mut trace = abba();
        let to_the_end = Blocked { thread: 1, from: 3, to: None, on: "account#1".to_string() };
        assert_eq!(blocked(&trace)[0], to_the_end);
        // Had it gone on, the hatching would end there.
        trace.steps.push(Step { effect: Effect::Done, ..trace.steps[3].clone() });
        assert_eq!(blocked(&trace)[0], Blocked { to: Some(5), ..to_the_end });
    }

    #[test]
    fn arrows_lead_from_cause_to_effect() {
        let mut trace = abba();
        let arrow = |from, to, why: &str| Arrow { from, to, why: why.to_string() };
        assert_eq!(arrows(&trace), [arrow(0, 2, "spawn")]);
        // main frees the lock that back is blocked on, and back takes it.
        trace.steps[4] = Step { operation: "unlock".to_string(), effect: Effect::Done, ..trace.steps[1].clone() };
        trace.steps.push(Step { effect: Effect::Done, ..trace.steps[3].clone() });
        assert_eq!(arrows(&trace), [arrow(0, 2, "spawn"), arrow(4, 5, "unlock")]);
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
