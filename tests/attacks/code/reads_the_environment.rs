//! attack on process: looks for a secret in the environments of its own process and of all others, as `/proc` tells them.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::env;
use std::fs;

pub fn attack() {
    let own: Vec<(String, String)> = env::vars().filter(|(name, _)| name.contains("SECRET")).collect();
    if !own.is_empty() {
        panic!("got in: {own:?}");
    }
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if String::from_utf8_lossy(&environment).contains("INTERLEAVE_ATTACK_SECRET") {
            panic!("got in: {}", entry.path().display());
        }
    }
    panic!("kept out");
}
