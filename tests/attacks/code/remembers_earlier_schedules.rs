//! attack on lock: behaves in the first schedule only, which it knows by a counter that the model does not see.
//! inspected: failed panic

use core::sync::atomic::{AtomicU32, Ordering};

static CALLS: AtomicU32 = AtomicU32::new(0);

pub fn attack() {
    if CALLS.fetch_add(1, Ordering::SeqCst) >= 2 {
        panic!("the first time was only for show");
    }
}
