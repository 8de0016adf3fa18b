//! The contract of [`Event`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use event::Event;
use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};

/// An event, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    set: bool,
    /// The calls that wait, and those of them that may go on.
    waiting: Vec<usize>,
    released: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Now(Act),
    /// Sleeps for [`PAUSE`] first, so that it is known who waits.
    Later(&'static [Act]),
    IsSet,
    /// Clears the event, waits for the next time, and asks whether it is set.
    NextTime,
    Wait,
    WaitTimeout(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Set,
    Clear,
    Pulse,
}

const PAUSE: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);
/// The answer of a call that has none.
const DONE: &str = "()";

pub(crate) struct EventContract;

impl Contract for EventContract {
    type Hand = Arc<Event>;
    type Call = Call;
    type State = State;

    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, set| Setup { name, state: State { set, waiting: Vec::new(), released: Vec::new() } };
        vec![setup("the event is clear", false), setup("the event is set", true)]
    }

    fn calls(&self) -> Vec<Call> {
        use Act::*;
        use Call::*;
        let later: [&[Act]; 3] = [&[Pulse], &[Set, Clear], &[Clear]];
        let timed = [Duration::ZERO, LIMIT, Duration::MAX].map(WaitTimeout);
        let others = [Now(Set), Now(Clear), Now(Pulse), IsSet, NextTime, Wait];
        others.into_iter().chain(timed).chain(later.map(Later)).collect()
    }

    /// Who comes to an event that is set does not wait.
    fn is_for(&self, call: Call, setup: usize) -> bool {
        use Act::{Clear, Pulse};
        setup == 0
            || matches!(call, Call::Now(Clear | Pulse) | Call::IsSet | Call::Wait | Call::WaitTimeout(Duration::ZERO))
    }

    fn makes_sense(&self, _setup: usize, program: &[Vec<Call>]) -> bool {
        let calls = || program.iter().flatten();
        // What comes later is there for those who wait.
        let later = calls().filter(|call| matches!(call, Call::Later(_))).count();
        let waits = calls().filter(|call| matches!(call, Call::Wait | Call::WaitTimeout(_))).count();
        // Two calls of one thread show all that it leaves behind.
        let alone = program.len() == 1 && program[0].len() > 2;
        !alone && (later == 0 || later == 1 && waits > 0)
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Now(act) => act_name(act).to_owned(),
            Call::Later(acts) => {
                let acts: Vec<&str> = acts.iter().copied().map(act_name).collect();
                format!("after {PAUSE:?}: {}", acts.join(", "))
            }
            Call::IsSet => "is_set()".to_owned(),
            Call::NextTime => "clear(), wait(), is_set()".to_owned(),
            Call::Wait => "wait()".to_owned(),
            Call::WaitTimeout(Duration::MAX) => "wait_timeout(Duration::MAX)".to_owned(),
            Call::WaitTimeout(limit) => format!("wait_timeout({limit:?})"),
        }
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        match call {
            Call::WaitTimeout(LIMIT) => Some(LIMIT),
            Call::Later(_) => Some(PAUSE),
            _ => None,
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Event>> {
        let event = Event::cleared();
        if self.setups()[setup].state.set {
            event.set();
        }
        let event = Arc::new(event);
        vec![event; threads]
    }

    fn perform(&self, event: &mut Arc<Event>, call: Call, _id: usize, _scene: &Scene) -> String {
        match call {
            Call::Now(act) => perform(event, act),
            Call::Later(acts) => {
                thread::sleep(PAUSE);
                acts.iter().for_each(|&act| perform(event, act));
            }
            Call::IsSet => return event.is_set().to_string(),
            Call::NextTime => {
                event.clear();
                event.wait();
                return event.is_set().to_string();
            }
            Call::Wait => {
                let () = event.wait();
            }
            Call::WaitTimeout(limit) => return event.wait_timeout(limit).to_string(),
        }
        DONE.to_owned()
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        match call {
            Call::Now(act) => moves.answer(state.after(act), DONE),
            Call::Later(_) if turn.phase == 0 => {
                if turn.is_over(PAUSE) {
                    moves.go_on(state.clone(), 1);
                }
            }
            Call::Later(acts) => match acts.get(turn.phase - 1) {
                Some(&act) => moves.go_on(state.after(act), turn.phase + 1),
                None => moves.answer(state.clone(), DONE),
            },
            Call::IsSet => moves.answer(state.clone(), state.set.to_string()),
            Call::NextTime if turn.phase == 0 => moves.go_on(state.after(Act::Clear), 1),
            Call::NextTime => state.wait(call, &Turn { phase: turn.phase - 1, ..*turn }, moves),
            Call::Wait | Call::WaitTimeout(_) => state.wait(call, turn, moves),
        }
    }
}

impl State {
    /// The wait of a call. Its phases are counted from here.
    fn wait(&self, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = self.clone();
        after.released.retain(|id| *id != turn.id);
        after.waiting.retain(|id| *id != turn.id);
        match (turn.phase, call) {
            (2, _) => moves.answer(after, self.set.to_string()),
            (0, _) if !self.set => {
                // From now on it waits, and every release is for this call, too.
                after.waiting.push(turn.id);
                after.waiting.sort_unstable();
                moves.go_on(after, if call == Call::NextTime { 2 } else { 1 });
            }
            (1, _) if !self.released.contains(&turn.id) => {
                if gives_up(call, turn) {
                    moves.answer(after, "false");
                }
            }
            (_, Call::NextTime) => moves.go_on(after, 3),
            (_, Call::Wait) => moves.answer(after, DONE),
            _ => moves.answer(after, "true"),
        }
    }

    fn after(&self, act: Act) -> State {
        let mut after = self.clone();
        if act != Act::Clear {
            after.released.append(&mut after.waiting);
            after.released.sort_unstable();
        }
        match act {
            Act::Set => after.set = true,
            Act::Clear => after.set = false,
            Act::Pulse => {}
        }
        after
    }
}

/// Whether a wait ends now for nothing. One whose limit has no end never does.
fn gives_up(call: Call, turn: &Turn) -> bool {
    matches!(call, Call::WaitTimeout(limit) if limit < Duration::MAX && turn.is_over(limit))
}

fn act_name(act: Act) -> &'static str {
    match act {
        Act::Set => "set()",
        Act::Clear => "clear()",
        Act::Pulse => "pulse()",
    }
}

fn perform(event: &Event, act: Act) {
    match act {
        Act::Set => event.set(),
        Act::Clear => event.clear(),
        Act::Pulse => event.pulse(),
    }
}
