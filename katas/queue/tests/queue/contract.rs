//! The contract of [`Queue`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};
use queue::{GetError, PutError, Queue};

/// A queue, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    room: usize,
    /// The oldest first.
    items: VecDeque<usize>,
    closed: bool,
    /// Items that were put in and whose work is not done.
    unfinished: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Put,
    TryPut,
    Get,
    TryGet,
    GetTimeout(Duration),
    Close,
    TaskDone,
    Join,
}

/// The answer of a call that has none.
const DONE: &str = "()";
const LIMIT: Duration = Duration::from_secs(2);

pub(crate) struct QueueContract;

impl Contract for QueueContract {
    type Hand = Arc<Queue<usize>>;
    type Call = Call;
    type State = State;

    fn setups(&self) -> Vec<Setup<State>> {
        let setup = |name, room, items: usize| {
            let state = State { room, items: (1..=items).collect(), closed: false, unfinished: items };
            Setup { name, state }
        };
        vec![
            setup("room for 1, empty", 1, 0),
            setup("room for 1, with item 1 in it", 1, 1),
            setup("room for 2, empty", 2, 0),
            setup("room for 2, with item 1 in it", 2, 1),
            setup("room for 2, with items 1 and 2 in it", 2, 2),
        ]
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        let timed = [Duration::ZERO, LIMIT].map(GetTimeout);
        [Put, Get, Close, TryPut, TryGet, Join, TaskDone].into_iter().chain(timed).collect()
    }

    fn name(&self, call: Call, id: usize) -> String {
        match call {
            Call::Put => format!("put({id})"),
            Call::TryPut => format!("try_put({id})"),
            Call::Get => "get()".to_owned(),
            Call::TryGet => "try_get()".to_owned(),
            Call::GetTimeout(limit) => format!("get_timeout({limit:?})"),
            Call::Close => "close()".to_owned(),
            Call::TaskDone => "task_done()".to_owned(),
            Call::Join => "join()".to_owned(),
        }
    }

    fn limit(&self, call: Call) -> Option<Duration> {
        (call == Call::GetTimeout(LIMIT)).then_some(LIMIT)
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Queue<usize>>> {
        let State { room, items, .. } = self.setups().swap_remove(setup).state;
        let queue = Arc::new(Queue::bounded(NonZeroUsize::new(room).expect("there is room")));
        for item in items {
            assert_eq!(queue.put(item), Ok(()), "there is room for {item}");
        }
        vec![queue; threads]
    }

    fn perform(&self, queue: &mut Arc<Queue<usize>>, call: Call, id: usize, _scene: &Scene) -> String {
        match call {
            Call::Put => put(queue.put(id)),
            Call::TryPut => put(queue.try_put(id)),
            Call::Get => got(queue.get()),
            Call::TryGet => got(queue.try_get()),
            Call::GetTimeout(limit) => got(queue.get_timeout(limit)),
            Call::Close => {
                queue.close();
                DONE.to_owned()
            }
            Call::TaskDone => {
                queue.task_done();
                DONE.to_owned()
            }
            Call::Join => {
                queue.join();
                DONE.to_owned()
            }
        }
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        match call {
            Call::Put | Call::TryPut if state.closed => moves.answer(after, format!("Closed({})", turn.id)),
            Call::Put | Call::TryPut if state.items.len() < state.room => {
                after.items.push_back(turn.id);
                after.unfinished += 1;
                moves.answer(after, "Ok");
            }
            Call::Put => {}
            Call::TryPut => moves.answer(after, format!("Full({})", turn.id)),
            Call::Get | Call::TryGet | Call::GetTimeout(_) => match after.items.pop_front() {
                Some(item) => moves.answer(after, format!("Ok({item})")),
                None if state.closed => moves.answer(after, "Closed"),
                None if gives_up(call, turn) => moves.answer(after, "Empty"),
                None => {}
            },
            Call::Close => {
                after.closed = true;
                moves.answer(after, DONE);
            }
            Call::TaskDone => match state.unfinished.checked_sub(1) {
                Some(unfinished) => moves.answer(State { unfinished, ..after }, DONE),
                None => moves.answer(after, kata::scenarios::PANICS),
            },
            Call::Join if state.unfinished == 0 => moves.answer(after, DONE),
            Call::Join => {}
        }
    }
}

/// Whether a call that takes an item out says now that there is none.
fn gives_up(call: Call, turn: &Turn) -> bool {
    match call {
        Call::TryGet => true,
        Call::GetTimeout(limit) => turn.is_over(limit),
        _ => false,
    }
}

fn put(answer: Result<(), PutError<usize>>) -> String {
    match answer {
        Ok(()) => "Ok".to_owned(),
        Err(PutError::Full(item)) => format!("Full({item})"),
        Err(PutError::Closed(item)) => format!("Closed({item})"),
    }
}

fn got(answer: Result<usize, GetError>) -> String {
    match answer {
        Ok(item) => format!("Ok({item})"),
        Err(GetError::Empty) => "Empty".to_owned(),
        Err(GetError::Closed) => "Closed".to_owned(),
    }
}
