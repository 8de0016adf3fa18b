//! `std::sync::atomic`. What a load may read, by its [`Ordering`] and by what happened before, is the engine's `memory`.

use std::cell::Cell;
use std::fmt;
use std::panic::{Location, RefUnwindSafe};

pub use ::std::sync::atomic::{Ordering, compiler_fence};

use crate::engine::kind::Kind;
use crate::engine::memory::{self, Reads, Written, fence_is_a_step};
use crate::engine::object::{Age, Identity, Model, What};
use crate::engine::operation::{How, ObjectIndex, Operation, Site};
use crate::engine::run::{step, try_with, with};
use crate::engine::state::Phase;

/// Orders what this thread has read before what it does later, what it has done before what it stores later, and, if it is
/// `SeqCst`, itself among all that is.
///
/// # Panics
/// If the order is `Relaxed`, as std does.
#[track_caller]
pub fn fence(order: Ordering) {
    assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed fence");
    let operation = memory::fence(Location::caller());
    let is_a_step = try_with(|state| fence_is_a_step(state, order));
    if is_a_step == Some(true) {
        step(operation);
    }
    try_with(|state| {
        if state.phase == Phase::Running && state.memory.is_on() {
            if is_a_step == Some(false) {
                state.record_passively(&operation);
            }
            state.memory.fence(state.current, order);
            state.record_value(|| format!("{order:?}"));
        }
    });
}

/// A load, or a failed exchange, stores nothing.
#[track_caller]
fn must_suit_load(order: Ordering, what: &str) {
    match order {
        Ordering::Release => panic!("there is no such thing as a release {what}"),
        Ordering::AcqRel => panic!("there is no such thing as an acquire-release {what}"),
        _ => {}
    }
}

/// A store loads nothing.
#[track_caller]
fn must_suit_store(order: Ordering) {
    match order {
        Ordering::Acquire => panic!("there is no such thing as an acquire store"),
        Ordering::AcqRel => panic!("there is no such thing as an acquire-release store"),
        _ => {}
    }
}

/// The strongest order that a failed exchange of this order can have.
fn when_it_fails(order: Ordering) -> Ordering {
    match order {
        Ordering::Release => Ordering::Relaxed,
        Ordering::AcqRel => Ordering::Acquire,
        order => order,
    }
}

/// Tells the scheduler that this thread spins.
#[deprecated(since = "1.51.0", note = "use hint::spin_loop instead")]
#[track_caller]
pub fn spin_loop_hint() {
    crate::hint::spin_loop();
}

/// What an atomic can hold.
trait Value: Copy + PartialEq + fmt::Debug {
    /// As a number, to be kept with the atomic's older values.
    fn bits(self) -> u64;
    /// The value that had these bits.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! value {
    ($($value:ty),*) => {
        $(
            impl Value for $value {
                fn bits(self) -> u64 {
                    self as u64
                }

                fn from_bits(bits: u64) -> $value {
                    bits as $value
                }
            }
        )*
    };
}

value!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Value for bool {
    fn bits(self) -> u64 {
        u64::from(self)
    }

    fn from_bits(bits: u64) -> bool {
        bits != 0
    }
}

impl<T> Value for *mut T {
    fn bits(self) -> u64 {
        self.expose_provenance() as u64
    }

    fn from_bits(bits: u64) -> *mut T {
        std::ptr::with_exposed_provenance_mut(bits as usize)
    }
}

/// One operation on an atomic.
#[derive(Clone, Copy)]
struct Act<T> {
    kind: Kind,
    name: &'static str,
    /// How it is ordered; if it fails, by `failure`.
    ordering: Ordering,
    failure: Ordering,
    /// What an exchange wants to find.
    wanted: Option<T>,
    at: Site,
}

impl<T: Value> Act<T> {
    fn load(ordering: Ordering, at: Site) -> Act<T> {
        Act { kind: Kind::Look, name: "load", ordering, failure: ordering, wanted: None, at }
    }

    /// One that always changes the value.
    fn change(name: &'static str, ordering: Ordering, at: Site) -> Act<T> {
        Act { kind: Kind::Change, name, ordering, failure: ordering, wanted: None, at }
    }

    /// Whether it reads the value before it stores one.
    fn reads(&self) -> bool {
        self.name != "store"
    }

    fn is_sequential(&self) -> bool {
        self.ordering == Ordering::SeqCst || self.failure == Ordering::SeqCst
    }

    fn is_weaker(&self) -> bool {
        self.ordering != Ordering::SeqCst || self.failure != Ordering::SeqCst
    }

    fn operation(&self, object: ObjectIndex) -> Operation {
        // What always changes the value reads the newest one.
        let may_read = self.kind == Kind::Look || self.wanted.is_some();
        let reads = may_read.then(|| Reads { ordering: self.failure, not: self.wanted.map(Value::bits) });
        let sequential = self.is_sequential();
        Operation { reads, sequential, ..Operation::new(self.kind, self.name, object, self.at) }
    }
}

/// What the atomics have in common. A static one has its first value again in every schedule.
struct Word<T> {
    identity: Identity,
    first: T,
    value: Cell<T>,
}

// SAFETY: the value is touched only by the OS thread that explores, as `Identity` explains. `Send` and `Sync` of the public
// types are decided by each of them.
unsafe impl<T> Sync for Word<T> {}
// SAFETY: the same.
unsafe impl<T> Send for Word<T> {}

impl<T: Copy> Word<T> {
    #[track_caller]
    const fn new(value: T) -> Word<T> {
        Word { identity: Identity::new(), first: value, value: Cell::new(value) }
    }
}

impl<T: Value> Word<T> {
    /// One step on the value: `f` gets it and says what it shall be. Gives what it was, and whether the step was made: what is
    /// only attempted may fail for no reason.
    fn attempt(&self, act: Act<T>, what: &'static str, f: impl FnOnce(T) -> Option<T>) -> (T, bool) {
        let Act { kind, name, .. } = act;
        let (object, age) = with(|state| self.identity.register(state, What::plain(what), || Model::Plain));
        if age == Age::Stale {
            self.value.set(self.first);
        }
        let kept = with(|state| {
            state.weaker |= act.is_weaker();
            let kept = state.phase == Phase::Running && state.memory.is_on();
            if kept {
                state.memory.knows(object, self.value.get().bits());
            }
            kept
        });
        let operation = act.operation(object);
        let how = step(operation);
        let made = how != How::Spurious;
        let back = if let How::Old(back) = how { back } else { 0 };
        let before = match back {
            0 => self.value.get(),
            _ => T::from_bits(with(|state| state.memory.value(object, back))),
        };
        let after = if made { f(before) } else { None };
        if let Some(after) = after {
            self.value.set(after);
        }
        with(|state| {
            if kept {
                let me = state.current;
                let place = state.steps.saturating_sub(1);
                if act.reads() {
                    let ordering = if after.is_some() || kind == Kind::Look { act.ordering } else { act.failure };
                    state.memory.reads(me, object, back, ordering, act.at);
                }
                if let Some(after) = after {
                    let how = Written { ordering: act.ordering, again: act.reads() };
                    state.memory.stores(me, place, object, after.bits(), how);
                }
            }
            if after.is_some_and(|after| after != before) {
                state.changed();
            }
            match after {
                None if made && kind != Kind::Look => state.record_refusal(),
                _ => {}
            }
            state.record_value(|| match after {
                Some(after) if name == "store" => format!("{after:?}"),
                Some(after) => format!("{before:?} → {after:?}"),
                None => format!("{before:?}"),
            });
            if back > 0 {
                state.record_missed(&operation, || format!("{:?}", self.value.get()));
            }
        });
        (before, made)
    }
}

macro_rules! atomic {
    ($name:ident, $value:ty, $what:literal $(, $of:ident)?) => {
        #[doc = concat!("The model of `std::sync::atomic::", $what, "`.")]
        pub struct $name$(<$of>)? {
            atomic: Word<$value>,
        }

        impl$(<$of>)? RefUnwindSafe for $name$(<$of>)? {}

        impl$(<$of>)? $name$(<$of>)? {
            /// An atomic with this value.
            #[track_caller]
            pub const fn new(value: $value) -> Self {
                Self { atomic: Word::new(value) }
            }

            #[track_caller]
            fn change(&self, name: &'static str, order: Ordering, f: impl FnOnce($value) -> $value) -> $value {
                let act = Act::change(name, order, Location::caller());
                self.atomic.attempt(act, $what, |value| Some(f(value))).0
            }

            /// The value.
            ///
            /// # Panics
            /// If the order is one of stores.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                must_suit_load(order, "load");
                self.atomic.attempt(Act::load(order, Location::caller()), $what, |_| None).0
            }

            /// Sets the value.
            ///
            /// # Panics
            /// If the order is one of loads.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                must_suit_store(order);
                self.change("store", order, |_| value);
            }

            /// Sets the value and returns the one before.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.change("swap", order, |_| value)
            }

            /// Sets the value if it is `current`.
            ///
            /// # Errors
            /// Gives the value if it is another one.
            ///
            /// # Panics
            /// If the order for a failure is one of stores.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                must_suit_load(failure, "failure ordering");
                let change = Act::change("compare_exchange", success, Location::caller());
                let act = Act { failure, wanted: Some(current), ..change };
                let (before, _) = self.atomic.attempt(act, $what, |value| (value == current).then_some(new));
                if before == current { Ok(before) } else { Err(before) }
            }

            /// The same, or fails for no reason.
            ///
            /// # Errors
            /// Gives the value, also if it is `current`.
            ///
            /// # Panics
            /// If the order for a failure is one of stores.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                must_suit_load(failure, "failure ordering");
                let change = Act::change("compare_exchange_weak", success, Location::caller());
                let act = Act { kind: Kind::Attempt, failure, wanted: Some(current), ..change };
                let (before, made) = self.atomic.attempt(act, $what, |value| (value == current).then_some(new));
                if made && before == current { Ok(before) } else { Err(before) }
            }

            /// Sets the value if it is `current`; returns the one before.
            #[deprecated(since = "1.50.0", note = "use compare_exchange or compare_exchange_weak")]
            #[track_caller]
            pub fn compare_and_swap(&self, current: $value, new: $value, order: Ordering) -> $value {
                self.compare_exchange(current, new, order, when_it_fails(order)).unwrap_or_else(|value| value)
            }

            /// Sets the value by a closure, as a loop of load and compare-exchange. The closure may run several times.
            ///
            /// # Errors
            /// Gives the value for which the closure had none.
            #[track_caller]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(fetch_order);
                while let Some(next) = f(before) {
                    // A failure for no reason would call the closure again for the same value: nothing new.
                    match self.compare_exchange(before, next, set_order, fetch_order) {
                        Ok(value) => return Ok(value),
                        Err(value) => before = value,
                    }
                }
                Err(before)
            }

            /// The same.
            ///
            /// # Errors
            /// Gives the value for which the closure had none.
            #[track_caller]
            pub fn fetch_update<F: FnMut($value) -> Option<$value>>(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: F,
            ) -> Result<$value, $value> {
                self.try_update(set_order, fetch_order, f)
            }

            /// Sets the value by a closure; returns the one before.
            #[track_caller]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> $value,
            ) -> $value {
                self.try_update(set_order, fetch_order, |value| Some(f(value))).unwrap_or_else(|value| value)
            }

            /// The value, which nobody else can reach.
            pub fn get_mut(&mut self) -> &mut $value {
                self.atomic.value.get_mut()
            }

            /// Takes the value out.
            pub const fn into_inner(self) -> $value
            {
                self.atomic.value.into_inner()
            }
        }

        impl$(<$of>)? From<$value> for $name$(<$of>)? {
            #[track_caller]
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl$(<$of>)? fmt::Debug for $name$(<$of>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.load(Ordering::Relaxed), f)
            }
        }
    };
}

macro_rules! fetch {
    ($name:ident, $value:ty: $($method:ident($before:ident, $operand:ident) $sum:expr, $doc:literal;)*) => {
        impl $name {
            $(
                #[doc = $doc]
                #[track_caller]
                pub fn $method(&self, $operand: $value, order: Ordering) -> $value {
                    self.change(stringify!($method), order, |$before| $sum)
                }
            )*
        }
    };
}

macro_rules! atomic_integer {
    ($($name:ident, $value:ty, $what:literal;)*) => {
        $(
            atomic!($name, $value, $what);

            fetch! { $name, $value:
                fetch_add(a, b) a.wrapping_add(b), "Adds, wrapping around; returns the value before.";
                fetch_sub(a, b) a.wrapping_sub(b), "Subtracts, wrapping around; returns the value before.";
                fetch_and(a, b) a & b, "Bitwise and; returns the value before.";
                fetch_nand(a, b) !(a & b), "Bitwise not-and; returns the value before.";
                fetch_or(a, b) a | b, "Bitwise or; returns the value before.";
                fetch_xor(a, b) a ^ b, "Bitwise exclusive or; returns the value before.";
                fetch_max(a, b) a.max(b), "The greater one; returns the value before.";
                fetch_min(a, b) a.min(b), "The lesser one; returns the value before.";
            }

            impl Default for $name {
                #[track_caller]
                fn default() -> Self {
                    Self::new(<$value>::default())
                }
            }
        )*
    };
}

atomic_integer! {
    AtomicI8, i8, "AtomicI8";
    AtomicU8, u8, "AtomicU8";
    AtomicI16, i16, "AtomicI16";
    AtomicU16, u16, "AtomicU16";
    AtomicI32, i32, "AtomicI32";
    AtomicU32, u32, "AtomicU32";
    AtomicI64, i64, "AtomicI64";
    AtomicU64, u64, "AtomicU64";
    AtomicIsize, isize, "AtomicIsize";
    AtomicUsize, usize, "AtomicUsize";
}

atomic!(AtomicBool, bool, "AtomicBool");
atomic!(AtomicPtr, *mut T, "AtomicPtr", T);

fetch! { AtomicBool, bool:
    fetch_and(a, b) a & b, "Logical and; returns the value before.";
    fetch_nand(a, b) !(a & b), "Logical not-and; returns the value before.";
    fetch_or(a, b) a | b, "Logical or; returns the value before.";
    fetch_xor(a, b) a ^ b, "Logical exclusive or; returns the value before.";
}

impl AtomicBool {
    /// Negates; returns the value before.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.change("fetch_not", order, |value| !value)
    }
}

impl Default for AtomicBool {
    #[track_caller]
    fn default() -> Self {
        Self::new(false)
    }
}

impl<T> Default for AtomicPtr<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.load(Ordering::SeqCst), f)
    }
}
