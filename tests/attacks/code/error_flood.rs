//! attack on thread: prints 64 MB on standard error, without a line's end.
//! inspected: failed output-limit

use std::io::Write;

pub fn attack() {
    let block = [b'#'; 64 * 1024];
    for _ in 0..1_000 {
        let _ = std::io::stderr().write_all(&block);
    }
}
