//! What all guards do alike.

/// The methods of a guard. A *whole* guard knows its lock, and lets it go for a while; a *mapped* one knows only a part of the data.
/// `mut` guards have the lock alone, and note whether the data may have changed.
macro_rules! guard {
    // What both have: `Deref`, `Debug`, the drop, and ways to a guard of a part.
    (common $guard:ident $sharing:ident $mapped:ident [$($mut:tt)?]) => {
        impl<T: ?Sized> std::ops::Deref for $guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                // SAFETY: the guard holds the lock in such a way that nobody else writes.
                unsafe { &*self.data }
            }
        }

        $crate::guard::guard!(deref_mut $guard [$($mut)?]);

        // SAFETY: a shared guard gives out shared references to the data only.
        unsafe impl<T: ?Sized + Sync> Sync for $guard<'_, T> {}

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: ?Sized + std::fmt::Display> std::fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }

        impl<T: ?Sized> Drop for $guard<'_, T> {
            fn drop(&mut self) {
                self.raw.release(std::raw::Sharing::$sharing, self.written);
            }
        }

        impl<'a, T: ?Sized> $guard<'a, T> {
            /// A guard of a part of the data.
            pub fn map<U: ?Sized, F>(s: Self, f: F) -> $mapped<'a, U>
            where
                F: FnOnce(&$($mut)? T) -> &$($mut)? U,
            {
                match Self::try_map_or_err(s, |data| Ok::<_, std::convert::Infallible>(f(data))) {
                    Ok(mapped) => mapped,
                    Err((_, never)) => match never {},
                }
            }

            /// A guard of a part of the data, or the guard as it was if there is no such part.
            ///
            /// # Errors
            /// If the closure gives nothing.
            pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<$mapped<'a, U>, Self>
            where
                F: FnOnce(&$($mut)? T) -> Option<&$($mut)? U>,
            {
                Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
            }

            /// A guard of a part of the data, or the guard as it was and why.
            ///
            /// # Errors
            /// If the closure gives an error.
            pub fn try_map_or_err<U: ?Sized, F, E>(s: Self, f: F) -> Result<$mapped<'a, U>, (Self, E)>
            where
                F: FnOnce(&$($mut)? T) -> Result<&$($mut)? U, E>,
            {
                // SAFETY: the guard holds the lock in the way that such a reference needs, and hands that over.
                match f(unsafe { &$($mut)? *s.data }) {
                    Ok(data) => {
                        let written = $crate::guard::guard!(written [$($mut)?]) || s.written;
                        let s = std::mem::ManuallyDrop::new(s);
                        Ok($mapped { raw: s.raw, data, written, stays: std::marker::PhantomData })
                    }
                    Err(error) => Err((s, error)),
                }
            }

            /// Gives the lock back; who waits is chosen by the scheduler, as always.
            pub fn unlock_fair(s: Self) {
                drop(s);
            }
        }
    };

    (deref_mut $guard:ident []) => {};
    (deref_mut $guard:ident [mut]) => {
        impl<T: ?Sized> std::ops::DerefMut for $guard<'_, T> {
            fn deref_mut(&mut self) -> &mut T {
                self.written = true;
                // SAFETY: the guard holds the lock alone, and is borrowed mutably itself.
                unsafe { &mut *self.data }
            }
        }
    };

    // Whether a guard of a part may change it.
    (written []) => { false };
    (written [mut]) => { true };

    // The pointer to the data, and a marker for lifetimes and variance.
    (pointer []) => { *const T };
    (pointer [mut]) => { *mut T };

    (
        $(#[$about:meta])*
        whole $guard:ident of $lock:ident by $owner:ident, $sharing:ident -> $mapped:ident [$($mut:tt)?]
    ) => {
        $(#[$about])*
        pub struct $guard<'a, T: ?Sized> {
            lock: &'a $lock<T>,
            pub(crate) raw: &'a std::raw::RawLock,
            data: $crate::guard::guard!(pointer [$($mut)?]),
            pub(crate) written: bool,
            stays: std::marker::PhantomData<&'a T>,
        }

        $crate::guard::guard!(common $guard $sharing $mapped [$($mut)?]);

        impl<'a, T: ?Sized> $guard<'a, T> {
            fn of(lock: &'a $lock<T>) -> $guard<'a, T> {
                // A re-entrant lock's data has interior mutability, if it changes at all: taken as changed.
                let written = matches!(std::raw::Sharing::$sharing, std::raw::Sharing::Again);
                let stays = std::marker::PhantomData;
                $guard { lock, raw: &lock.protected.lock, data: lock.protected.value(), written, stays }
            }

            #[doc = concat!("The [`", stringify!($lock), "`] that is held.")]
            pub fn $owner(s: &Self) -> &'a $lock<T> {
                s.lock
            }

            /// Gives the lock back while `f` runs, then takes it again.
            #[track_caller]
            pub fn unlocked<F: FnOnce() -> U, U>(s: &mut Self, f: F) -> U {
                /// Takes the lock again, also after a panic.
                struct Again<'a>(&'a std::raw::RawLock);

                impl Drop for Again<'_> {
                    #[track_caller]
                    fn drop(&mut self) {
                        self.0.acquire(std::raw::Sharing::$sharing, "lock", std::raw::Deadline::NEVER);
                    }
                }

                s.raw.release(std::raw::Sharing::$sharing, std::mem::take(&mut s.written));
                let _again = Again(s.raw);
                f()
            }

            /// The same; who waits is chosen by the scheduler, as always.
            #[track_caller]
            pub fn unlocked_fair<F: FnOnce() -> U, U>(s: &mut Self, f: F) -> U {
                Self::unlocked(s, f)
            }

            /// Gives the lock to somebody who waits, and takes it again.
            #[track_caller]
            pub fn bump(s: &mut Self) {
                Self::unlocked(s, || ());
            }
        }
    };

    (
        $(#[$about:meta])*
        mapped $guard:ident, $sharing:ident [$($mut:tt)?]
    ) => {
        $(#[$about])*
        pub struct $guard<'a, T: ?Sized> {
            raw: &'a std::raw::RawLock,
            data: $crate::guard::guard!(pointer [$($mut)?]),
            written: bool,
            stays: std::marker::PhantomData<&'a T>,
        }

        $crate::guard::guard!(common $guard $sharing $guard [$($mut)?]);
    };
}

pub(crate) use guard;
