//! attack on thread: ends the process when the test's thread is torn down, after its body has returned.
//! inspected: failed tampered

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        call!(exit);
    }
}

thread_local! {
    static LEAVE: Leave = const { Leave };
}

pub fn attack() {
    LEAVE.with(|_| ());
}
