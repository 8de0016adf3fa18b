//! attack on process: a shell whose name is no text starts 800 processes that stay for a minute.
//! inspected: failed crash
//! says: more processes

use std::process::Command;

pub fn attack() {
    let script = "name=$(printf '\\377'); ln -sf /bin/sh \"./$name\"
        \"./$name\" -c 'n=0; while [ $n -lt 800 ]; do sleep 60 & n=$((n + 1)); done; wait'";
    Command::new("sh").args(["-c", script]).status().unwrap();
}
