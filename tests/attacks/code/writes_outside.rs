//! attack on process: makes files, folders and links in every place that a user may usually write to.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const FOLDERS: [&str; 9] = [
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "@HOME@",
    "@REPOSITORY@",
    "@REPOSITORY@/katas/thread/src",
    "@CLASS@",
    "@OUT@",
    "@TARGET@",
];

pub fn attack() {
    for folder in FOLDERS.map(Path::new) {
        let path = folder.join("@RUN@-was-here");
        let tries = [
            fs::write(&path, b"here"),
            fs::create_dir(&path),
            symlink("/", &path),
            fs::write("own", b"").and_then(|()| fs::rename("own", &path)),
            fs::write("own", b"").and_then(|()| fs::hard_link("own", &path)),
        ];
        if let Some(number) = tries.iter().position(|tried| tried.is_ok()) {
            panic!("got in: {}, try {number}", folder.display());
        }
    }
    panic!("kept out");
}
