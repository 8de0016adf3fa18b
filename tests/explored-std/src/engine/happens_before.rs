//! What happened before what in the schedule that runs, as vector clocks (Lamport, Fidge, Mattern).
//!
//! The order of dependent steps, and of the steps of one thread, is all that matters: schedules that agree in it are the same to
//! every thread.

use super::access::{Access, Accesses, Key, only_lets_go_on};
use super::kind::Kind;
use super::operation::{Choice, How, ObjectIndex, RETURNED, ThreadIndex};
use super::state::State;

/// For each thread: the steps of it that happened before, as one more than the place of its last one. Clocks lie in an arena and
/// are never changed there, so that many holders share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Clock {
    start: u32,
    length: u32,
}

/// The clocks of a schedule.
#[derive(Debug, Default)]
struct Arena(Vec<u32>);

impl Arena {
    fn get(&self, clock: Clock) -> &[u32] {
        &self.0[clock.start as usize..(clock.start + clock.length) as usize]
    }

    fn push(&mut self, steps: &[u32]) -> Clock {
        let start = self.0.len() as u32;
        self.0.extend_from_slice(steps);
        Clock { start, length: steps.len() as u32 }
    }

    /// All that happened before the one or the other: one of the two, where it has all that the other one has.
    fn join(&mut self, one: Clock, other: Clock) -> Clock {
        if self.has(one, other) {
            return one;
        }
        if self.has(other, one) {
            return other;
        }
        let (longer, shorter) = if one.length < other.length { (other, one) } else { (one, other) };
        let start = self.0.len();
        self.0.extend_from_within(longer.start as usize..(longer.start + longer.length) as usize);
        for index in 0..shorter.length as usize {
            self.0[start + index] = self.0[start + index].max(self.0[shorter.start as usize + index]);
        }
        Clock { start: start as u32, length: longer.length }
    }

    fn has(&self, all: Clock, of: Clock) -> bool {
        let (all, of) = (self.get(all), self.get(of));
        all.len() >= of.len() && all.iter().zip(of).all(|(all, of)| all >= of)
    }
}

fn join(into: &mut Vec<u32>, from: &[u32]) {
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
    clock: Clock,
    /// The place where what is one step to all others began: its own, unless its thread is in the middle of polling a future.
    begun: usize,
    /// How much of everything there was before it.
    before: Extent,
}

/// How much there is of everything that only grows.
#[derive(Clone, Copy, Debug)]
struct Extent {
    arena: usize,
    replaced: usize,
    histories: usize,
    told: usize,
    releases: usize,
}

/// Who touched a key.
#[derive(Clone, Debug, Default)]
struct History {
    key: Option<Key>,
    touches: Vec<(u32, bool)>,
    /// Those that write.
    writes: Vec<(u32, bool)>,
    written: Clock,
    /// Not kept of what all steps read.
    read: Clock,
}

impl History {
    /// Makes it the one of a key that nobody has touched.
    fn begin(&mut self, key: Key) {
        self.key = Some(key);
        self.touches.clear();
        self.writes.clear();
        self.written = Clock::default();
        self.read = Clock::default();
    }

    fn touch(&mut self, place: u32, writes: bool) {
        self.touches.push((place, writes));
        if writes {
            self.writes.push((place, true));
        }
    }

    /// Forgets the steps from a place on.
    fn forget_from(&mut self, place: u32) {
        for list in [&mut self.touches, &mut self.writes] {
            while list.last().is_some_and(|touch| touch.0 >= place) {
                list.pop();
            }
        }
    }
}

/// Who has a clock.
#[derive(Clone, Copy, Debug)]
enum Holder {
    Thread(ThreadIndex),
    End(ThreadIndex),
    Return(ThreadIndex),
    Meeting,
    Written(usize),
    Read(usize),
}

/// Whether what happens is noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Noting {
    /// It is.
    #[default]
    On,
    /// It is known: the schedule begins as the one before it, and has made so many steps.
    Known(usize),
    /// Not from here on.
    Off,
}

/// The place of the history of what all steps read.
const ALL: usize = 0;

/// The order of a schedule's steps.
#[derive(Debug, Default)]
pub(crate) struct HappensBefore {
    events: Vec<Event>,
    arena: Arena,
    threads: Vec<Clock>,
    ends: Vec<Clock>,
    returns: Vec<Clock>,
    /// All that was when time last moved.
    meeting: Clock,
    histories: Vec<History>,
    /// How many of the histories are in use; the rest keep their memory.
    used: usize,
    /// What was given back without a step, and the place of the step that it belongs to.
    releases: Vec<(u32, Key)>,
    /// The clocks that were replaced, so that the schedule can be gone back over.
    replaced: Vec<(Holder, Clock)>,
    /// The clocks that somebody was told of.
    told: Vec<Clock>,
    /// How many of these the schedule that runs has come to, where it is known.
    told_again: usize,
    noting: Noting,
    /// The clock that is being made.
    sum: Vec<u32>,
}

impl HappensBefore {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.arena.0.clear();
        self.threads.clear();
        self.ends.clear();
        self.returns.clear();
        self.meeting = Clock::default();
        self.used = 0;
        self.releases.clear();
        self.replaced.clear();
        self.told.clear();
        self.noting = Noting::On;
    }

    /// The next schedule makes the same steps up to this place, and another one there: what is known of those is kept.
    pub(crate) fn begin_again_up_to(&mut self, place: usize) {
        let Some(event) = self.events.get(place) else { return self.clear() };
        let before = event.before;
        while self.replaced.len() > before.replaced {
            if let Some((holder, clock)) = self.replaced.pop() {
                *self.clock_of(holder) = clock;
            }
        }
        self.arena.0.truncate(before.arena);
        self.used = before.histories;
        self.told.truncate(before.told);
        self.releases.truncate(before.releases);
        self.histories[..self.used].iter_mut().for_each(|history| history.forget_from(place as u32));
        self.events.truncate(place);
        self.noting = Noting::Known(0);
        self.told_again = 0;
    }

    /// Steps are not added any more: what happened before what is not known from here on.
    pub(crate) fn stop(&mut self) {
        self.noting = Noting::Off;
    }

    /// For each thread, the steps of it that happened before what this thread does now. Nothing if that is not known.
    pub(crate) fn tell_past_of(&mut self, thread: ThreadIndex) -> Option<&[u32]> {
        let clock = match self.noting {
            Noting::On => {
                let clock = *self.threads.get(thread)?;
                self.told.push(clock);
                clock
            }
            Noting::Known(_) => {
                self.told_again += 1;
                *self.told.get(self.told_again - 1)?
            }
            Noting::Off => return None,
        };
        Some(self.arena.get(clock))
    }

    fn is_on(&self) -> bool {
        self.noting == Noting::On
    }

    fn clock_of(&mut self, holder: Holder) -> &mut Clock {
        match holder {
            Holder::Thread(thread) => &mut self.threads[thread],
            Holder::End(thread) => &mut self.ends[thread],
            Holder::Return(thread) => &mut self.returns[thread],
            Holder::Meeting => &mut self.meeting,
            Holder::Written(history) => &mut self.histories[history].written,
            Holder::Read(history) => &mut self.histories[history].read,
        }
    }

    fn set(&mut self, holder: Holder, clock: Clock) {
        let before = std::mem::replace(self.clock_of(holder), clock);
        if before != clock {
            self.replaced.push((holder, before));
        }
    }

    /// Whoever has a clock learns what another one says.
    fn learn(&mut self, holder: Holder, clock: Clock) {
        let known = *self.clock_of(holder);
        let all = self.arena.join(known, clock);
        self.set(holder, all);
    }

    /// Where the history of a key is.
    fn history(&mut self, key: Key) -> usize {
        let known = &self.histories[..self.used];
        known.iter().position(|history| history.key == Some(key)).unwrap_or_else(|| self.add_history(key))
    }

    fn add_history(&mut self, key: Key) -> usize {
        if self.used == self.histories.len() {
            self.histories.push(History::default());
        }
        self.histories[self.used].begin(key);
        self.used += 1;
        self.used - 1
    }

    /// A thread was started by another one, or is the first.
    pub(crate) fn spawned(&mut self, by: ThreadIndex, new: ThreadIndex) {
        if !self.is_on() {
            return;
        }
        if self.used == 0 {
            self.add_history(Key::Everything);
        }
        for clocks in [&mut self.threads, &mut self.ends, &mut self.returns] {
            clocks.resize(clocks.len().max(new + 1), Clock::default());
        }
        self.set(Holder::Thread(new), self.threads[by]);
    }

    /// A thread's job is done.
    pub(crate) fn returned(&mut self, thread: ThreadIndex) {
        if self.is_on() {
            self.set(Holder::Return(thread), self.threads[thread]);
        }
    }

    /// A thread has ended.
    pub(crate) fn exited(&mut self, thread: ThreadIndex) {
        if self.is_on() {
            self.set(Holder::End(thread), self.threads[thread]);
        }
    }

    /// A thread has given a lock back without a step. Readers come after writers, and only writers after readers.
    pub(crate) fn released(&mut self, by: ThreadIndex, object: ObjectIndex, shared: bool) {
        if self.is_on() {
            let history = self.history(Key::Object(object));
            self.learn(if shared { Holder::Read(history) } else { Holder::Written(history) }, self.threads[by]);
            let last = self.events.len().saturating_sub(1) as u32;
            self.releases.push((last, Key::Object(object)));
        }
    }

    /// A sender has gone without a step.
    pub(crate) fn closed(&mut self, by: ThreadIndex, object: ObjectIndex) {
        if self.is_on() {
            let history = self.history(Key::Senders(object));
            self.learn(Holder::Read(history), self.threads[by]);
        }
    }

    /// A thread has called another one, which waits.
    pub(crate) fn called(&mut self, by: ThreadIndex, waiter: ThreadIndex) {
        if self.is_on() {
            self.learn(Holder::Thread(waiter), self.threads[by]);
        }
    }

    /// Time has moved on, since nobody could: timeouts that fire from now on come after all that was.
    pub(crate) fn everybody_meets(&mut self) {
        if self.is_on() {
            (0..self.threads.len()).for_each(|thread| self.learn(Holder::Meeting, self.threads[thread]));
        }
    }

    /// Whether a thread's past has a step of another thread.
    pub(crate) fn is_in_past_of(&self, thread: ThreadIndex, by: ThreadIndex, place: u32) -> bool {
        self.threads.get(thread).is_some_and(|&clock| at(self.arena.get(clock), by) > place)
    }

    /// Whether the step at `earlier` happened before the one at `later`.
    fn is_before(&self, earlier: usize, later: usize) -> bool {
        at(self.arena.get(self.events[later].clock), self.events[earlier].choice.thread) > earlier as u32
    }

    /// The thread's last step, as one more than its place.
    pub(crate) fn last_step_of(&self, thread: ThreadIndex) -> u32 {
        self.threads.get(thread).map_or(0, |&clock| at(self.arena.get(clock), thread))
    }

    /// Whether a step after `from`, that does not come after that one, touches any of these or gives it back.
    pub(crate) fn is_touched_otherwise(&self, from: usize, touched: &Accesses) -> bool {
        let is_otherwise = |place: usize| place > from && !self.is_before(from, place);
        let steps = from + 1..self.events.len();
        let mut releases = self.releases.iter().rev().take_while(|(place, _)| *place as usize > from);
        steps.into_iter().any(|place| is_otherwise(place) && self.events[place].touched.depends_on(touched))
            || releases.any(|&(place, key)| {
                is_otherwise(place as usize) && touched.depends_on(&Accesses::of(Access { key, writes: true }))
            })
    }

    /// The steps with which this one, about to be made or at least announced, is in a race: they are dependent, nothing
    /// between orders them, and they could have come after it. Latest first. Who `gives_up` could have done so before what it has
    /// waited for.
    pub(crate) fn races(
        &self,
        thread: ThreadIndex,
        kind: Kind,
        gives_up: bool,
        touched: &Accesses,
        found: &mut Vec<usize>,
        possible_at: impl Fn(usize) -> bool,
    ) {
        found.clear();
        let clock = self.threads.get(thread).map_or(&[][..], |&clock| self.arena.get(clock));
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
                    if gives_up {
                        found.push(place as usize);
                    }
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

    /// Adds the step that is made now. To all others it is one with those from `begun` on, if somebody wants to know.
    pub(crate) fn make(&mut self, state: &State, choice: Choice, touched: &Accesses, begun: Option<usize>) {
        match &mut self.noting {
            Noting::Known(made) if *made < self.events.len() => return *made += 1,
            Noting::Known(_) => self.noting = Noting::On,
            Noting::On | Noting::Off => {}
        }
        let before = Extent {
            arena: self.arena.0.len(),
            replaced: self.replaced.len(),
            histories: self.used,
            told: self.told.len(),
            releases: self.releases.len(),
        };
        let (thread, place) = (choice.thread, self.events.len() as u32);
        let operation = &state.threads[thread].pending;
        self.begin_sum(thread);
        if choice.how == How::Timeout && !state.settings.hostile {
            join(&mut self.sum, self.arena.get(self.meeting));
        }
        if operation.kind == Kind::Join {
            let ends = if operation.number == RETURNED { &self.returns } else { &self.ends };
            join(&mut self.sum, self.arena.get(ends[operation.other]));
        }
        join(&mut self.sum, self.arena.get(self.histories[ALL].written));
        for access in touched.iter() {
            self.add_past_of(access);
        }
        if self.sum.len() <= thread {
            self.sum.resize(thread + 1, 0);
        }
        self.sum[thread] = place + 1;
        let clock = self.end_sum(thread);
        for access in touched.iter() {
            self.touch(access, place, clock);
        }
        if !touched.is_everything() {
            self.histories[ALL].touch(place, false);
        }
        let (touched, begun) = (*touched, begun.unwrap_or(place as usize));
        self.events.push(Event { choice, kind: operation.kind, touched, goes_on: false, clock, begun, before });
    }

    /// Begins a clock with what a thread knows.
    fn begin_sum(&mut self, thread: ThreadIndex) {
        self.sum.clear();
        self.sum.extend_from_slice(self.arena.get(self.threads[thread]));
    }

    /// Adds what comes before whoever touches this now.
    fn add_past_of(&mut self, access: Access) {
        let index = self.history(access.key);
        let history = &self.histories[index];
        join(&mut self.sum, self.arena.get(history.written));
        if access.writes && index == ALL {
            self.threads.iter().for_each(|&clock| join(&mut self.sum, self.arena.get(clock)));
        } else if access.writes {
            join(&mut self.sum, self.arena.get(history.read));
        }
    }

    /// Gives the thread the clock that was made.
    fn end_sum(&mut self, thread: ThreadIndex) -> Clock {
        let clock = self.arena.push(&self.sum);
        self.set(Holder::Thread(thread), clock);
        clock
    }

    /// The step at a place, whose past is known, touches this.
    fn touch(&mut self, access: Access, place: u32, clock: Clock) {
        let index = self.history(access.key);
        self.histories[index].touch(place, access.writes);
        if access.writes {
            self.set(Holder::Written(index), clock);
        } else if index != ALL {
            self.learn(Holder::Read(index), clock);
        }
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
        let (thread, touched) = (event.choice.thread, event.touched);
        self.begin_sum(thread);
        self.add_past_of(access);
        let clock = self.end_sum(thread);
        self.touch(access, place as u32, clock);
        self.events[place].clock = clock;
        touched
    }

    /// The choices with which a schedule could begin at `from` so as to make the step of `next`, or the last one that was made,
    /// before the one at `from`: the first steps of those that do not come after that one. What is one step to all others does so as
    /// a whole, since it can't be left in the middle; the step that is to come first is one with those from `begun` on. None, if it
    /// comes after the one at `from` by way of such a whole, which need not be one in another order. Returns how many steps were
    /// looked at.
    pub(crate) fn initials(
        &self,
        from: usize,
        next: Option<(Choice, &Accesses)>,
        begun: usize,
        initials: &mut Vec<Choice>,
    ) -> u64 {
        let looked_at = (self.events.len() - from) as u64;
        // A run that is given up may have come less far than the one before it.
        let begun = begun.min(self.events.len());
        initials.clear();
        // The first kept step of each thread: what comes after a later one of them comes after it, too.
        let mut first: Vec<(ThreadIndex, usize)> = Vec::new();
        // The first steps of wholes that are not kept only since a later step of theirs comes after the one at `from`.
        let mut left_out: Vec<(ThreadIndex, usize)> = Vec::new();
        let mut next_depends = false;
        let mut place = from + 1;
        while place < begun {
            let whole = place..self.end_of_whole(place).min(begun);
            place = whole.end;
            let comes_later = self.is_before(from, whole.start);
            if comes_later || whole.clone().any(|step| self.is_before(from, step) || self.comes_after(&left_out, step))
            {
                if !comes_later {
                    left_out.push((self.events[whole.start].choice.thread, whole.start));
                }
                continue;
            }
            let mut steps = self.events[whole.clone()].iter();
            next_depends |= next.is_some_and(|(_, touched)| steps.any(|event| event.touched.depends_on(touched)));
            let choice = self.events[whole.start].choice;
            if !whole.clone().any(|step| self.comes_after(&first, step)) {
                initials.push(choice);
            }
            if first.iter().all(|known| known.0 != choice.thread) {
                first.push((choice.thread, whole.start));
            }
        }
        let next = next.map(|(next, _)| next);
        if self.is_next_after(&left_out, next, begun) {
            initials.clear();
        } else if !next_depends && !self.is_next_after(&first, next, begun) {
            let made = self.events.get(begun);
            let is_kept = made.is_some() && !self.is_before(from, begun);
            let choice = made.map(|event| event.choice).or(next);
            let at = if is_kept { initials.len() } else { 0 };
            initials.splice(at..at, choice);
        }
        looked_at
    }

    /// Whether the step at a place comes after one of these, which are the first of their threads.
    fn comes_after(&self, first: &[(ThreadIndex, usize)], place: usize) -> bool {
        first.iter().any(|&(_, other)| self.is_before(other, place))
    }

    /// The same of what is about to be made, which is one step with those from `begun` on.
    fn is_next_after(&self, first: &[(ThreadIndex, usize)], next: Option<Choice>, begun: usize) -> bool {
        let is_in_past =
            |next: Choice| first.iter().any(|&(by, place)| self.is_in_past_of(next.thread, by, place as u32));
        next.is_some_and(is_in_past) || (begun..self.events.len()).any(|place| self.comes_after(first, place))
    }

    /// Where what is one step to all others ends.
    fn end_of_whole(&self, place: usize) -> usize {
        let begun = self.events[place].begun;
        let rest = self.events[place..].iter().take_while(|event| event.begun == begun);
        place + rest.count()
    }
}
