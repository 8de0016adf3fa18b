//! What happened before what in the schedule that runs, as vector clocks (Lamport, Fidge, Mattern).
//!
//! The order of dependent steps, and of the steps of one thread, is all that matters: schedules that agree in it are the same to
//! every thread.

use super::access::{Access, Accesses, Key, only_lets_go_on};
use super::kind::Kind;
use super::operation::{Choice, How, ObjectIndex, Operation, RETURNED, ThreadIndex};
use super::state::State;

/// For each thread: the steps of it that happened before, as one more than the place of its last one.
type Clock = Vec<u32>;

fn join(into: &mut Clock, from: &[u32]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    for (mine, its) in into.iter_mut().zip(from) {
        *mine = (*mine).max(*its);
    }
}

fn at(clock: &[u32], thread: ThreadIndex) -> u32 {
    clock.get(thread).copied().unwrap_or(0)
}

/// A step that was made. Its place in the list is the number of decisions before it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    choice: Choice,
    kind: Kind,
    touched: Accesses,
    /// Whether its thread has passed others behind it.
    goes_on: bool,
    /// Its clock, in the arena.
    clock: (usize, usize),
}

/// Who touched a key.
#[derive(Clone, Debug, Default)]
struct History {
    key: Option<Key>,
    touches: Vec<(u32, bool)>,
    /// Those that write.
    writes: Vec<(u32, bool)>,
    written: Clock,
    read: Clock,
}

/// The order of a schedule's steps.
#[derive(Debug, Default)]
pub(crate) struct HappensBefore {
    events: Vec<Event>,
    arena: Vec<u32>,
    threads: Vec<Clock>,
    ends: Vec<Clock>,
    returns: Vec<Clock>,
    /// All that was when time last moved.
    meeting: Clock,
    histories: Vec<History>,
    /// How many of the histories are in use; the rest keep their memory.
    used: usize,
    /// Whether steps were left out since.
    stopped: bool,
}

impl HappensBefore {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.arena.clear();
        self.threads.iter_mut().for_each(Vec::clear);
        self.ends.iter_mut().for_each(Vec::clear);
        self.returns.iter_mut().for_each(Vec::clear);
        self.meeting.clear();
        self.used = 0;
        self.stopped = false;
    }

    /// Steps are not added any more: what happened before what is not known from here on.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// For each thread, the steps of it that happened before what this thread does now. Nothing if that is not known.
    pub(crate) fn past_of(&self, thread: ThreadIndex) -> Option<&[u32]> {
        if self.stopped { None } else { self.threads.get(thread).map(Vec::as_slice) }
    }

    fn clock_of(&mut self, thread: ThreadIndex) -> &mut Clock {
        while self.threads.len() <= thread {
            self.threads.push(Clock::new());
            self.ends.push(Clock::new());
            self.returns.push(Clock::new());
        }
        &mut self.threads[thread]
    }

    fn history(&mut self, key: Key) -> &mut History {
        let found = self.histories[..self.used].iter().position(|history| history.key == Some(key));
        let index = found.unwrap_or_else(|| {
            if self.used == self.histories.len() {
                self.histories.push(History::default());
            }
            let history = &mut self.histories[self.used];
            history.key = Some(key);
            history.touches.clear();
            history.writes.clear();
            history.written.clear();
            history.read.clear();
            self.used += 1;
            self.used - 1
        });
        &mut self.histories[index]
    }

    /// A thread was started by another one.
    pub(crate) fn spawned(&mut self, by: ThreadIndex, new: ThreadIndex) {
        let clock = self.clock_of(by).clone();
        *self.clock_of(new) = clock;
    }

    /// A thread's job is done.
    pub(crate) fn returned(&mut self, thread: ThreadIndex) {
        self.returns[thread] = self.clock_of(thread).clone();
    }

    /// A thread has ended.
    pub(crate) fn exited(&mut self, thread: ThreadIndex) {
        self.ends[thread] = self.clock_of(thread).clone();
    }

    /// A thread has given a lock back without a step. Readers come after writers, and only writers after readers.
    pub(crate) fn released(&mut self, by: ThreadIndex, object: ObjectIndex, shared: bool) {
        let clock = std::mem::take(self.clock_of(by));
        let history = self.history(Key::Object(object));
        join(if shared { &mut history.read } else { &mut history.written }, &clock);
        *self.clock_of(by) = clock;
    }

    /// A sender has gone without a step.
    pub(crate) fn closed(&mut self, by: ThreadIndex, object: ObjectIndex) {
        let clock = self.clock_of(by).clone();
        join(&mut self.history(Key::Closed(object)).read, &clock);
    }

    /// A thread has called another one, which waits.
    pub(crate) fn called(&mut self, by: ThreadIndex, waiter: ThreadIndex) {
        let clock = self.clock_of(by).clone();
        join(self.clock_of(waiter), &clock);
    }

    /// Time has moved on, since nobody could: timeouts that fire from now on come after all that was.
    pub(crate) fn everybody_meets(&mut self) {
        for clock in &self.threads {
            join(&mut self.meeting, clock);
        }
    }

    /// The thread is about to time out.
    fn times_out(&mut self, thread: ThreadIndex) {
        let meeting = std::mem::take(&mut self.meeting);
        join(self.clock_of(thread), &meeting);
        self.meeting = meeting;
    }

    /// Whether a thread's past has a step of another thread.
    pub(crate) fn is_in_past_of(&self, thread: ThreadIndex, by: ThreadIndex, place: u32) -> bool {
        self.threads.get(thread).is_some_and(|clock| at(clock, by) > place)
    }

    /// Whether the step at `earlier` happened before the one at `later`.
    fn is_before(&self, earlier: usize, later: usize) -> bool {
        let (start, length) = self.events[later].clock;
        at(&self.arena[start..start + length], self.events[earlier].choice.thread) > earlier as u32
    }

    /// The thread's last step, as one more than its place.
    pub(crate) fn last_step_of(&self, thread: ThreadIndex) -> u32 {
        self.threads.get(thread).map_or(0, |clock| at(clock, thread))
    }

    /// Whether a step after `from`, that does not come after that one, touches any of these.
    pub(crate) fn is_touched_otherwise(&self, from: usize, touched: &Accesses) -> bool {
        (from + 1..self.events.len())
            .any(|place| !self.is_before(from, place) && self.events[place].touched.depends_on(touched))
    }

    /// The steps with which this one, about to be made or at least announced, is in a race: they are dependent, nothing
    /// between orders them, and they could have come after it. Latest first.
    pub(crate) fn races(
        &self,
        thread: ThreadIndex,
        kind: Kind,
        touched: &Accesses,
        found: &mut Vec<usize>,
        possible_at: impl Fn(usize) -> bool,
    ) {
        found.clear();
        let clock: &[u32] = self.threads.get(thread).map_or(&[], Vec::as_slice);
        for access in touched.iter().chain(std::iter::once(Access::LOOK_AROUND)) {
            let Some(history) = self.histories[..self.used].iter().find(|history| history.key == Some(access.key))
            else {
                continue;
            };
            let others = if access.writes { &history.touches } else { &history.writes };
            for &(place, writes) in others.iter().rev() {
                let event = &self.events[place as usize];
                if event.choice.thread == thread || at(clock, event.choice.thread) > place {
                    if writes {
                        break;
                    }
                    continue;
                }
                if !event.goes_on && only_lets_go_on(event.kind, kind) || !possible_at(place as usize) {
                    continue;
                }
                found.push(place as usize);
                if writes {
                    break;
                }
            }
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
    }

    /// Adds the step that is made now.
    pub(crate) fn make(&mut self, state: &State, choice: Choice, touched: &Accesses) {
        if choice.how == How::Timeout && !state.settings.hostile {
            self.times_out(choice.thread);
        }
        self.add(choice, &state.threads[choice.thread].pending, touched);
    }

    fn add(&mut self, choice: Choice, operation: &Operation, touched: &Accesses) {
        let thread = choice.thread;
        let place = self.events.len() as u32;
        let mut clock = std::mem::take(self.clock_of(thread));
        if operation.kind == Kind::Join {
            let ends = if operation.number == RETURNED { &self.returns } else { &self.ends };
            join(&mut clock, &ends[operation.other]);
        }
        for access in touched.iter() {
            let history = self.history(access.key);
            join(&mut clock, &history.written);
            if access.writes {
                join(&mut clock, &history.read);
            }
        }
        let all = self.history(Key::Everything);
        join(&mut clock, &all.written);
        if clock.len() <= thread {
            clock.resize(thread + 1, 0);
        }
        clock[thread] = place + 1;
        for access in touched.iter().chain((!touched.is_everything()).then_some(Access::LOOK_AROUND)) {
            let history = self.history(access.key);
            history.touches.push((place, access.writes));
            if access.writes {
                history.writes.push((place, true));
            }
            join(if access.writes { &mut history.written } else { &mut history.read }, &clock);
        }
        let start = self.arena.len();
        self.arena.extend_from_slice(&clock);
        let clock_at = (start, clock.len());
        self.events.push(Event { choice, kind: operation.kind, touched: *touched, goes_on: false, clock: clock_at });
        *self.clock_of(thread) = clock;
    }

    /// The thread of the last step passes one that touches this. Gives what the last step did not touch so far.
    pub(crate) fn goes_on(&mut self, touched: &Accesses) -> Accesses {
        let mut new = Accesses::none();
        if let Some(event) = self.events.last_mut() {
            event.goes_on = true;
            for access in touched.iter().filter(|access| !event.touched.covers(*access)) {
                new.extend(access);
            }
        }
        new
    }

    /// The last step touches this, too. Gives all that it touches.
    pub(crate) fn extend(&mut self, access: Access) -> Accesses {
        let place = self.events.len() - 1;
        let event = &mut self.events[place];
        let access = event.touched.extend(access);
        let (thread, touched, start) = (event.choice.thread, event.touched, event.clock.0);
        let mut clock = std::mem::take(self.clock_of(thread));
        let history = self.history(access.key);
        join(&mut clock, &history.written);
        if access.writes {
            join(&mut clock, &history.read);
            history.writes.push((place as u32, true));
        }
        history.touches.push((place as u32, access.writes));
        join(if access.writes { &mut history.written } else { &mut history.read }, &clock);
        // The last step's clock is the last in the arena.
        self.arena.truncate(start);
        self.arena.extend_from_slice(&clock);
        self.events[place].clock = (start, clock.len());
        *self.clock_of(thread) = clock;
        touched
    }

    /// The choices with which a schedule could begin at `from` so as to make the step of `next`, or the last one that was made,
    /// before the one at `from`: the first steps of those that do not come after that one. Returns how many steps were looked
    /// at.
    pub(crate) fn initials(&self, from: usize, next: Option<(Choice, &Accesses)>, initials: &mut Vec<Choice>) -> u64 {
        initials.clear();
        // The first kept step of each thread: what comes after a later one of them comes after it, too.
        let mut first: Vec<(ThreadIndex, usize)> = Vec::new();
        let mut next_depends = false;
        for place in from + 1..self.events.len() {
            if self.is_before(from, place) {
                continue;
            }
            let event = &self.events[place];
            next_depends |= next.is_some_and(|(_, touched)| event.touched.depends_on(touched));
            let thread = event.choice.thread;
            let is_first = first.iter().all(|&(_, other)| !self.is_before(other, place));
            if is_first {
                initials.push(event.choice);
            }
            if first.iter().all(|known| known.0 != thread) {
                first.push((thread, place));
            }
        }
        if let Some((next, _)) = next
            && !next_depends
            && first.iter().all(|&(thread, place)| at(&self.threads[next.thread], thread) <= place as u32)
        {
            initials.insert(0, next);
        }
        (self.events.len() - from) as u64
    }
}
