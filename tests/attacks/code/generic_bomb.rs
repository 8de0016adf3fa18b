//! attack on process: a few lines of generics that ask the compiler for 500,000 functions.
//! inspected: compile-error

struct Left<T>(T);
struct Right<T>(T);

trait Grow<const LEFT: u32> {
    fn grow();
}

macro_rules! grow {
    ($($here:literal $next:literal),*) => {
        $(impl<T> Grow<$here> for T {
            fn grow() {
                <Left<T> as Grow<$next>>::grow();
                <Right<T> as Grow<$next>>::grow();
            }
        })*
    };
}

impl<T> Grow<0> for T {
    fn grow() {}
}

grow!(1 0, 2 1, 3 2, 4 3, 5 4, 6 5, 7 6, 8 7, 9 8, 10 9, 11 10, 12 11, 13 12, 14 13, 15 14, 16 15, 17 16, 18 17);

pub fn attack() {
    <u8 as Grow<18>>::grow();
}
