//! What a step touches. Two steps are *dependent* if they touch one thing and one of them may change it: their order matters.

use super::kind::Kind;
use super::operation::{Choice, How, NOTHING, ObjectIndex, SHARED, ThreadIndex};
use super::state::State;

/// Something that steps touch. Threads are numbered in fewer bits here than elsewhere: each of them has a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// An object.
    Object(ObjectIndex),
    /// Whether a channel has senders: who finds no message looks at it, and two who go change it in the same way.
    Senders(ObjectIndex),
    /// How much of an atomic the order of what is `SeqCst` has seen.
    Seen(ObjectIndex),
    /// A thread's park token.
    Token(u32),
    /// Whether a thread lives.
    Life(u32),
    /// Virtual time, where it may move while others run.
    Clock,
    /// The stock of spurious wakeups.
    Spurious,
    /// The fences in the order of what is `SeqCst`.
    Fences,
    /// Everything there is: of a step that looks at what all others do.
    Everything,
}

impl Key {
    fn token_of(thread: ThreadIndex) -> Key {
        Key::Token(thread as u32)
    }

    fn life_of(thread: ThreadIndex) -> Key {
        Key::Life(thread as u32)
    }

    /// Whether threads meet there, so that who comes later knows what the earlier ones knew.
    fn is_a_meeting(self) -> bool {
        !matches!(self, Key::Clock | Key::Spurious | Key::Fences | Key::Everything)
    }
}

/// What a step touches, and whether it may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// What.
    pub(crate) key: Key,
    /// Whether it may change it.
    pub(crate) writes: bool,
}

impl Access {
    /// Of a step that only looks at what all others do.
    pub(crate) const LOOK_AROUND: Access = Access { key: Key::Everything, writes: false };
}

/// More things than this are everything.
const MOST: usize = 8;

/// All that a step touches: a few things at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accesses {
    keys: [Key; MOST],
    /// Which of the keys may be changed, a bit each.
    writes: u8,
    count: u8,
}

impl Accesses {
    /// Nothing.
    pub(crate) fn none() -> Accesses {
        Accesses { keys: [Key::Everything; MOST], writes: 0, count: 0 }
    }

    /// One thing.
    pub(crate) fn of(access: Access) -> Accesses {
        let mut touched = Accesses::none();
        touched.add(access.key, access.writes);
        touched
    }

    /// What comes before or after whatever others do.
    pub(crate) fn everything() -> Accesses {
        let mut touched = Accesses::none();
        touched.add(Key::Everything, true);
        touched
    }

    fn add(&mut self, key: Key, writes: bool) {
        self.keys[usize::from(self.count)] = key;
        self.writes |= u8::from(writes) << self.count;
        self.count += 1;
    }

    fn object(&mut self, object: ObjectIndex, writes: bool) {
        if object != NOTHING {
            self.add(Key::Object(object), writes);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Access> + '_ {
        let access = |(index, &key): (usize, &Key)| Access { key, writes: self.writes >> index & 1 == 1 };
        self.keys[..usize::from(self.count)].iter().enumerate().map(access)
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.keys[..usize::from(self.count)].contains(&Key::Everything)
    }

    /// What threads meet at.
    pub(crate) fn meetings(&self) -> impl Iterator<Item = Access> + '_ {
        self.iter().filter(|access| access.key.is_a_meeting())
    }

    /// Whether a step that touches all this touches that, too.
    pub(super) fn covers(&self, access: Access) -> bool {
        self.iter()
            .any(|mine| (mine.key == access.key || mine.key == Key::Everything) && (mine.writes || !access.writes))
    }

    /// Adds another thing, unless it is covered; everything, if there is no place for it.
    pub(crate) fn include(&mut self, access: Access) {
        if !self.covers(access) {
            self.extend(access);
        }
    }

    /// Adds another thing; everything, if there is no place for it.
    pub(super) fn extend(&mut self, access: Access) -> Access {
        let is_full = usize::from(self.count) == MOST;
        let access = if is_full { Access { key: Key::Everything, writes: true } } else { access };
        self.count -= u8::from(is_full);
        self.writes &= !(1 << self.count);
        self.add(access.key, access.writes);
        access
    }

    /// Whether the order of two steps matters.
    pub(crate) fn depends_on(&self, other: &Accesses) -> bool {
        if self.is_everything() || other.is_everything() {
            return true;
        }
        self.iter().any(|mine| other.iter().any(|its| mine.key == its.key && (mine.writes || its.writes)))
    }
}

impl Default for Accesses {
    fn default() -> Accesses {
        Accesses::none()
    }
}

/// What a choice touches if it is made now.
pub(crate) fn accesses(state: &State, choice: Choice) -> Accesses {
    let mut touched = Accesses::none();
    add_accesses(state, choice, &mut touched);
    touched
}

/// Written where it stays: a search copies little else as often.
#[inline(never)]
fn add_accesses(state: &State, choice: Choice, touched: &mut Accesses) {
    let operation = &state.threads[choice.thread].pending;
    let object = operation.object;
    match operation.kind {
        // Readers don't see each other, and whoever looks for them sees each.
        Kind::Look => touched.object(object, operation.number == SHARED),
        Kind::Completed | Kind::Passed => touched.object(object, false),
        Kind::Enter => touched.object(object, !state.is_initialised(object)),
        Kind::AcquireShared => touched.object(object, choice.how != How::Step),
        Kind::LookAround | Kind::UntilBlocked | Kind::Settle => touched.add(Key::Everything, true),
        Kind::Wait => {
            touched.object(object, true);
            // It gives the lock back, which matters to whoever looks at the lock.
            if state.settings.observed {
                touched.object(operation.second, true);
            }
        }
        Kind::Wake if choice.how == How::Step => touched.object(operation.second, true),
        Kind::LookAtEnd | Kind::Join => touched.add(Key::life_of(operation.other), false),
        Kind::Release => touched.object(object, operation.number != SHARED),
        Kind::HangUp => touched.add(Key::Senders(object), false),
        Kind::Receive | Kind::TryReceive => {
            touched.object(object, true);
            if state.is_drained(object) {
                touched.add(Key::Senders(object), true);
            }
        }
        Kind::Select => {
            for arm in &state.threads[choice.thread].awaits {
                touched.include(Access { key: Key::Object(arm.object), writes: true });
                if !arm.sends && state.is_drained(arm.object) {
                    touched.include(Access { key: Key::Senders(arm.object), writes: true });
                }
            }
        }
        Kind::Park => touched.add(Key::token_of(choice.thread), true),
        Kind::Poll => {
            touched.add(Key::token_of(choice.thread), true);
            // As long as there is always a worker for whoever is woken, it does not matter who takes one first.
            if state.settings.crowded {
                touched.object(object, true);
            }
        }
        Kind::Unpark | Kind::WakeTask => touched.add(Key::token_of(operation.other), true),
        Kind::Clock => touched.add(Key::Clock, false),
        Kind::Fence => touched.add(Key::Fences, true),
        Kind::Exit if choice.thread == 0 => touched.add(Key::Everything, true),
        Kind::Exit => touched.add(Key::life_of(choice.thread), true),
        Kind::Sleep | Kind::Yield | Kind::Mark | Kind::Never | Kind::Choose => {}
        Kind::Change | Kind::Queue | Kind::Attempt | Kind::Acquire | Kind::AcquireAgain | Kind::Wake => {
            touched.object(object, true)
        }
        Kind::Notify | Kind::Send | Kind::Handoff => touched.object(object, true),
    }
    match choice.how {
        How::Timeout if state.settings.hostile => touched.add(Key::Clock, true),
        How::Spurious => touched.add(Key::Spurious, true),
        _ => {}
    }
    if operation.sequential && state.memory.is_on() {
        touched.add(Key::Fences, false);
        if operation.kind == Kind::Look {
            // Behind a load that reads what no other has seen, no other reads less.
            let back = if let How::Old(back) = choice.how { back } else { 0 };
            touched.add(Key::Seen(object), state.memory.raises(operation, back));
        }
    }
}

/// What may make the operation that a thread announced possible.
pub(crate) fn enablers(state: &State, thread: ThreadIndex) -> Accesses {
    let operation = &state.threads[thread].pending;
    let mut touched = accesses(state, Choice::step(thread));
    if operation.kind == Kind::Wake {
        touched.object(operation.object, true);
    }
    touched
}

/// Whether a step only lets others go on that could not before, so that it can't come after them instead. Whoever selects could,
/// by another arm.
pub(crate) fn only_lets_go_on(earlier: Kind, later: Kind) -> bool {
    match earlier {
        Kind::Release => later.traits().waits_for_release,
        Kind::HangUp => later == Kind::Receive,
        _ => false,
    }
}
