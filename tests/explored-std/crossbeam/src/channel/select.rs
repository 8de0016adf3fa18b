//! Waiting for several channels at once: `Select`, and the macros on it.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::raw::{Arm, Deadline, Selection};
use std::time::{Duration, Instant};

use super::{Receiver, RecvError, SendError, Sender};

/// What a [`Select`] may wait for.
trait Selectable {
    /// What it waits for, in the scheduler's terms.
    fn arms(&self) -> Vec<Arm<'_>>;

    /// When the clock sends to it, if it does.
    fn moment(&self) -> Option<Instant> {
        None
    }
}

impl<T> Selectable for Sender<T> {
    fn arms(&self) -> Vec<Arm<'_>> {
        vec![Arm::Send(&self.shared.raw)]
    }
}

impl<T> Selectable for Receiver<T> {
    fn arms(&self) -> Vec<Arm<'_>> {
        if let Some(timer) = &self.timer {
            timer.note_user();
        }
        [Arm::Receive(&self.shared.raw)].into_iter().chain(self.moment().map(Arm::At)).collect()
    }

    fn moment(&self) -> Option<Instant> {
        self.timer.as_ref().and_then(|timer| timer.next.get())
    }
}

/// An operation in a list: what it waits for, its index, and the address of its half of a channel.
type Listed<'a> = (&'a dyn Selectable, usize, *const u8);

/// A list of operations of which one is taken.
#[derive(Clone, Default)]
pub struct Select<'a> {
    operations: Vec<Listed<'a>>,
    next: usize,
    biased: bool,
}

// SAFETY: halves of channels may be used by any thread, and the list is changed only through `&mut`.
unsafe impl Send for Select<'_> {}
// SAFETY: the same.
unsafe impl Sync for Select<'_> {}

/// An operation that was selected, and has to be completed.
#[must_use]
pub struct SelectedOperation<'a> {
    index: usize,
    half: *const u8,
    list: PhantomData<&'a ()>,
}

impl<'a> Select<'a> {
    /// An empty list. Where several operations are possible, each of them is explored.
    #[must_use]
    pub fn new() -> Select<'a> {
        Select::default()
    }

    /// An empty list of which the first possible operation is taken.
    #[must_use]
    pub fn new_biased() -> Select<'a> {
        Select { biased: true, ..Select::default() }
    }

    /// Adds sending, and gives its index.
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        self.add(s, std::ptr::from_ref(s).cast())
    }

    /// Adds receiving, and gives its index.
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        self.add(r, std::ptr::from_ref(r).cast())
    }

    fn add(&mut self, what: &'a dyn Selectable, half: *const u8) -> usize {
        let index = self.next;
        self.operations.push((what, index, half));
        self.next += 1;
        index
    }

    /// Takes the operation of this index out of the list.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, index: usize) {
        let place = self.operations.iter().position(|operation| operation.1 == index);
        self.operations.swap_remove(place.expect("no operation with this index"));
    }

    /// Selects an operation that is possible now.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        self.take(Deadline::NEVER, true).ok_or(TrySelectError)
    }

    /// Waits until an operation is possible, and selects it.
    ///
    /// # Panics
    /// If the list is empty.
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        assert!(!self.operations.is_empty(), "no operations have been added to `Select`");
        self.take(Deadline::NEVER, false).expect("without a deadline there is one in the end")
    }

    /// The same, for at most this much virtual time.
    ///
    /// # Errors
    /// If the time is up.
    #[track_caller]
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.take(Deadline::after(timeout), false).ok_or(SelectTimeoutError)
    }

    /// The same, until this moment at most.
    ///
    /// # Errors
    /// If the time is up.
    #[track_caller]
    pub fn select_deadline(&mut self, deadline: Instant) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.take(Deadline::at(deadline), false).ok_or(SelectTimeoutError)
    }

    /// The index of an operation that is possible now.
    ///
    /// # Errors
    /// If there is none.
    #[track_caller]
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.choose(Deadline::NEVER, true).map(|(_, index, _)| index).ok_or(TryReadyError)
    }

    /// Waits until an operation is possible, and gives its index.
    ///
    /// # Panics
    /// If the list is empty.
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        assert!(!self.operations.is_empty(), "no operations have been added to `Select`");
        self.choose(Deadline::NEVER, false).expect("without a deadline there is one in the end").1
    }

    /// The same, for at most this much virtual time.
    ///
    /// # Errors
    /// If the time is up.
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        self.choose(Deadline::after(timeout), false).map(|(_, index, _)| index).ok_or(ReadyTimeoutError)
    }

    /// The same, until this moment at most.
    ///
    /// # Errors
    /// If the time is up.
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.choose(Deadline::at(deadline), false).map(|(_, index, _)| index).ok_or(ReadyTimeoutError)
    }

    #[track_caller]
    fn take(&mut self, deadline: Deadline, try_only: bool) -> Option<SelectedOperation<'a>> {
        let (_, index, half) = self.choose(deadline, try_only)?;
        Some(SelectedOperation { index, half, list: PhantomData })
    }

    #[track_caller]
    fn choose(&mut self, deadline: Deadline, try_only: bool) -> Option<Listed<'a>> {
        let with_arms = |listed: &Listed<'a>| {
            let listed = *listed;
            listed.0.arms().into_iter().map(move |arm| (listed, arm))
        };
        loop {
            let (listed, arms): (Vec<Listed<'a>>, Vec<Arm<'a>>) = self.operations.iter().flat_map(with_arms).unzip();
            let place = std::raw::select(&arms, Selection { biased: self.biased, deadline, try_only })?;
            // Another thread may have taken what the clock had sent.
            match arms[place] {
                Arm::At(moment) if listed[place].0.moment() != Some(moment) => {}
                _ => return Some(listed[place]),
            }
        }
    }
}

impl SelectedOperation<'_> {
    /// The index of the operation.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Completes sending.
    ///
    /// # Errors
    /// Gives the message back if the receivers are gone.
    ///
    /// # Panics
    /// If another operation was selected.
    #[track_caller]
    pub fn send<T>(self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        assert!(std::ptr::from_ref(s).cast() == self.half, "passed a sender that wasn't selected");
        std::mem::forget(self);
        match s.shared.raw.put_selected() {
            Ok(()) => {
                s.shared.messages.borrow_mut().push_back(msg);
                Ok(())
            }
            Err(_) => Err(SendError(msg)),
        }
    }

    /// Completes receiving.
    ///
    /// # Errors
    /// If there is no message and the senders are gone.
    ///
    /// # Panics
    /// If another operation was selected.
    #[track_caller]
    pub fn recv<T>(self, r: &Receiver<T>) -> Result<T, RecvError> {
        assert!(std::ptr::from_ref(r).cast() == self.half, "passed a receiver that wasn't selected");
        std::mem::forget(self);
        if let Some(message) = r.timer.as_ref().and_then(|timer| timer.take_due()) {
            return Ok(message);
        }
        r.shared.raw.take_selected().map(|()| r.shared.first()).map_err(|_| RecvError)
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        panic!("dropped `SelectedOperation` without completing the operation");
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Select { .. }")
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}

macro_rules! errors {
    ($($(#[$about:meta])* $name:ident $text:literal;)*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad($text)
                }
            }

            impl Error for $name {}
        )*
    };
}

errors! {
    /// No operation is possible now.
    TrySelectError "all operations in select would block";
    /// The time is up.
    SelectTimeoutError "timed out waiting on select";
    /// No operation is possible now.
    TryReadyError "all operations in select would block";
    /// The time is up.
    ReadyTimeoutError "timed out waiting on select";
}

/// Takes one of several operations on channels: the one that is possible first.
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        $crate::select_arms!(($crate::channel::Select::new()) [] $($arms)*)
    };
}

/// The same; of several that are possible, the first one in the list.
#[macro_export]
macro_rules! select_biased {
    ($($arms:tt)*) => {
        $crate::select_arms!(($crate::channel::Select::new_biased()) [] $($arms)*)
    };
}

/// The arms of a `select!`, one after the other: each half of a channel is looked at once, and gets a name of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! select_arms {
    // Bodies: a block needs no comma behind it.
    ($new:tt $done:tt recv($r:expr $(,)?) -> $result:pat => $body:block $(,)? $($rest:tt)*) => {
        $crate::select_arms!(@recv $new $done ($r) ($result) ($body) $($rest)*)
    };
    ($new:tt $done:tt recv($r:expr $(,)?) -> $result:pat => $body:expr, $($rest:tt)*) => {
        $crate::select_arms!(@recv $new $done ($r) ($result) ($body) $($rest)*)
    };
    ($new:tt $done:tt recv($r:expr $(,)?) -> $result:pat => $body:expr) => {
        $crate::select_arms!(@recv $new $done ($r) ($result) ($body))
    };
    ($new:tt $done:tt send($s:expr, $message:expr $(,)?) -> $result:pat => $body:block $(,)? $($rest:tt)*) => {
        $crate::select_arms!(@send $new $done ($s) ($message) ($result) ($body) $($rest)*)
    };
    ($new:tt $done:tt send($s:expr, $message:expr $(,)?) -> $result:pat => $body:expr, $($rest:tt)*) => {
        $crate::select_arms!(@send $new $done ($s) ($message) ($result) ($body) $($rest)*)
    };
    ($new:tt $done:tt send($s:expr, $message:expr $(,)?) -> $result:pat => $body:expr) => {
        $crate::select_arms!(@send $new $done ($s) ($message) ($result) ($body))
    };
    // `default` may stand anywhere; it is put last.
    ($new:tt [$($done:tt)*] default => $body:block $(,)? $($rest:tt)*) => {
        $crate::select_arms!(@default $new [$($done)*] (try_select()) ($body) $($rest)*)
    };
    ($new:tt [$($done:tt)*] default => $body:expr $(, $($rest:tt)*)?) => {
        $crate::select_arms!(@default $new [$($done)*] (try_select()) ($body) $($($rest)*)?)
    };
    ($new:tt [$($done:tt)*] default($timeout:expr) => $body:block $(,)? $($rest:tt)*) => {
        $crate::select_arms!(@default $new [$($done)*] (select_timeout($timeout)) ($body) $($rest)*)
    };
    ($new:tt [$($done:tt)*] default($timeout:expr) => $body:expr $(, $($rest:tt)*)?) => {
        $crate::select_arms!(@default $new [$($done)*] (select_timeout($timeout)) ($body) $($($rest)*)?)
    };
    (($new:expr) [$($done:tt)*]) => {{
        let mut select = $new;
        $crate::select_arms!(@list select $($done)*);
        let operation = select.select();
        drop(select);
        $crate::select_arms!(@run operation $($done)*)
    }};

    (@recv $new:tt [$($done:tt)*] ($r:expr) $result:tt $body:tt $($rest:tt)*) => {
        match $r {
            ref half => {
                let half: &$crate::channel::Receiver<_> = half;
                let index = ::std::cell::Cell::new(usize::MAX);
                $crate::select_arms!($new [$($done)* (recv half () index $result $body)] $($rest)*)
            }
        }
    };
    (@send $new:tt [$($done:tt)*] ($s:expr) $message:tt $result:tt $body:tt $($rest:tt)*) => {
        match $s {
            ref half => {
                let half: &$crate::channel::Sender<_> = half;
                let index = ::std::cell::Cell::new(usize::MAX);
                $crate::select_arms!($new [$($done)* (send half $message index $result $body)] $($rest)*)
            }
        }
    };
    // What comes behind a `default` is looked at before it.
    (@default ($new:expr) [$($done:tt)*] ($($take:tt)*) ($body:expr)) => {{
        let mut select = $new;
        $crate::select_arms!(@list select $($done)*);
        let taken = select.$($take)*;
        drop(select);
        match taken {
            Ok(operation) => $crate::select_arms!(@run operation $($done)*),
            Err(_) => $body,
        }
    }};
    (@default $new:tt $done:tt $take:tt $body:tt $($rest:tt)+) => {
        $crate::select_arms!($new $done $($rest)+, @otherwise $take $body)
    };
    ($new:tt $done:tt $(,)? @otherwise $take:tt $body:tt) => {
        $crate::select_arms!(@default $new $done $take $body)
    };

    (@list $select:ident $(($kind:ident $half:ident $message:tt $index:ident $result:tt $body:tt))*) => {
        $($index.set($select.$kind($half));)*
    };

    (@run $operation:ident) => {
        unreachable!("the index of an operation of the list, not {}", $operation.index())
    };
    (@run $operation:ident (recv $half:ident () $index:ident ($result:pat) ($body:expr)) $($rest:tt)*) => {
        if $operation.index() == $index.get() {
            let $result = $operation.recv($half);
            $body
        } else {
            $crate::select_arms!(@run $operation $($rest)*)
        }
    };
    (@run $operation:ident (send $half:ident ($message:expr) $index:ident ($result:pat) ($body:expr)) $($rest:tt)*) => {
        if $operation.index() == $index.get() {
            let $result = $operation.send($half, $message);
            $body
        } else {
            $crate::select_arms!(@run $operation $($rest)*)
        }
    };
}
