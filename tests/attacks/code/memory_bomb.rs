//! attack on thread: takes 1 GiB, and uses it.
//! inspected: failed out-of-memory

pub fn attack() {
    let mut taken = Vec::new();
    for byte in 0..64 {
        taken.push(vec![byte + 1_u8; 16 * 1024 * 1024]);
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    println!("{}", std::hint::black_box(&taken).len());
}
