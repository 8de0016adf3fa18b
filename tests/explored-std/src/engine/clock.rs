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
/// How often all may go round without a change before time moves.
const ROUNDS_BEFORE_TIME: u32 = 30;
/// The same where each of them yields.
const ROUNDS_OF_YIELDING: u32 = 1;
/// Time moves by this part of what it has moved already for those that only read the clock.
const TICK: u64 = 8;

impl State {
    /// Nobody could go on: moves time, or lets those that spin go round once more.
    pub(super) fn move_on(&mut self) -> bool {
        let is_spinning = |(index, thread): &(usize, &ThreadState)| {
            thread.status == Status::Live
                && self.is_held_back(thread)
                && is_possible(&self.threads, &self.objects, *index)
        };
        let spinning = self.threads.iter().enumerate().any(|thread| is_spinning(&thread));
        let all_yield =
            self.threads.iter().enumerate().filter(is_spinning).all(|(_, thread)| thread.waits_for_others());
        let rounds = if all_yield { ROUNDS_OF_YIELDING } else { ROUNDS_BEFORE_TIME };
        let time_may_move = !spinning || self.idle_rounds >= rounds;
        let ticks = spinning && self.clock_read;
        if time_may_move && !ticks && self.first_deadline() != NEVER {
            self.advance_clock(true);
            return true;
        }
        if !spinning || self.idle_rounds > IDLE_ROUNDS {
            return false;
        }
        self.idle_rounds += 1;
        if time_may_move && ticks {
            self.tick(all_yield);
        }
        let version = self.changes;
        for thread in &mut self.threads {
            thread.forget_streak(version);
        }
        true
    }

    /// Moves time a little, for those that look at the clock again and again: one who yields may have a limit that is over
    /// before the first deadline.
    fn tick(&mut self, all_yield: bool) {
        let part = if all_yield { self.ticked / TICK } else { self.ticked };
        let step = part.max(MILLISECOND);
        if self.now + step >= self.first_deadline() {
            self.advance_clock(true);
            return;
        }
        self.ticked += step;
        self.now += step;
        self.mark(Marked::TimeMoves { still: true });
        self.clock_read = false;
        if let Some(order) = &self.order {
            order.borrow_mut().everybody_meets();
        }
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
            self.ticked = 0;
            self.changed();
            self.steps_at_advance = self.steps;
            if let Some(order) = &self.order {
                order.borrow_mut().everybody_meets();
            }
        }
    }
}
