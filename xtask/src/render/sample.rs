//! A schedule for the tests of the pictures: two threads take two locks in opposite orders.

use verdict::{Effect, Held, Location, Object, Step, Trace, TracedThread, Waiting, WaitsFor};

fn at(line: u32) -> Location {
    Location { file: "bank.rs".to_string(), line, column: 1 }
}

fn step(thread: usize, operation: &str, on: usize, line: u32, effect: Effect, holds: &[usize]) -> Step {
    Step {
        thread,
        operation: operation.to_string(),
        object: (operation != "spawn").then_some(on),
        other: (operation == "spawn").then_some(on),
        at: at(line),
        effect,
        value: None,
        missed: None,
        preemption: false,
        holds: holds.to_vec(),
    }
}

fn waiting(thread: usize, holds: usize, wants: usize, on: usize) -> Waiting {
    let waits_for =
        WaitsFor { operation: "lock".to_string(), object: Some(wants), at: at(15), on: vec![on], note: None };
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
    steps[2].preemption = true;
    let object = |name: &str| Object { what: "Mutex".to_string(), name: name.to_string(), made_at: at(3) };
    Trace {
        schedule: "0x2.1.0".to_string(),
        given: None,
        preemptions: 1,
        old_reads: 0,
        threads: ["main", "back"].map(|name| TracedThread { name: name.to_string() }).to_vec(),
        objects: vec![object("account#1"), object("account#2")],
        steps,
        waiting: vec![waiting(0, 0, 1, 1), waiting(1, 1, 0, 0)],
    }
}
