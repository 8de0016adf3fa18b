//! Schedules for the tests of the pictures: two threads that take two locks in opposite orders, recorded ones, and invented ones.

use verdict::{Did, Effect, Held, Location, Missed, Object, Step, Trace, TracedThread, Waiting, WaitsFor};

fn at(line: u32) -> Location {
    Location { file: "bank.rs".to_string(), line, column: 1 }
}

fn step(thread: usize, operation: &str, on: usize, line: u32, effect: Effect, holds: &[usize]) -> Step {
    Step {
        thread,
        operation: Did::from(operation),
        object: (operation != "spawn").then_some(on),
        other: (operation == "spawn").then_some(on),
        at: at(line),
        effect,
        value: None,
        missed: None,
        preemption: false,
        stopped: None,
        holds: holds.to_vec(),
        now: 0,
    }
}

fn waiting(thread: usize, holds: usize, wants: usize, on: usize) -> Waiting {
    let waits_for = WaitsFor { operation: Did::Lock, object: Some(wants), at: at(15), on: vec![on], note: None };
    Waiting { thread, holds: vec![Held { object: holds, at: at(14) }], waits_for: Some(waits_for) }
}

/// `main` starts `back`; each takes one lock and waits for the other's.
pub(crate) fn abba() -> Trace {
    let mut steps = vec![
        step(0, "spawn", 1, 9, Effect::Done, &[]),
        step(0, "lock", 0, 14, Effect::Done, &[0]),
        step(1, "lock", 1, 14, Effect::Done, &[1]),
        step(1, "lock", 0, 15, Effect::Blocks, &[1]),
        step(0, "lock", 1, 15, Effect::Blocks, &[0]),
    ];
    (steps[2].preemption, steps[2].stopped) = (true, Some(0));
    let object =
        |name: &str| Object { what: "Mutex".to_string(), name: name.to_string(), made_at: at(3), only_used: false };
    Trace {
        schedule: "0x2.1.0".to_string(),
        given: None,
        preemptions: 1,
        old_reads: 0,
        threads: ["main", "back"].map(|name| TracedThread { name: name.to_string() }).to_vec(),
        objects: vec![object("account#1"), object("account#2")],
        steps,
        panicked: None,
        waiting: vec![waiting(0, 0, 1, 1), waiting(1, 1, 0, 0)],
    }
}

/// Failing schedules of wrong submissions, as `check --json` wrote them.
pub(crate) fn recorded() -> Vec<(String, Trace)> {
    let line = |line: &str| {
        let (name, trace) = line.split_once('\t').expect("a name and a trace");
        (name.to_string(), serde_json::from_str(trace).expect("a trace"))
    };
    include_str!("traces.tsv").lines().map(line).collect()
}

/// A schedule that nobody ran: a few threads do anything, in any order. The same seed gives the same one.
pub(crate) fn invented(seed: u64) -> Trace {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut pick = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let names = ["main", "a", "a worker with quite a long name, and more of it", "作業者", "back#2", "west→east"];
    let (threads, objects) = (1 + pick(names.len()), 1 + pick(9));
    let operations =
        ["lock", "unlock", "wait", "notify_all", "send", "recv", "load", "store", "spawn", "join", "sleep", "panic"];
    let effects = [Effect::Done, Effect::Done, Effect::Blocks, Effect::Refused, Effect::TimedOut, Effect::Spurious];
    let mut steps: Vec<Step> = Vec::new();
    let mut now = 0;
    for _ in 0..pick(60) {
        let (thread, operation) = (pick(threads), operations[pick(operations.len())]);
        let on_thread = matches!(operation, "spawn" | "join");
        let effect = if operation == "panic" { Effect::Panicked } else { effects[pick(effects.len())] };
        let on = pick(if on_thread { threads } else { objects });
        let held = (0..objects).filter(|_| pick(3) == 0).collect::<Vec<_>>();
        let mut step = step(thread, operation, on, 1 + pick(20) as u32, effect, &held);
        (step.object, step.other) = if on_thread { (None, Some(on)) } else { (Some(on), None) };
        step.preemption = pick(4) == 0;
        step.stopped = (pick(2) == 0).then(|| pick(threads));
        now += if pick(6) == 0 { pick(5_000_000_000) as u64 } else { 0 };
        step.now = now;
        step.value = (pick(3) == 0).then(|| "a value that is told at length ".repeat(1 + pick(3)));
        let missed = Missed {
            by: pick(threads),
            value: "1".to_string(),
            step: steps.len().checked_sub(1 + pick(5)),
            ordering: "Relaxed".to_string(),
        };
        step.missed = (operation == "load" && pick(2) == 0).then_some(missed);
        steps.push(step);
    }
    let waits = |thread: usize, on: usize, wants: usize| {
        let mut waiting = waiting(thread, wants, wants, on);
        let words = "a tool that says at length what it waits for, and for whom, and why ".repeat(4);
        waiting.waits_for.as_mut().expect("it waits").note = (on % 3 == 1).then_some(words);
        waiting
    };
    let waiting = (0..threads).filter(|_| pick(2) == 0).collect::<Vec<_>>();
    let waiting = waiting.into_iter().map(|thread| waits(thread, pick(threads), pick(objects))).collect();
    let object = |number| Object {
        what: "Mutex".to_string(),
        name: format!("{}#{number}", "an-account-".repeat(1 + number % 4)),
        made_at: at(3),
        only_used: number % 2 == 1,
    };
    Trace {
        schedule: String::new(),
        given: None,
        preemptions: 0,
        old_reads: 0,
        threads: names[..threads].iter().map(|name| TracedThread { name: name.to_string() }).collect(),
        objects: (0..objects).map(object).collect(),
        steps,
        panicked: None,
        waiting,
    }
}
