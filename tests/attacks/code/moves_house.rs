//! attack on thread: makes another folder its working folder, and removes its own.
//! inspected: passed

pub fn attack() {
    let own = std::env::current_dir().unwrap();
    let _ = std::env::set_current_dir("/");
    let _ = std::fs::remove_dir_all(own);
}
