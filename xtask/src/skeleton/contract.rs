//! The contract of [`Example`] as a program: what may each call do now? All small programs of calls are tried against it.

use std::sync::Arc;

use @library@::Example;
use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};

/// The object, as the contract sees it.
type State = usize;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Add,
    Number,
}

pub(crate) struct ExampleContract;

impl Contract for ExampleContract {
    type Hand = Arc<Example>;
    type Call = Call;
    type State = State;

    fn setups(&self) -> Vec<Setup<State>> {
        vec![Setup { name: "the number is 0", state: 0 }]
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Add, Call::Number]
    }

    fn name(&self, call: Call, _id: usize) -> String {
        match call {
            Call::Add => "add()".to_owned(),
            Call::Number => "number()".to_owned(),
        }
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Example>> {
        let example = Arc::new(Example::starting_at(self.setups()[setup].state));
        vec![example; threads]
    }

    fn perform(&self, example: &mut Arc<Example>, call: Call, _id: usize, _scene: &Scene) -> String {
        match call {
            Call::Add => {
                let () = example.add();
                "()".to_owned()
            }
            Call::Number => example.number().to_string(),
        }
    }

    /// Nothing is added to `moves` where a call has to wait; several answers, where the contract leaves it open.
    fn may(&self, state: &State, call: Call, _turn: &Turn, moves: &mut Moves<State>) {
        match call {
            Call::Add => moves.answer(state + 1, "()"),
            Call::Number => moves.answer(*state, state.to_string()),
        }
    }
}
