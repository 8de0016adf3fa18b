//! attack on thread: panics while it panics, which aborts the process.
//! inspected: failed crash

struct Again;

impl Drop for Again {
    fn drop(&mut self) {
        panic!("once more");
    }
}

pub fn attack() {
    let _again = Again;
    panic!("once");
}
