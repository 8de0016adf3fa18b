//! `select!` and `task_local!`, and what they expand to.

/// What macros expand to.
#[doc(hidden)]
pub mod support {
    pub use std::future::{Future, IntoFuture, poll_fn};
    pub use std::option::Option::{self, None, Some};
    pub use std::pin::Pin;
    pub use std::task::Poll;
    pub use tokio_macros::select_priv_clean_pattern;

    use std::panic::Location;
    use std::raw::Awaited;

    use crate::context;

    /// Where a `select!` begins to poll: each of those that are enabled is explored.
    pub struct Turn<const COUNT: usize> {
        /// Those that take no part.
        disabled: [bool; COUNT],
        biased: bool,
    }

    impl<const COUNT: usize> Turn<COUNT> {
        /// All take part.
        pub fn new(biased: bool) -> Turn<COUNT> {
            Turn { disabled: [false; COUNT], biased }
        }

        /// This one takes no part any more.
        pub fn disable(&mut self, branch: usize) {
            self.disabled[branch] = true;
        }

        /// Whether this one takes part.
        pub fn is_enabled(&self, branch: usize) -> bool {
            !self.disabled[branch]
        }

        /// The order in which to poll them.
        #[track_caller]
        pub fn order(&self) -> impl Iterator<Item = usize> + use<COUNT> {
            let enabled: Vec<usize> = (0..COUNT).filter(|&branch| self.is_enabled(branch)).collect();
            let first = if self.biased { 0 } else { std::raw::choose(enabled.len()) };
            let count = enabled.len();
            (0..count).map(move |turn| enabled[(first + turn) % count])
        }

        /// Notes that the poll has used up its budget, so that nobody is polled. Nothing if it has not.
        #[track_caller]
        pub fn gives_way(cx: &mut std::task::Context<'_>) -> bool {
            let over = context::is_spent();
            if over {
                context::awaits(Awaited::others(Location::caller()));
                cx.waker().wake_by_ref();
            }
            over
        }
    }
}

/// Waits for the first of several futures; which one is polled first is explored.
#[macro_export]
macro_rules! select {
    // All branches are read: (number, pattern, future, condition, handler).
    (@run $biased:literal $count:expr; [$(($n:tt, $none:tt, $p:pat, $f:expr, $c:expr, $h:expr))+] $else:expr) => {{
        let mut outputs = ($($crate::select!(@none $none),)+);
        let won: usize = {
            let mut turn = $crate::macros::support::Turn::<{ $count }>::new($biased);
            $(
                if !$c {
                    turn.disable($n);
                }
            )+
            // Also those that are disabled are made, as the real macro does.
            let mut futures = ($($crate::macros::support::IntoFuture::into_future($f),)+);
            let (futures, outputs) = (&mut futures, &mut outputs);
            $crate::macros::support::poll_fn(move |cx| {
                if $crate::macros::support::Turn::<{ $count }>::gives_way(cx) {
                    return $crate::macros::support::Poll::Pending;
                }
                let mut waits = false;
                for branch in turn.order() {
                    match branch {
                        $(
                            $n => {
                                // SAFETY: the futures are not moved until they are dropped.
                                let future = unsafe { $crate::macros::support::Pin::new_unchecked(&mut futures.$n) };
                                match $crate::macros::support::Future::poll(future, cx) {
                                    $crate::macros::support::Poll::Pending => waits = true,
                                    $crate::macros::support::Poll::Ready(output) => {
                                        turn.disable($n);
                                        #[allow(unused_variables, unused_mut)]
                                        match &output {
                                            $crate::macros::support::select_priv_clean_pattern!($p) => {}
                                            #[allow(unreachable_patterns)]
                                            _ => continue,
                                        }
                                        outputs.$n = $crate::macros::support::Some(output);
                                        return $crate::macros::support::Poll::Ready($n);
                                    }
                                }
                            }
                        )+
                        _ => {}
                    }
                }
                if waits { $crate::macros::support::Poll::Pending } else { $crate::macros::support::Poll::Ready($count) }
            })
            .await
        };
        match won {
            $(
                $n => match outputs.$n {
                    $crate::macros::support::Some($p) => $h,
                    #[allow(unreachable_patterns)]
                    _ => ::core::unreachable!("the output of the branch that won fits its pattern"),
                },
            )+
            _ => $else,
        }
    }};
    (@none $anything:tt) => { $crate::macros::support::None };

    // The end, with and without `else`.
    (@read $b:literal $count:expr; [$($done:tt)+] [$($rest:tt)*] else => $else:expr $(,)?) => {
        $crate::select!(@run $b $count; [$($done)+] $else)
    };
    (@read $b:literal $count:expr; [$($done:tt)+] [$($rest:tt)*]) => {
        $crate::select!(@run $b $count; [$($done)+]
            ::core::panic!("all branches are disabled and there is no else branch"))
    };
    // A branch. Its handler is a block, an expression before a comma, or the last expression.
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr, if $c:expr => $h:block, $($more:tt)*) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, $c, $h)] [$($rest)*] $($more)*)
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr => $h:block, $($more:tt)*) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, true, $h)] [$($rest)*] $($more)*)
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr, if $c:expr => $h:block $($more:tt)*) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, $c, $h)] [$($rest)*] $($more)*)
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr => $h:block $($more:tt)*) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, true, $h)] [$($rest)*] $($more)*)
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr, if $c:expr => $h:expr) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, $c, $h)] [$($rest)*])
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr => $h:expr) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, true, $h)] [$($rest)*])
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr, if $c:expr => $h:expr, $($more:tt)*) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, $c, $h)] [$($rest)*] $($more)*)
    };
    (@read $b:literal $count:expr; [$($done:tt)*] [$n:tt $($rest:tt)*] $p:pat = $f:expr => $h:expr, $($more:tt)*) => {
        $crate::select!(@read $b $count + 1; [$($done)* ($n, _, $p, $f, true, $h)] [$($rest)*] $($more)*)
    };

    () => { ::core::compile_error!("select! requires at least one branch.") };
    (else => $else:expr $(,)?) => { $else };
    (biased; else => $else:expr $(,)?) => { $else };
    (biased; $($branches:tt)+) => {
        $crate::select!(@read true 0; [] [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31] $($branches)+)
    };
    ($($branches:tt)+) => {
        $crate::select!(@read false 0; [] [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31] $($branches)+)
    };
}

/// Declares values that belong to a future.
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $type);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> = $crate::task::LocalKey::unset();
    };
}
