//! attack on process: a macro that doubles its text 21 times.
//! inspected: compile-error

macro_rules! double {
    ([] $($text:tt)*) => {
        pub fn grown() -> usize {
            [$(stringify!($text)),*].len()
        }
    };
    ([$_step:tt $($left:tt)*] $($text:tt)*) => {
        double!([$($left)*] $($text)* $($text)*);
    };
}

double!([1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21] bomb);

pub fn attack() {
    println!("{}", grown());
}
