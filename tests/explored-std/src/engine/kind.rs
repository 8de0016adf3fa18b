//! The kinds of operations: the primitives of all models are made of them.
//!
//! What holds of a kind wherever it is done stands in one table, [`Kind::traits`]. What depends on objects and threads has one place
//! each, in which every kind is named: when an operation is possible ([`possible`](super::possible)), and what it touches
//! ([`access`](super::access)). So the compiler asks whoever adds a kind for all of it.

/// What an operation means to the scheduler: when it can go on, and what it may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Looks at the object and changes nothing.
    Look,
    /// Looks whether the thread `other` has ended, and does not wait for it.
    LookAtEnd,
    /// Looks at what all others do.
    LookAround,
    /// May change the object. Always possible.
    Change,
    /// Begins to wait at the object, where others can see whether it does. No trace tells of it.
    Queue,
    /// May change the object, or fail for no reason. Always possible.
    Attempt,
    /// Takes a lock alone: possible when it is free.
    Acquire,
    /// Takes a lock alone, also where this thread has it already.
    AcquireAgain,
    /// Takes a lock together with other readers.
    AcquireShared,
    /// Gives a lock back, or ends an initialisation: it lets others go on and takes nothing from them.
    Release,
    /// One of a channel's senders goes: it lets receivers go on who find nothing.
    HangUp,
    /// Releases the mutex `second` and queues at the condition variable.
    Wait,
    /// Goes on after a notification: possible when notified and `second` is free.
    Wake,
    /// Wakes up to `number` waiters of a condition variable, or lets others of a barrier go on.
    Notify,
    /// Waits for the end of the thread `other`; if `number` is [`RETURNED`], only until its job is done.
    Join,
    /// Waits for this thread's token.
    Park,
    /// Gives the thread `other` its token.
    Unpark,
    /// Polls a future: possible when somebody has woken the thread and a worker of `object` is free. `second` and `other` say what
    /// the future waits for; `number` is [`YIELDED`] if it only lets others go first.
    Poll,
    /// Wakes the thread `other`, which polls a future.
    WakeTask,
    /// Goes on in one of `number` ways, and nobody else before it: which one is the scheduler's choice.
    Choose,
    /// Waits for the deadline.
    Sleep,
    /// Lets others go first.
    Yield,
    /// Puts a message into a channel: possible when there is room, or nobody to receive.
    Send,
    /// Waits until the message with the ticket `number` was taken, or nobody is left to take it.
    Handoff,
    /// Takes a message: possible when there is one, or nobody to send.
    Receive,
    /// Takes a message if there is one. Always possible.
    TryReceive,
    /// Takes one of several channels: possible when one has a message or room, or, if `number` is 1, always.
    Select,
    /// Enters an initialisation: possible when nobody is inside.
    Enter,
    /// Waits until an initialisation is complete.
    Completed,
    /// Waits until the barrier's generation is no longer `number`.
    Passed,
    /// Waits until the thread `other` is blocked or done.
    UntilBlocked,
    /// Waits until nobody else can go on at this time.
    Settle,
    /// Reads the clock.
    Clock,
    /// Notes something for the harness: touches nothing.
    Mark,
    /// Orders what is `SeqCst`.
    Fence,
    /// Ends the thread.
    Exit,
    /// Is never possible: only its time can be up, and that when nobody else can go on.
    Never,
}

/// What holds of all operations of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// Whether its thread may have to wait for what others do.
    pub(crate) may_wait: bool,
    /// Whether it changes nothing, so that doing it again and again is no progress. What locks protect is not seen here: a guard
    /// that was written through says so when it is dropped.
    pub(crate) is_fruitless: bool,
    /// Whether it only goes on, and takes nothing away, after a [`Kind::Release`]: that can't come after it instead.
    pub(crate) waits_for_release: bool,
    /// When a thread that does it again passes it.
    pub(crate) passed: Passing,
    /// Whether it touches its object and nothing else, and changes it at most.
    pub(crate) touches_its_object_only: bool,
}

/// When a coarse search passes an operation that a thread does again: not if it waits by its nature, nor if somebody notes its place
/// in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// Never.
    Never,
    /// If it has an object.
    WithObject,
    /// Always.
    Always,
}

impl Kind {
    /// The table of kinds.
    pub(crate) const fn traits(self) -> Traits {
        use Passing::{Always, Never, WithObject};
        const STEP: Traits = Traits {
            may_wait: false,
            is_fruitless: false,
            waits_for_release: false,
            passed: Never,
            touches_its_object_only: false,
        };
        const FRUITLESS: Traits = Traits { is_fruitless: true, ..STEP };
        const WAIT: Traits = Traits { may_wait: true, ..STEP };
        const ON_OBJECT: Traits =
            Traits { is_fruitless: true, passed: WithObject, touches_its_object_only: true, ..STEP };
        const ACQUIRE: Traits = Traits { is_fruitless: true, waits_for_release: true, passed: Always, ..WAIT };
        match self {
            Kind::Look | Kind::Change | Kind::Queue | Kind::Attempt => ON_OBJECT,
            Kind::LookAtEnd | Kind::LookAround | Kind::Clock | Kind::Fence => FRUITLESS,
            Kind::Acquire => Traits { touches_its_object_only: true, ..ACQUIRE },
            Kind::AcquireAgain | Kind::AcquireShared => ACQUIRE,
            Kind::Release | Kind::HangUp | Kind::TryReceive => Traits { touches_its_object_only: false, ..ON_OBJECT },
            Kind::Notify => Traits { passed: WithObject, ..STEP },
            Kind::Yield | Kind::WakeTask => Traits { passed: Always, ..FRUITLESS },
            Kind::Unpark => Traits { passed: Always, ..STEP },
            Kind::Wait | Kind::Choose | Kind::Mark | Kind::Exit => STEP,
            Kind::Wake | Kind::Join | Kind::Select | Kind::Completed => Traits { waits_for_release: true, ..WAIT },
            Kind::Enter | Kind::Receive => Traits { waits_for_release: true, passed: Always, ..WAIT },
            Kind::Send => Traits { passed: Always, touches_its_object_only: true, ..WAIT },
            Kind::Poll => Traits { is_fruitless: true, ..WAIT },
            Kind::Park | Kind::Handoff | Kind::Passed | Kind::UntilBlocked | Kind::Settle => WAIT,
            Kind::Sleep | Kind::Never => WAIT,
        }
    }

    /// Whether it only looks: who does that again and again at one place waits for others.
    pub(crate) const fn looks(self) -> bool {
        matches!(self, Kind::Look | Kind::LookAtEnd | Kind::LookAround)
    }
}
