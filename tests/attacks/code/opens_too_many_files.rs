//! attack on thread: opens files until there is no number left for another, and keeps them: then nobody sees what else it leaves behind.
//! inspected: failed leak
//! says: nobody can see whether

use std::fs::File;

pub fn attack() {
    let files: Vec<File> = (0..100_000).map_while(|_| File::open("/dev/null").ok()).collect();
    std::mem::forget(files);
}
