//! attack on process: a constant for which the compiler needs 3 GiB at once.
//! inspected: compile-error
//! says: more memory

const LARGE: usize = {
    let large = [1_u8; 3 * 1024 * 1024 * 1024];
    large[7] as usize
};

pub fn attack() {
    println!("{LARGE}");
}
