//! Virtual time, and what happens when nobody could go on.

use super::grain::{Grain, Limits};
use super::kind::Kind;
use super::mark::Marked;
use super::operation::{NEVER, NOBODY, ThreadIndex};
use super::possible::is_possible;
use super::state::State;
use super::thread::ThreadState;

/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = 1_000_000;
/// Time moves by this part of what it has moved already for those that only read the clock.
const TICK: u64 = 8;
/// A thread that looks at the clock more often than this between two operations waits until it is later.
const MOST_LOOKS: u32 = 200;

impl State {
    /// Nobody could go on: lets those that spin go round once more, one after the other so that they do not get in each other's
    /// way, and then moves time.
    pub(super) fn move_on(&mut self) -> bool {
        if self.spinning().next().is_none() {
            return self.advance_clock(true);
        }
        let next = self.spinning().find(|&index| self.turn == NOBODY || index > self.turn);
        if let Some(next) = next {
            self.turn = next;
            self.threads[next].forget_streak(self.changes);
            return true;
        }
        let polls = |index: ThreadIndex| {
            let streak = &self.threads[index].streak;
            streak.yields > 0 && streak.looks_at_clock()
        };
        let all_poll = self.spinning().all(polls);
        self.turn = NOBODY;
        self.idle_rounds += 1;
        if self.idle_rounds > Limits::of(self.grain).rounds_of_all {
            if self.grain == Grain::Coarse {
                return false;
            }
            // A long loop over nothing looks the same for a while: whether it is one is seen by looking on for longer.
            self.grain = Grain::Coarse;
            self.idle_rounds = 0;
        }
        if self.live_threads().any(|(_, thread)| self.waits_for_one_that_spins(thread)) {
            return true;
        }
        let time_may_move = all_poll || self.idle_rounds >= Limits::of(self.grain).rounds_before_time;
        let others_go_on = match self.clock_read {
            true => time_may_move && self.tick(all_poll),
            false => time_may_move && self.advance_clock(true),
        };
        others_go_on || self.move_on()
    }

    /// The threads that could go on, but only repeat themselves.
    pub(super) fn spinning(&self) -> impl Iterator<Item = ThreadIndex> + '_ {
        let is_spinning = |(index, thread): &(ThreadIndex, &ThreadState)| {
            self.is_held_back(thread) && is_possible(&self.threads, &self.objects, *index)
        };
        self.live_threads().filter(is_spinning).map(|(index, _)| index)
    }

    /// Moves time a little, for those that look at the clock again and again: one who yields in between may have a limit that is
    /// over before the first deadline. Says whether that has come.
    fn tick(&mut self, all_poll: bool) -> bool {
        let part = if all_poll { self.ticked / TICK } else { self.ticked };
        let step = part.max(MILLISECOND);
        if self.now + step >= self.first_deadline(true) {
            return self.advance_clock(true);
        }
        self.ticked += step;
        self.move_time(self.now + step, true);
        false
    }

    /// The earliest deadline of those that wait and were not called. A harness waits until nobody can go on: while somebody can, its
    /// deadlines don't count, since all is not `still`.
    pub(super) fn first_deadline(&self, still: bool) -> u64 {
        let mut first = NEVER;
        for (index, thread) in self.live_threads() {
            if thread.pending.deadline < first
                && (still || thread.pending.kind != Kind::Never)
                && thread.pending.deadline > self.now
                && !(thread.pending.kind == Kind::Wake && thread.notified)
                && !is_possible(&self.threads, &self.objects, index)
            {
                first = thread.pending.deadline;
            }
        }
        first
    }

    /// Moves time to the first deadline, if there is one; `still` if that is because nobody could go on.
    pub(super) fn advance_clock(&mut self, still: bool) -> bool {
        let to = self.first_deadline(still);
        if to == NEVER {
            return false;
        }
        self.ticked = 0;
        self.move_time(to, still);
        self.time_passed();
        self.length_at_advance = self.length();
        true
    }

    /// Moves time although somebody can go on: to the first deadline; or a little, where somebody looks at the clock, who may wait for
    /// a limit to be exceeded. Says whether it did.
    pub(super) fn time_has_to_move(&mut self) -> bool {
        if self.advance_clock(false) {
            return true;
        }
        let looks = self.clock_read;
        if looks {
            self.move_time(self.now + MILLISECOND, false);
            self.length_at_advance = self.length();
        }
        looks
    }

    /// The operation that it is to look at the clock, for the running thread, if it is one.
    pub(crate) fn looks_at_clock(&mut self) -> Option<Kind> {
        if self.settings.hostile {
            // Time moves while others run, so the moment of looking matters.
            return Some(Kind::Clock);
        }
        self.me().looks += 1;
        // It goes round and round until it is later: others go on in the meantime.
        (self.me().looks > MOST_LOOKS).then_some(Kind::Yield)
    }

    /// The time, for the running thread.
    pub(crate) fn reads_clock(&mut self) -> u64 {
        self.clock_read = true;
        self.me().streak.reads_clock();
        self.now
    }

    fn move_time(&mut self, to: u64, still: bool) {
        self.now = to;
        self.clock_read = false;
        self.mark(Marked::TimeMoves { still });
        if still {
            self.memory.everybody_sees_all();
        }
        if let Some(order) = &self.order {
            order.borrow_mut().everybody_meets();
        }
    }
}
