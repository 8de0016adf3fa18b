//! attack on thread: recurses until the stack is full.
//! inspected: failed crash

fn deeper(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 64]);
    here[63] + deeper(depth + 1) + here[0]
}

pub fn attack() {
    println!("{}", deeper(0));
}
