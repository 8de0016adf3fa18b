//! attack on process: a shell whose name is no text, and 10 children of it that take 100 MB each.
//! inspected: failed out-of-memory

use std::process::Command;

pub fn attack() {
    let hog = "(head -c 100000000 /dev/zero; sleep 30) | tail -c 100000001";
    let script = format!(
        "name=$(printf '\\377'); ln -sf /bin/sh \"./$name\"; export name hog='{hog}'
        \"./$name\" -c 'for n in 1 2 3 4 5 6 7 8 9 10; do \"./$name\" -c \"$hog; true\" & done; wait'"
    );
    Command::new("sh").args(["-c", &script]).status().unwrap();
}
