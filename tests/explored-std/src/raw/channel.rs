//! A channel without its messages.

use std::panic::Location;

use crate::engine::access::Key;
use crate::engine::kind::Kind;
use crate::engine::object::{Age, Channel, Identity, Model, What};
use crate::engine::operation::{How, ObjectIndex, Operation, Site};
use crate::engine::run::{step, try_with, with};
use crate::engine::state::State;
use crate::raw::{Deadline, looks_closely, release_is_a_step};

/// A channel's counters: room, messages, and who is left on either side. The messages are kept beside it, in the order in
/// which they were let in.
#[derive(Debug)]
pub struct RawChannel {
    identity: Identity,
    what: What,
    capacity: Option<usize>,
}

/// Why nothing was sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No room, or no message, at this time.
    NotNow,
    /// Nobody is left on the other side.
    Disconnected,
    /// The time was up.
    TimedOut,
}

impl RawChannel {
    /// A channel with one sender and one receiver. The capacity is none for no limit, 0 for hand to hand.
    #[track_caller]
    pub fn new<T>(capacity: Option<usize>) -> RawChannel {
        let channel = RawChannel { identity: Identity::new(), what: What::holding::<T>("channel"), capacity };
        // Named in the order of making, not of first use.
        try_with(|state| channel.index(state));
        channel
    }

    /// A channel without a limit that a model makes for the learner's code at this place, and what it is.
    pub fn made_at(what: &'static str, at: Site) -> RawChannel {
        RawChannel { identity: Identity::made_at(at), what: What::plain(what), capacity: None }
    }

    fn index(&self, state: &mut State) -> ObjectIndex {
        self.register(state).0
    }

    fn register(&self, state: &mut State) -> (ObjectIndex, Age) {
        let capacity = self.capacity;
        let fresh = || {
            Model::Channel(Channel {
                capacity,
                inside: Default::default(),
                next: 0,
                senders: 1,
                receivers: 1,
                waiting: 0,
            })
        };
        self.identity.register(state, self.what, fresh)
    }

    /// The channel's place, for an operation. A channel that is left from an earlier schedule has messages of that one.
    pub(super) fn in_use(&self) -> ObjectIndex {
        let (object, age) = with(|state| self.register(state));
        if age == Age::Stale {
            crate::data::refuse("channel", "its messages can't be made fresh");
        }
        object
    }

    /// How many messages fit in.
    pub fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Lets a message in, waiting for room. `put` stores it behind those that are inside; for a channel without room, `take`
    /// gets it back if nobody received it: its place in the queue is the argument.
    #[track_caller]
    pub fn send(&self, deadline: Deadline, put: impl FnOnce(), take: impl FnOnce(usize)) -> Result<(), Refusal> {
        self.send_at(Location::caller(), deadline, put, take)
    }

    /// The same, for the learner's code at this place.
    pub fn send_at(
        &self,
        at: Site,
        deadline: Deadline,
        put: impl FnOnce(),
        take: impl FnOnce(usize),
    ) -> Result<(), Refusal> {
        let object = self.in_use();
        let operation = Operation::new(Kind::Send, "send", object, at);
        let ticket = self.let_in(operation.until(deadline.0))?;
        put();
        if self.capacity != Some(0) {
            return Ok(());
        }
        let how = step(Operation { kind: Kind::Handoff, number: ticket, ..operation }.until(deadline.0));
        let left = with(|state| {
            let inside = &mut state.channel(object).inside;
            let place = inside.iter().position(|&other| other == ticket);
            if let Some(place) = place {
                inside.remove(place);
            }
            place
        });
        let Some(place) = left else { return Ok(()) };
        take(place);
        with(State::record_refusal);
        Err(if how == How::Timeout { Refusal::TimedOut } else { Refusal::Disconnected })
    }

    fn let_in(&self, operation: Operation) -> Result<u64, Refusal> {
        if step(operation) != How::Step {
            return Err(Refusal::TimedOut);
        }
        with(|state| {
            let channel = state.channel(operation.object);
            if channel.receivers == 0 {
                state.record_refusal();
                return Err(Refusal::Disconnected);
            }
            Ok(channel.let_in())
        })
    }

    /// Lets a message in if that is possible at once.
    #[track_caller]
    pub fn try_send(&self, put: impl FnOnce()) -> Result<(), Refusal> {
        let object = self.in_use();
        if self.capacity == Some(0) {
            with(State::observe);
        }
        step(Operation::new(Kind::Change, "try_send", object, Location::caller()));
        with(|state| {
            let channel = state.channel(object);
            let refusal = match (channel.receivers, channel.has_room()) {
                (0, _) => Some(Refusal::Disconnected),
                (_, false) => Some(Refusal::NotNow),
                _ => None,
            };
            match refusal {
                Some(refusal) => {
                    state.record_refusal();
                    Err(refusal)
                }
                None => {
                    channel.let_in();
                    state.changed();
                    Ok(())
                }
            }
        })?;
        put();
        Ok(())
    }

    /// Waits for a message. After `Ok` the caller takes the first one.
    #[track_caller]
    pub fn receive(&self, name: &'static str, deadline: Deadline) -> Result<(), Refusal> {
        self.receive_at(Location::caller(), name, deadline)
    }

    /// The same, for the learner's code at this place.
    pub fn receive_at(&self, at: Site, name: &'static str, deadline: Deadline) -> Result<(), Refusal> {
        let object = self.in_use();
        let queues = self.capacity == Some(0) && with(|state| state.settings.observed);
        if queues {
            step(Operation::new(Kind::Queue, "queue", object, at));
            with(|state| state.channel(object).waiting += 1);
        }
        let how = step(Operation::new(Kind::Receive, name, object, at).until(deadline.0));
        if queues {
            with(|state| {
                let waiting = &mut state.channel(object).waiting;
                *waiting = waiting.saturating_sub(1);
            });
        }
        match how {
            How::Step => with(|state| state.take_message(object, Refusal::Disconnected)),
            _ => Err(Refusal::TimedOut),
        }
    }

    /// Takes a message if there is one.
    #[track_caller]
    pub fn try_receive(&self) -> Result<(), Refusal> {
        let object = self.in_use();
        with(State::observe);
        step(Operation::new(Kind::TryReceive, "try_recv", object, Location::caller()));
        with(|state| {
            let taken = state.take_message(object, Refusal::NotNow);
            if taken.is_ok() {
                state.changed();
            }
            taken
        })
    }

    /// Takes the message whose arm was selected. After `Ok` the caller takes the first one.
    pub fn take_selected(&self) -> Result<(), Refusal> {
        let object = self.in_use();
        with(|state| state.take_message(object, Refusal::NotNow))
    }

    /// Lets the message in whose arm was selected. After `Ok` the caller stores it behind those that are inside.
    pub fn put_selected(&self) -> Result<(), Refusal> {
        let object = self.in_use();
        with(|state| {
            let channel = state.channel(object);
            if channel.receivers == 0 {
                return Err(Refusal::Disconnected);
            }
            channel.let_in();
            state.changed();
            Ok(())
        })
    }

    /// A step that may change what is kept beside the channel, where details are steps that hardly any program sees.
    #[track_caller]
    pub fn touch_closely(&self, name: &'static str) {
        if looks_closely() {
            step(Operation::new(Kind::Change, name, self.in_use(), Location::caller()));
        }
    }

    /// How many messages are inside.
    #[track_caller]
    pub fn len(&self, name: &'static str) -> usize {
        let object = self.in_use();
        step(Operation::new(Kind::Look, name, object, Location::caller()));
        with(|state| {
            let channel = state.channel(object);
            if channel.capacity == Some(0) { 0 } else { channel.inside.len() }
        })
    }

    /// One more sender.
    pub fn add_sender(&self) {
        try_with(|state| {
            let object = self.index(state);
            state.channel(object).senders += 1;
        });
    }

    /// One more receiver.
    pub fn add_receiver(&self) {
        try_with(|state| {
            let object = self.index(state);
            state.channel(object).receivers += 1;
        });
    }

    /// One sender is gone. It only lets receivers go on, so it is no decision unless somebody polls.
    pub fn drop_sender(&self) {
        let announced = try_with(|state| {
            let object = self.index(state);
            let operation = Operation::new(Kind::HangUp, "close", object, state.here());
            if release_is_a_step(state) {
                return Some(operation);
            }
            state.sender_is_gone(object);
            None
        });
        if let Some(Some(operation)) = announced {
            step(operation);
            with(|state| state.sender_is_gone(operation.object));
        }
    }

    /// One receiver is gone. True for the last one of a channel with room: the messages inside are lost. A channel without room
    /// gives them back to their senders.
    pub fn drop_receiver(&self) -> bool {
        let announced = try_with(|state| {
            let object = self.index(state);
            Operation::new(Kind::Change, "close", object, state.here())
        });
        let Some(operation) = announced else { return true };
        // Which of several is the last one, senders can see.
        step(operation);
        with(|state| {
            let channel = state.channel(operation.object);
            channel.receivers = channel.receivers.saturating_sub(1);
            let loses = channel.receivers == 0 && channel.capacity != Some(0);
            if loses {
                channel.inside.clear();
            }
            if channel.receivers == 0 {
                state.changed();
            }
            loses
        })
    }
}

impl Channel {
    fn let_in(&mut self) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.inside.push_back(ticket);
        ticket
    }
}

impl State {
    fn channel(&mut self, object: ObjectIndex) -> &mut Channel {
        match &mut self.objects[object as usize].model {
            Model::Channel(channel) => channel,
            other => unreachable!("a channel, not {other:?}"),
        }
    }

    /// How many messages fit into a channel.
    pub(super) fn capacity(&mut self, object: ObjectIndex) -> Option<usize> {
        self.channel(object).capacity
    }

    /// Whether a channel has no message, so that who wants one sees whether somebody is left to send it.
    pub(crate) fn is_drained(&self, object: ObjectIndex) -> bool {
        matches!(&self.objects[object as usize].model, Model::Channel(channel) if channel.inside.is_empty())
    }

    fn take_message(&mut self, object: ObjectIndex, if_empty: Refusal) -> Result<(), Refusal> {
        let channel = self.channel(object);
        if channel.inside.pop_front().is_some() {
            return Ok(());
        }
        let refusal = if channel.senders == 0 { Refusal::Disconnected } else { if_empty };
        self.record_refusal();
        Err(refusal)
    }

    fn sender_is_gone(&mut self, object: ObjectIndex) {
        let here = self.here();
        let channel = self.channel(object);
        channel.senders = channel.senders.saturating_sub(1);
        if channel.senders == 0 {
            self.record_passively(&Operation::new(Kind::HangUp, "close", object, here));
            self.changed();
        }
        let me = self.current;
        if let Some(order) = &self.order {
            order.borrow_mut().closed(me, object);
        }
        self.memory.released(me, Key::Senders(object), true);
    }

    /// Where the thread that runs was last seen: destructors have no caller's place.
    pub(crate) fn here(&self) -> Site {
        self.threads.get(self.current).map_or(Location::caller(), |thread| thread.pending.at)
    }
}
