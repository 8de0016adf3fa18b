//! attack on process: sleeps for a minute.
//! inspected: failed timeout

pub fn attack() {
    std::thread::sleep(std::time::Duration::from_secs(60));
}
