//! attack on process: leaves a process behind whose name is no text.
//! inspected: failed leak

use std::process::Command;

pub fn attack() {
    let script = "name=$(printf '\\377'); ln -sf \"$(command -v sleep)\" \"./$name\"
        \"./$name\" @NAP@ </dev/null >/dev/null 2>&1 & exit 0";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
