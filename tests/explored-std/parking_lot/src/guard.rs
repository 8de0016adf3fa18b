//! What all guards do alike.

macro_rules! guard {
    ($guard:ident $(, $write:ident)?) => {
        impl<T: ?Sized> std::ops::Deref for $guard<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                // SAFETY: the guard holds the lock in such a way that nobody else writes.
                unsafe { &*self.data }
            }
        }

        $(
            impl<T: ?Sized> std::ops::DerefMut for $guard<'_, T> {
                fn deref_mut(&mut self) -> &mut T {
                    self.$write = true;
                    // SAFETY: the guard holds the lock alone, and is borrowed mutably itself.
                    unsafe { &mut *self.data }
                }
            }
        )?

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
    };
}

pub(crate) use guard;
