//! Virtual time, and what happens when nobody could go on.

use super::mark::Marked;
use super::operation::{Kind, NEVER};
use super::possible::is_possible;
use super::state::State;
use super::thread::{Status, ThreadState};

/// How often all threads may go round without a change before it is called a livelock.
const IDLE_ROUNDS: u32 = 300;
/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;
/// How often all may go round without a change before time moves, unless each of them yields.
const ROUNDS_BEFORE_TIME: u32 = 30;

impl State {
    /// Nobody could go on: moves time, or lets those that spin go round once more.
    pub(super) fn move_on(&mut self) -> bool {
        let is_spinning = |(index, thread): &(usize, &ThreadState)| {
            thread.status == Status::Live
                && self.is_held_back(thread)
                && is_possible(&self.threads, &self.objects, *index)
        };
        let spinning = self.threads.iter().enumerate().any(|thread| is_spinning(&thread));
        let all_yield = self.threads.iter().enumerate().filter(is_spinning).all(|(_, thread)| thread.yields);
        let time_may_move = all_yield || self.idle_rounds >= ROUNDS_BEFORE_TIME;
        if time_may_move && self.first_deadline() != NEVER {
            self.advance_clock(true);
            return true;
        }
        if !spinning || self.idle_rounds > IDLE_ROUNDS {
            return false;
        }
        self.idle_rounds += 1;
        if time_may_move && self.clock_read {
            self.clock_moves += 1;
            self.now += MILLISECOND << self.clock_moves.min(30);
            self.mark(Marked::TimeMoves { still: false });
            self.clock_read = false;
        }
        let version = self.changes;
        for thread in &mut self.threads {
            thread.forget_streak(version);
        }
        true
    }

    /// The earliest deadline of those that wait and were not called.
    pub(super) fn first_deadline(&self) -> u64 {
        let mut first = NEVER;
        for (index, thread) in self.threads.iter().enumerate() {
            if thread.status == Status::Live
                && thread.pending.deadline < first
                && thread.pending.deadline > self.now
                && !(thread.pending.kind == Kind::Wake && thread.notified)
                && !is_possible(&self.threads, &self.objects, index)
            {
                first = thread.pending.deadline;
            }
        }
        first
    }

    /// Moves time to the first deadline; `still` if that is because nobody could go on.
    pub(super) fn advance_clock(&mut self, still: bool) {
        let to = self.first_deadline();
        if to != NEVER {
            self.now = to;
            self.mark(Marked::TimeMoves { still });
            self.clock_read = false;
            self.changed();
            self.steps_at_advance = self.steps;
            if let Some(order) = &self.order {
                order.borrow_mut().everybody_meets();
            }
        }
    }
}
