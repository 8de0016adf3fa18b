//! attack on process, where programs may be started: becomes one that writes the record to every number, and succeeds.
//! inspected: failed tampered

use std::os::unix::process::CommandExt;
use std::process::Command;

pub fn attack() {
    let script = r#"for n in 3 4 5 6 7 8 9 10 11 12; do
        (echo '{"mode":"threads","outcome":"passed"}' >&$n) 2>/dev/null
        (echo '{"mode":"threads","outcome":"passed"}' >/proc/$PPID/fd/$n) 2>/dev/null
    done; exit 0"#;
    panic!("{}", Command::new("sh").args(["-c", script]).exec());
}
