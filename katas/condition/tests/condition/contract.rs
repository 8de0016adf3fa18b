//! The contract of [`WaitingRoom`] and [`Newspaper`] as a program: what may each call do now? All small programs of
//! calls are tried against it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use condition::{Newspaper, WaitingRoom};
use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};

/// A room and a newspaper, as the contract sees them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    open: bool,
    taken: u64,
    called: u64,
    /// The newest edition's number and text.
    newest: (u64, String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Open,
    TakeTicket,
    Next,
    /// Sleeps for [`PAUSE`] first, so that it is known who waits.
    NextLater,
    Wait(u64),
    WaitWithin(u64, Duration),
    Publish,
    NextAfter(u64),
}

const PAUSE: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);
/// A ticket that nobody takes. Where tickets go round in a circle, of up to 20, of 100, of 1000, or of a power of two up to 2¹⁶, it is in
/// the same place as ticket 1.
const FAR: u64 = 1 + 23_837_958_144_000;
/// The answer of a call that has none.
const DONE: &str = "()";

pub(crate) struct ConditionContract;

/// The room and the newspaper of a scenario.
type Things = Arc<(WaitingRoom, Newspaper)>;

impl Contract for ConditionContract {
    type Hand = Things;
    type Call = Call;
    type State = State;

    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup =
            |name, open, taken| Setup { name, state: State { open, taken, called: 0, newest: (2, "2".to_owned()) } };
        vec![
            setup("a closed door", false, 0),
            setup("an open door", true, 0),
            setup("tickets 1 and 2 are taken", true, 2),
            setup("edition 2 is out", true, 0),
        ]
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let timed = [(1, Duration::ZERO), (2, Duration::ZERO), (1, LIMIT), (2, LIMIT), (2, Duration::MAX)];
        let timed = timed.map(|(ticket, limit)| WaitWithin(ticket, limit));
        let reads = [1, 2, 3].map(NextAfter);
        let others = [Open, TakeTicket, Next, NextLater, Wait(1), Wait(2), Wait(FAR), Publish];
        others.into_iter().chain(timed).chain(reads).collect()
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        match call {
            Call::Open => setup == 0,
            Call::TakeTicket => setup < 2,
            Call::Next | Call::Wait(1) => setup < 3,
            // Nobody has ticket 2 before the closed door, and it is waited for like any other.
            Call::WaitWithin(2, LIMIT) => setup == 0 || setup == 2,
            Call::NextLater | Call::Wait(_) | Call::WaitWithin(..) => setup == 2,
            Call::Publish | Call::NextAfter(_) => setup == 3,
        }
    }

    fn makes_sense(&self, _setup: usize, program: &[Vec<Call>]) -> bool {
        let calls = || program.iter().flatten();
        // Who calls later is there for those who wait with a limit.
        let later = calls().filter(|call| **call == Call::NextLater).count();
        let limits = calls().filter(|call| matches!(call, Call::WaitWithin(..))).count();
        // Two calls of one thread show all that it leaves behind.
        let alone = program.len() == 1 && program[0].len() > 2;
        // Nothing comes after a wait that never ends.
        let after_all = program.iter().any(|calls| calls.iter().rev().skip(1).any(|call| *call == Call::Wait(FAR)));
        !alone && !after_all && (later == 0 || later == 1 && limits > 0)
    }

    fn name(&self, call: Call, id: usize) -> String {
        match call {
            Call::Open => "open()".to_owned(),
            Call::TakeTicket => "take_ticket()".to_owned(),
            Call::Next => "call_next()".to_owned(),
            Call::NextLater => format!("after {PAUSE:?}: call_next()"),
            Call::Wait(ticket) => format!("wait_for_call({ticket})"),
            Call::WaitWithin(ticket, Duration::MAX) => format!("wait_for_call_within({ticket}, Duration::MAX)"),
            Call::WaitWithin(ticket, limit) => format!("wait_for_call_within({ticket}, {limit:?})"),
            Call::Publish => format!("publish(\"{id}\")"),
            Call::NextAfter(read) => format!("next_after({read})"),
        }
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        match call {
            Call::WaitWithin(_, LIMIT) => Some(LIMIT),
            Call::NextLater => Some(PAUSE),
            _ => None,
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Things> {
        let State { open, taken, newest, .. } = self.setups().swap_remove(setup).state;
        let (room, newspaper) = (WaitingRoom::closed(), Newspaper::new("1"));
        assert_eq!(newspaper.publish(&newest.1), newest.0);
        if open {
            room.open();
        }
        for ticket in 1..=taken {
            assert_eq!(room.take_ticket(), ticket);
        }
        let things = Arc::new((room, newspaper));
        vec![things; threads]
    }

    fn perform(&self, things: &mut Things, call: Call, id: usize, _scene: &Scene) -> String {
        let (room, newspaper) = &**things;
        match call {
            Call::Open => {
                let () = room.open();
                DONE.to_owned()
            }
            Call::TakeTicket => room.take_ticket().to_string(),
            Call::Next => room.call_next().to_string(),
            Call::NextLater => {
                thread::sleep(PAUSE);
                room.call_next().to_string()
            }
            Call::Wait(ticket) => {
                let () = room.wait_for_call(ticket);
                DONE.to_owned()
            }
            Call::WaitWithin(ticket, limit) => room.wait_for_call_within(ticket, limit).to_string(),
            Call::Publish => newspaper.publish(&id.to_string()).to_string(),
            Call::NextAfter(read) => read_as(newspaper.next_after(read)),
        }
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        match call {
            Call::Open => {
                after.open = true;
                moves.answer(after, DONE);
            }
            Call::TakeTicket if state.open => {
                after.taken += 1;
                moves.answer(after, (state.taken + 1).to_string());
            }
            Call::NextLater if turn.phase == 0 && !turn.is_over(PAUSE) => {}
            Call::NextLater if turn.phase == 0 => moves.go_on(after, 1),
            Call::Next | Call::NextLater if state.called < state.taken => {
                after.called += 1;
                moves.answer(after, (state.called + 1).to_string());
            }
            Call::Wait(ticket) if ticket <= state.called => moves.answer(after, DONE),
            Call::WaitWithin(ticket, _) if ticket <= state.called => moves.answer(after, "true"),
            Call::WaitWithin(_, limit) if gives_up(limit, turn) => moves.answer(after, "false"),
            Call::Publish => {
                after.newest = (state.newest.0 + 1, turn.id.to_string());
                moves.answer(after, (state.newest.0 + 1).to_string());
            }
            Call::NextAfter(read) if read < state.newest.0 => moves.answer(after, read_as(state.newest.clone())),
            _ => {}
        }
    }
}

/// Whether a wait with this limit ends now for nothing. One without an end never does.
fn gives_up(limit: Duration, turn: &Turn) -> bool {
    limit < Duration::MAX && turn.is_over(limit)
}

fn read_as((number, text): (u64, String)) -> String {
    format!("({number}, \"{text}\")")
}
