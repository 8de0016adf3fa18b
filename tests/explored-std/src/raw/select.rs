//! Waiting for several channels at once.

use std::panic::Location;

use super::{Deadline, RawChannel, choose};
use crate::engine::kind::Kind;
use crate::engine::object::Awaits;
use crate::engine::operation::{How, NOTHING, Operation};
use crate::engine::run::{Ending, end, step, with};
use crate::engine::state::State;

/// One of the things that a thread waits for at once.
#[derive(Clone, Copy, Debug)]
pub enum Arm<'a> {
    /// A message from this channel, or its end.
    Receive(&'a RawChannel),
    /// Room in this channel, or its end.
    Send(&'a RawChannel),
    /// A moment.
    At(crate::time::Instant),
}

/// How a selection is made.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// Whether the first of several that could be taken is taken; otherwise each of them is explored.
    pub biased: bool,
    /// When to give up.
    pub deadline: Deadline,
    /// Whether to give up at once if none could be taken.
    pub try_only: bool,
}

/// Waits until one of the arms can be taken, and says which: its place. None if the time was up first. The caller takes it before the
/// thread's next step, with [`RawChannel::take_selected`] or [`RawChannel::put_selected`].
#[track_caller]
pub fn select(arms: &[Arm<'_>], how: Selection) -> Option<usize> {
    let moment = |arm: &Arm<'_>| match arm {
        Arm::At(moment) => Some(Deadline::at(*moment)),
        _ => None,
    };
    let first_moment = arms.iter().filter_map(moment).map(|deadline| deadline.0).min();
    let awaits: Vec<Option<Awaits>> = arms.iter().map(Arm::awaits).collect();
    refuse_to_meet(&awaits);
    with(|state| {
        // Whether a receiver waits, or somebody tries, others can see. And who could take another arm sees whether a channel has
        // ended.
        let sees = awaits.iter().flatten().any(|arm| arm.sends && state.capacity(arm.object) == Some(0));
        let sees_end = arms.len() > 1 && awaits.iter().flatten().any(|arm| !arm.sends);
        if how.try_only || sees || sees_end {
            state.observe();
        }
        state.me().awaits = awaits.iter().flatten().copied().collect();
    });
    let is_due = |state: &State, arm: &Arm<'_>| moment(arm).is_some_and(|deadline| deadline.0 <= state.now);
    let ready = |state: &State| -> Vec<usize> {
        let is_ready = |place: usize| match awaits[place] {
            Some(arm) => arm.is_ready(&state.objects),
            None => is_due(state, &arms[place]),
        };
        (0..arms.len()).filter(|&place| is_ready(place)).collect()
    };
    let due = with(|state| arms.iter().any(|arm| is_due(state, arm)));
    let operation = Operation::new(Kind::Select, "select", NOTHING, Location::caller());
    // What is possible at once is never waited for.
    let number = u64::from(how.try_only || due);
    let deadline = how.deadline.0.min(first_moment.unwrap_or(u64::MAX));
    let resumed = step(Operation { number, ..operation }.until(deadline));
    let ready = with(|state| {
        state.me().awaits.clear();
        ready(state)
    });
    let chosen = match ready[..] {
        [] => None,
        _ if resumed == How::Timeout && first_moment.is_none() => None,
        [first, ..] if how.biased => Some(first),
        _ => Some(ready[choose(ready.len())]),
    };
    if chosen.is_none() {
        with(|state| state.record_refusal());
    }
    chosen
}

impl Arm<'_> {
    fn awaits(&self) -> Option<Awaits> {
        match self {
            Arm::Receive(channel) => Some(Awaits { object: channel.in_use(), sends: false }),
            Arm::Send(channel) => Some(Awaits { object: channel.in_use(), sends: true }),
            Arm::At(_) => None,
        }
    }
}

/// Two selections that meet at a channel without room, hand to hand, are not modelled: neither would see that the other one waits.
fn refuse_to_meet(mine: &[Option<Awaits>]) {
    let meets = with(|state| {
        let theirs: Vec<Awaits> = state.threads.iter().flat_map(|thread| thread.awaits.iter().copied()).collect();
        mine.iter().flatten().any(|arm| {
            let other = |its: &Awaits| its.object == arm.object && its.sends != arm.sends;
            state.capacity(arm.object) == Some(0) && theirs.iter().any(other)
        })
    });
    if meets {
        let message =
            "two `select!` meet at a channel without room, which is not modelled: run this test on threads only";
        end(Ending::Nondeterministic(message.to_string()));
    }
}
