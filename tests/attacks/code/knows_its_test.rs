//! attack on thread: looks for the name or the number of the test that runs, to answer by it.
//! inspected: failed panic
//! says: kept out

use std::env;
use std::fs;

pub fn attack() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.is_empty()).collect();
    assert!(arguments.is_empty(), "got in: {arguments:?}");
    let line = fs::read("/proc/self/cmdline").unwrap_or_default();
    let rest: Vec<&[u8]> = line.split(|byte| *byte == 0).skip(1).filter(|word| !word.is_empty()).collect();
    assert!(rest.is_empty(), "got in: {}", String::from_utf8_lossy(&line));
    let folders = env::current_dir().unwrap();
    let number = folders.components().find_map(|name| name.as_os_str().to_str()?.parse::<u16>().ok());
    assert!(number.is_none(), "got in: {}", folders.display());
    let thread = std::thread::current();
    assert!(matches!(thread.name(), None | Some("main" | "thread")), "got in: {:?}", thread.name());
    panic!("kept out");
}
