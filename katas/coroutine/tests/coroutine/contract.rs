//! The contract of executor, spawner, `oneshot` and `block_on` as a program: what may each call do now? All small programs of
//! calls are tried against it.

use std::collections::VecDeque;
use std::mem;

use coroutine::{Executor, Receiver, Sender, Spawner, block_on, executor, oneshot};
use kata::panic_on_purpose;
use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};

/// What the contract sees: one letter, which may be sent once, and the tasks in the order in which they were spawned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    letter: Letter,
    tasks: Vec<Spawned>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Letter {
    Awaited,
    Sent,
    Lost,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Spawned {
    task: Task,
    /// The thread that has its answer, until it has received it.
    answer: Option<usize>,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    /// Sends the letter.
    Send,
    /// Drops its sender.
    Lose,
    /// Waits for the letter with `block_on`.
    Receive,
    Spawn(Task),
    /// Waits with `block_on` for the answer of the task that the thread has spawned.
    Answer,
    Run,
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    Returns,
    Panics,
    /// Waits for the letter.
    Receives,
}

#[derive(Default)]
pub(crate) struct Hand {
    spawner: Option<Spawner>,
    executor: Option<Executor>,
    sender: Option<Sender<u32>>,
    receiver: Option<Receiver<u32>>,
    answers: VecDeque<Receiver<Option<u32>>>,
}

/// What stands in the letter, and what a task gives that returns.
const LETTER: u32 = 7;
const RETURNED: u32 = 1;
/// The answer of a call that has none.
const DONE: &str = "()";

pub(crate) struct CoroutineContract;

impl Contract for CoroutineContract {
    type Hand = Hand;
    type Call = Call;
    type State = State;

    fn setups(&self) -> Vec<Setup<State>> {
        let waiting = Spawned { task: Task::Receives, answer: None, ended: false };
        let setup = |name, tasks| Setup { name, state: State { letter: Letter::Awaited, tasks } };
        vec![setup("no task", Vec::new()), setup("a task that waits for the letter", vec![waiting])]
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let spawn = [Task::Returns, Task::Panics, Task::Receives].map(Spawn);
        [Run, Send, Lose, Receive, Answer].into_iter().chain(spawn).collect()
    }

    /// Only one can have the letter's receiver.
    fn is_for(&self, call: Call, setup: usize) -> bool {
        setup == 0 || !call.has_receiver()
    }

    fn makes_sense(&self, _setup: usize, program: &[Vec<Call>]) -> bool {
        let count = |is: fn(Call) -> bool| program.iter().flatten().filter(|call| is(**call)).count();
        let runners = program.iter().filter(|calls| calls.contains(&Call::Run)).count();
        // Nobody waits for the answer of a task that it has not spawned.
        let answers = program.iter().all(|calls| {
            let mut spawned = 0_usize;
            calls.iter().all(|call| match call {
                Call::Spawn(_) => {
                    spawned += 1;
                    true
                }
                Call::Answer => {
                    let some = spawned > 0;
                    spawned = spawned.saturating_sub(1);
                    some
                }
                _ => true,
            })
        });
        runners <= 1 && count(Call::has_sender) <= 1 && count(Call::has_receiver) <= 1 && answers
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Send => format!("sender.send({LETTER})"),
            Call::Lose => "drop(sender)".to_owned(),
            Call::Receive => "block_on(receiver)".to_owned(),
            Call::Spawn(Task::Returns) => format!("spawn(ready(Some({RETURNED})))"),
            Call::Spawn(Task::Panics) => "spawn(a task that panics)".to_owned(),
            Call::Spawn(Task::Receives) => "spawn(receiver)".to_owned(),
            Call::Answer => "block_on(answer)".to_owned(),
            Call::Run => "run()".to_owned(),
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Hand> {
        let (executor, spawner) = executor();
        let (sender, receiver) = oneshot();
        let hand = || Hand { spawner: Some(spawner.clone()), ..Hand::default() };
        let mut hands: Vec<Hand> = (0..threads).map(|_| hand()).collect();
        let mut receiver = Some(receiver);
        if setup == 1 {
            drop(receiver.take().map(|receiver| spawner.spawn(receiver)));
        }
        hands[0].executor = Some(executor);
        hands[0].sender = Some(sender);
        hands[0].receiver = receiver;
        hands
    }

    /// Who makes the calls gets what they need.
    fn deal(&self, hands: &mut [Hand], program: &[Vec<Call>]) {
        let who =
            |is: fn(Call) -> bool| program.iter().position(|calls| calls.iter().any(|call| is(*call))).unwrap_or(0);
        let (executor, sender, receiver) = (hands[0].executor.take(), hands[0].sender.take(), hands[0].receiver.take());
        hands[who(|call| call == Call::Run)].executor = executor;
        hands[who(Call::has_sender)].sender = sender;
        hands[who(Call::has_receiver)].receiver = receiver;
    }

    fn perform(&self, hand: &mut Hand, call: Call, _id: usize, _scene: &Scene) -> String {
        match call {
            Call::Send => hand.sender.take().expect(DEALT).send(LETTER),
            Call::Lose => drop(hand.sender.take().expect(DEALT)),
            Call::Receive => return format!("{:?}", block_on(hand.receiver.take().expect(DEALT))),
            Call::Spawn(task) => {
                let spawner = hand.spawner.as_ref().expect(DEALT);
                hand.answers.push_back(match task {
                    Task::Returns => spawner.spawn(async { Some(RETURNED) }),
                    Task::Panics => spawner.spawn(async { panic_on_purpose("the dish is burnt") }),
                    Task::Receives => spawner.spawn(hand.receiver.take().expect(DEALT)),
                });
            }
            Call::Answer => return format!("{:?}", block_on(hand.answers.pop_front().expect(DEALT))),
            Call::Run => hand.executor.as_mut().expect(DEALT).run(),
        }
        DONE.to_owned()
    }

    /// The end of a hand would be the end of its sender, too.
    fn leave(&self, hand: Hand) {
        mem::forget(hand);
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        match call {
            Call::Send => {
                after.letter = Letter::Sent;
                moves.answer(after, DONE);
            }
            Call::Lose => {
                after.letter = Letter::Lost;
                moves.answer(after, DONE);
            }
            Call::Receive => {
                if let Some(letter) = state.letter() {
                    moves.answer(after, format!("{letter:?}"));
                }
            }
            Call::Spawn(task) => {
                after.tasks.push(Spawned { task, answer: Some(turn.thread), ended: false });
                moves.answer(after, DONE);
            }
            Call::Answer => {
                let mine = after.tasks.iter_mut().find(|task| task.answer == Some(turn.thread));
                let mine = mine.expect("it has spawned one");
                if mine.ended {
                    mine.answer = None;
                    let answer = match mine.task {
                        Task::Returns => Some(Some(RETURNED)),
                        Task::Panics => None,
                        Task::Receives => Some(state.letter().expect("the task has ended")),
                    };
                    moves.answer(after, format!("{answer:?}"));
                }
            }
            // One task after the other ends, and in between, others may see that it has.
            Call::Run => {
                for (place, task) in state.tasks.iter().enumerate() {
                    if !task.ended && (task.task != Task::Receives || state.letter().is_some()) {
                        let mut after = state.clone();
                        after.tasks[place].ended = true;
                        moves.go_on(after, 0);
                    }
                }
                if state.tasks.iter().all(|task| task.ended) {
                    moves.answer(after, DONE);
                }
            }
        }
    }
}

impl State {
    /// What whoever waits for the letter gets, if it gets something now.
    fn letter(&self) -> Option<Option<u32>> {
        match self.letter {
            Letter::Awaited => None,
            Letter::Sent => Some(Some(LETTER)),
            Letter::Lost => Some(None),
        }
    }
}

impl Call {
    fn has_sender(self) -> bool {
        matches!(self, Call::Send | Call::Lose)
    }

    fn has_receiver(self) -> bool {
        matches!(self, Call::Receive | Call::Spawn(Task::Receives))
    }
}

/// Why what a call needs is in its thread's hand.
const DEALT: &str = "it is dealt to the thread that makes the call";
