//! The contract of [`Barrier`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use barrier::{Barrier, Broken};
use kata::panic_on_purpose;
use kata::scenarios::{Contract, Moves, PANICS_ON_PURPOSE, Scene, Setup, Turn};

/// A barrier, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    parties: usize,
    broken: bool,
    /// The calls that wait, and those whose round has ended, with their answers.
    here: Vec<usize>,
    ended: Vec<(usize, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Wait,
    /// Waits, and at once again.
    WaitTwice,
    WaitTimeout(Duration),
    Now(Act),
    /// After [`PAUSE`], when it is known who waits.
    Later(Act),
    IsBroken,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Reset,
    /// A party panics.
    Panic,
    /// A party ends without waiting, and well.
    End,
    /// Completes the round, and then breaks the next one.
    WaitAndPanic,
    /// Breaks the round, and mends the barrier.
    PanicAndReset,
}

const PAUSE: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);
/// The answer of a call that has none.
const DONE: &str = "()";
/// What `wait` answers.
const LEADS: &str = "Ok(true)";
const FOLLOWS: &str = "Ok(false)";
const BROKEN: &str = "Broken";

pub(crate) struct BarrierContract;

impl Contract for BarrierContract {
    type Hand = Arc<Barrier>;
    type Call = Call;
    type State = State;

    const TELLING: usize = 3;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, parties, broken| Setup {
            name,
            state: State { parties, broken, here: Vec::new(), ended: Vec::new() },
        };
        vec![
            setup("1 party", 1, false),
            setup("2 parties", 2, false),
            setup("2 parties, and the barrier is broken", 2, true),
            setup("3 parties", 3, false),
        ]
    }

    fn calls(&self) -> Vec<Call> {
        use Act::*;
        use Call::*;
        let timed = [Duration::ZERO, LIMIT, Duration::MAX].map(WaitTimeout);
        let now = [Reset, Panic, End].map(Now);
        let later = [Reset, Panic, WaitAndPanic, PanicAndReset].map(Later);
        [Wait, WaitTwice, IsBroken].into_iter().chain(timed).chain(now).chain(later).collect()
    }

    fn is_for(&self, call: Call, setup: usize) -> bool {
        use Call::*;
        match setup {
            0 => !matches!(call, Later(_)),
            1 => true,
            2 => matches!(call, Wait | IsBroken | WaitTimeout(Duration::ZERO | LIMIT) | Now(_)),
            _ => matches!(call, Wait | WaitTimeout(LIMIT) | Later(_) | Now(Act::Reset)),
        }
    }

    fn makes_sense(&self, setup: usize, program: &[Vec<Call>]) -> bool {
        let calls = || program.iter().flatten();
        // What comes later is there for those who wait.
        let later = calls().filter(|call| matches!(call, Call::Later(_))).count();
        let waits = calls().filter(|call| matches!(call, Call::Wait | Call::WaitTimeout(_))).count();
        // Two calls of one thread show all that it leaves behind, and two calls all about one party.
        let plain =
            |call: &Call| !matches!(call, Call::Now(Act::End) | Call::WaitTimeout(Duration::ZERO | Duration::MAX));
        let small = calls().count() <= 2 || program.len() > 1 && setup > 0 && calls().all(plain);
        small && (later == 0 || later == 1 && waits > 0)
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Wait => "wait()".to_owned(),
            Call::WaitTwice => "wait(), wait()".to_owned(),
            Call::WaitTimeout(Duration::MAX) => "wait_timeout(Duration::MAX)".to_owned(),
            Call::WaitTimeout(limit) => format!("wait_timeout({limit:?})"),
            Call::Now(act) => act_name(act).to_owned(),
            Call::Later(act) => format!("after {PAUSE:?}: {}", act_name(act)),
            Call::IsBroken => "is_broken()".to_owned(),
        }
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        match call {
            Call::WaitTimeout(LIMIT) => Some(LIMIT),
            Call::Later(_) => Some(PAUSE),
            _ => None,
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Barrier>> {
        let State { parties, broken, .. } = self.setups().swap_remove(setup).state;
        let barrier = Barrier::new(NonZeroUsize::new(parties).expect("there are parties"));
        if broken {
            assert_eq!(barrier.party().wait_timeout(Duration::ZERO), Err(Broken));
        }
        let barrier = Arc::new(barrier);
        vec![barrier; threads]
    }

    fn perform(&self, barrier: &mut Arc<Barrier>, call: Call, _id: usize, _scene: &Scene) -> String {
        let party = barrier.party();
        match call {
            Call::Wait => outcome(party.wait()).to_owned(),
            Call::WaitTwice => {
                let first = outcome(party.wait());
                format!("{first}, {}", outcome(party.wait()))
            }
            Call::WaitTimeout(limit) => outcome(party.wait_timeout(limit)).to_owned(),
            Call::Now(act) => perform(barrier, act),
            Call::Later(act) => {
                thread::sleep(PAUSE);
                perform(barrier, act)
            }
            Call::IsBroken => barrier.is_broken().to_string(),
        }
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        match call {
            Call::Later(_) if turn.phase == 0 => {
                if turn.is_over(PAUSE) {
                    moves.go_on(state.clone(), 1);
                }
            }
            Call::Later(act) => state.acts(act, turn, turn.phase - 1, moves),
            Call::Now(act) => state.acts(act, turn, turn.phase, moves),
            Call::IsBroken => moves.answer(state.clone(), state.broken.to_string()),
            Call::Wait | Call::WaitTimeout(_) => {
                for (after, answer) in state.waits(call, turn, turn.phase, moves) {
                    moves.answer(after, answer);
                }
            }
            // The first wait has the phases 0 and 1. What it has answered is in the phase of the second.
            Call::WaitTwice => {
                let first = turn.phase < 2;
                for (after, answer) in state.waits(call, turn, turn.phase % 2, moves) {
                    let answers = [LEADS, FOLLOWS, BROKEN];
                    if first {
                        let place = answers.iter().position(|one| *one == answer).expect("it is one of them");
                        moves.go_on(after, 2 * (place + 1));
                    } else {
                        moves.answer(after, format!("{}, {answer}", answers[turn.phase / 2 - 1]));
                    }
                }
            }
        }
    }
}

impl State {
    /// What a wait may answer now, after it has come (0) or as one of those who wait (1).
    fn waits(&self, call: Call, turn: &Turn, phase: usize, moves: &mut Moves<State>) -> Vec<(State, &'static str)> {
        let mut after = self.clone();
        if phase == 1 {
            if let Some(place) = self.ended.iter().position(|(id, _)| *id == turn.id) {
                let (_, answer) = after.ended.remove(place);
                return vec![(after, answer)];
            }
            if matches!(call, Call::WaitTimeout(limit) if limit < Duration::MAX && turn.is_over(limit)) {
                after.here.retain(|id| *id != turn.id);
                return vec![(after.breaks(), BROKEN)];
            }
            return Vec::new();
        }
        if self.broken {
            return vec![(after, BROKEN)];
        }
        if self.here.len() + 1 < self.parties {
            after.here.push(turn.id);
            after.here.sort_unstable();
            moves.go_on(after, turn.phase + 1);
            return Vec::new();
        }
        // All are here. Which of them leads is left open.
        let everybody: Vec<usize> = self.here.iter().copied().chain([turn.id]).collect();
        let led_by = |leader: &usize| {
            let mut after = self.clone();
            let answer = |id: usize| if id == *leader { LEADS } else { FOLLOWS };
            after.ended.extend(after.here.drain(..).map(|id| (id, answer(id))));
            after.ended.sort_unstable();
            (after, answer(turn.id))
        };
        everybody.iter().map(led_by).collect()
    }

    fn breaks(&self) -> State {
        let mut after = self.clone();
        after.ended.extend(after.here.drain(..).map(|id| (id, BROKEN)));
        after.ended.sort_unstable();
        after.broken = true;
        after
    }

    fn acts(&self, act: Act, turn: &Turn, phase: usize, moves: &mut Moves<State>) {
        match (act, phase) {
            (Act::End, _) => moves.answer(self.clone(), DONE),
            (Act::Reset, _) | (Act::PanicAndReset, 1) => {
                moves.answer(State { broken: false, ..self.breaks() }, DONE);
            }
            (Act::Panic, _) | (Act::WaitAndPanic, 2) => moves.answer(self.breaks(), PANICS_ON_PURPOSE),
            (Act::PanicAndReset, _) => moves.go_on(self.breaks(), turn.phase + 1),
            (Act::WaitAndPanic, _) => {
                for (after, _) in self.waits(Call::Wait, turn, phase, moves) {
                    moves.go_on(after, turn.phase + 2 - phase);
                }
            }
        }
    }
}

fn act_name(act: Act) -> &'static str {
    match act {
        Act::Reset => "reset()",
        Act::Panic => "a party panics",
        Act::End => "drop(party)",
        Act::WaitAndPanic => "wait(), a party panics",
        Act::PanicAndReset => "a party panics, reset()",
    }
}

fn perform(barrier: &Barrier, act: Act) -> String {
    let panics = || {
        let _party = barrier.party();
        panic_on_purpose("burnt")
    };
    match act {
        Act::Reset => {
            let () = barrier.reset();
        }
        Act::Panic => panics(),
        Act::End => {
            let _party = barrier.party();
        }
        Act::WaitAndPanic => {
            let _ = barrier.party().wait();
            panics()
        }
        Act::PanicAndReset => {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
            assert!(panic.is_err());
            barrier.reset();
        }
    }
    DONE.to_owned()
}

fn outcome(outcome: Result<bool, Broken>) -> &'static str {
    match outcome {
        Ok(true) => LEADS,
        Ok(false) => FOLLOWS,
        Err(Broken) => BROKEN,
    }
}
