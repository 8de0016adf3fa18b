//! attack on process: a static that makes a file of 640 MiB.
//! inspected: compile-error

pub static HUGE: [u8; 640 * 1024 * 1024] = [1; 640 * 1024 * 1024];

pub fn attack() {
    println!("{}", HUGE[std::hint::black_box(7)]);
}
