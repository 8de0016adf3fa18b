//! attack on thread: prints 64 MB on standard output.
//! inspected: failed output-limit

use std::io::Write;

pub fn attack() {
    let mut stdout = std::io::stdout().lock();
    for _ in 0..1_000_000 {
        let _ = stdout.write_all(b"################################################################\n");
    }
}
