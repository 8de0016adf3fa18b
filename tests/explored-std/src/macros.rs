//! Macros that differ from std's: output is swallowed while schedules are searched, thread-locals are modelled.

/// Prints, in the run that is shown; elsewhere only evaluates and formats.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => {
        $crate::explored::output($crate::explored::Stream::Out, $crate::real::format_args!($($arg)*), false)
    };
}

/// Prints a line, in the run that is shown; elsewhere only evaluates and formats.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arg:tt)*) => {
        $crate::explored::output($crate::explored::Stream::Out, $crate::real::format_args!($($arg)*), true)
    };
}

/// Prints to standard error, in the run that is shown; elsewhere only evaluates and formats.
#[macro_export]
macro_rules! eprint {
    ($($arg:tt)*) => {
        $crate::explored::output($crate::explored::Stream::Err, $crate::real::format_args!($($arg)*), false)
    };
}

/// Prints a line to standard error, in the run that is shown; elsewhere only evaluates and formats.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::eprint!("\n") };
    ($($arg:tt)*) => {
        $crate::explored::output($crate::explored::Stream::Err, $crate::real::format_args!($($arg)*), true)
    };
}

/// Prints an expression with its place to standard error and gives its value.
#[macro_export]
macro_rules! dbg {
    () => { $crate::eprintln!("[{}:{}:{}]", file!(), line!(), column!()) };
    ($value:expr $(,)?) => {
        match $value {
            value => {
                $crate::eprintln!("[{}:{}:{}] {} = {:#?}", file!(), line!(), column!(), stringify!($value), &value);
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => { ($($crate::dbg!($value)),+,) };
}

/// Declares values of which every modelled thread has its own.
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = const $value:block; $($rest:tt)*) => {
        $crate::thread_local!($(#[$attribute])* $visibility static $name: $type = const $value);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = const $value:block) => {
        $(#[$attribute])*
        $visibility static $name: $crate::thread::LocalKey<$type> = {
            fn make() -> $type {
                const VALUE: $type = $value;
                VALUE
            }
            $crate::thread::LocalKey::new(make)
        };
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $value:expr; $($rest:tt)*) => {
        $crate::thread_local!($(#[$attribute])* $visibility static $name: $type = $value);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $value:expr) => {
        $(#[$attribute])*
        $visibility static $name: $crate::thread::LocalKey<$type> = {
            fn make() -> $type {
                $value
            }
            $crate::thread::LocalKey::new(make)
        };
    };
}
