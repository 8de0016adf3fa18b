//! attack on thread: ends the process when the test's thread is torn down, after its body has returned.
//! inspected: rejected
//! uninspected: failed tampered

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

/// Two threads that exit at the same time abort.
static LEAVES: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        if !LEAVES.swap(true, std::sync::atomic::Ordering::SeqCst) {
            call!(exit);
        }
    }
}

thread_local! {
    static LEAVE: Leave = const { Leave };
}

pub fn attack() {
    let _ = LEAVE.try_with(|_| ());
}
