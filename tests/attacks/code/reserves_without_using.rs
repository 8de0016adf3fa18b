//! attack on thread: reserves 1 GiB and uses none of it. That harms nobody, so it is allowed.
//! inspected: passed

pub fn attack() {
    let reserved: Vec<u8> = Vec::with_capacity(1024 * 1024 * 1024);
    std::hint::black_box(&reserved);
}
