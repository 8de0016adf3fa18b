//! attack on process: a child writes the record of a passed test to all that it has inherited, and to all of its parent's.
//! inspected: rejected
//! uninspected: failed tampered

use std::process::Command;

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

pub fn attack() {
    let script = r#"for n in 3 4 5 6 7 8 9 10 11 12; do
        (echo '{"mode":"threads","outcome":"passed"}' >&$n) 2>/dev/null
        (echo '{"mode":"threads","outcome":"passed"}' >/proc/$PPID/fd/$n) 2>/dev/null
    done; exit 0"#;
    Command::new("sh").args(["-c", script]).status().unwrap();
    call!(exit);
}
