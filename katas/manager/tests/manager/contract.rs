//! The contract of [`Owner::answer`] as a program: what may each request be answered now? All small programs of requests are tried
//! against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kata::scenarios::{Contract, Moves, Scene, Setup, Turn};
use manager::{Answer, Owner, Refusal, Request};

/// What the owner has, as the contract sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    value: i64,
    list: Vec<i64>,
    map: BTreeMap<&'static str, i64>,
}

/// A request. Those that put something somewhere put the call's own number there, so that it is known whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Get,
    Set,
    Add(i64),
    Push,
    Item(u64),
    Pop,
    Insert(&'static str),
    Find(&'static str),
    Remove(&'static str),
}

pub(crate) struct OwnerContract;

impl Contract for OwnerContract {
    type Hand = Arc<Owner>;
    type Call = Call;
    type State = State;

    fn setups(&self) -> Vec<Setup<State>> {
        let value = State { value: i64::MAX - 1, list: Vec::new(), map: BTreeMap::new() };
        let list = State { list: vec![5], ..value.clone() };
        vec![
            Setup { name: "a value that is nearly as large as can be", state: value },
            Setup { name: "a list of one item", state: list.clone() },
            Setup { name: "a map of one key", state: State { map: BTreeMap::from([("a", 5)]), ..list } },
        ]
    }

    fn calls(&self) -> Vec<Call> {
        use Call::*;
        vec![Get, Set, Add(1), Push, Item(1), Pop, Insert("a"), Insert("b"), Find("a"), Remove("a")]
    }

    /// The value, the list and the map have nothing to do with each other.
    fn is_for(&self, call: Call, setup: usize) -> bool {
        use Call::*;
        match call {
            Get | Set | Add(_) => setup == 0,
            Push | Item(_) | Pop => setup == 1,
            Insert(_) | Find(_) | Remove(_) => setup == 2,
        }
    }

    fn name(&self, call: Call, id: usize) -> String {
        format!("{:?}", request(call, id))
    }

    fn hands(&self, setup: usize, threads: usize, _scene: &Scene) -> Vec<Arc<Owner>> {
        let (owner, State { value, list, map }) = (Owner::empty(), self.setups()[setup].state.clone());
        let items = list.into_iter().map(Request::Push);
        let entries = map.into_iter().map(|(key, number)| Request::Insert(key.to_owned(), number));
        for request in [Request::Set(value)].into_iter().chain(items).chain(entries) {
            owner.answer(request).expect("a new owner refuses none of these");
        }
        let owner = Arc::new(owner);
        vec![owner; threads]
    }

    fn perform(&self, owner: &mut Arc<Owner>, call: Call, id: usize, _scene: &Scene) -> String {
        format!("{:?}", owner.answer(request(call, id)))
    }

    fn may(&self, state: &State, call: Call, turn: &Turn, moves: &mut Moves<State>) {
        let mut after = state.clone();
        let answer = after.carry_out(call, turn.id as i64);
        moves.answer(after, format!("{answer:?}"));
    }
}

impl State {
    fn carry_out(&mut self, call: Call, id: i64) -> Answer {
        match call {
            Call::Get => return Ok(self.value),
            Call::Set => return Ok(std::mem::replace(&mut self.value, id)),
            Call::Add(number) => self.value = self.value.checked_add(number).ok_or(Refusal::Overflow)?,
            Call::Push => self.list.push(id),
            Call::Item(index) => return self.list.get(index as usize).copied().ok_or(Refusal::NoSuchIndex),
            Call::Pop => return self.list.pop().ok_or(Refusal::NoSuchIndex),
            Call::Insert(key) => drop(self.map.insert(key, id)),
            Call::Find(key) => return self.map.get(key).copied().ok_or(Refusal::NoSuchKey),
            Call::Remove(key) => return self.map.remove(key).ok_or(Refusal::NoSuchKey),
        }
        Ok(match call {
            Call::Push => self.list.len() as i64,
            Call::Insert(_) => self.map.len() as i64,
            _ => self.value,
        })
    }
}

fn request(call: Call, id: usize) -> Request {
    let number = id as i64;
    match call {
        Call::Get => Request::Get,
        Call::Set => Request::Set(number),
        Call::Add(number) => Request::Add(number),
        Call::Push => Request::Push(number),
        Call::Item(index) => Request::Item(index),
        Call::Pop => Request::Pop,
        Call::Insert(key) => Request::Insert(key.to_owned(), number),
        Call::Find(key) => Request::Find(key.to_owned()),
        Call::Remove(key) => Request::Remove(key.to_owned()),
    }
}
