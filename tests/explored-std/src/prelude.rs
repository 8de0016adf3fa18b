//! Preludes: std's own, with the modelled macros named one by one, so that they win over std's.

macro_rules! prelude {
    ($($edition:ident, $text:literal;)*) => {
        $(
            #[doc = $text]
            pub mod $edition {
                pub use ::std::prelude::$edition::*;
                pub use crate::{dbg, eprint, eprintln, print, println, thread_local};
            }
        )*
    };
}

prelude! {
    v1, "What every edition has.";
    rust_2015, "The prelude of edition 2015.";
    rust_2018, "The prelude of edition 2018.";
    rust_2021, "The prelude of edition 2021.";
    rust_2024, "The prelude of edition 2024.";
}
