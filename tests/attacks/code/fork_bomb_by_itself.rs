//! attack on process: the test starts itself twice, and these do so too, nine times over: 500 processes.
//! inspected: failed crash
//! says: more processes

use std::env;
use std::process::Command;

const DEPTH: &str = "INTERLEAVE_ATTACK_DEPTH";

pub fn attack() {
    let depth: u32 = env::var(DEPTH).ok().and_then(|depth| depth.parse().ok()).unwrap_or(0);
    if depth < 8 {
        let again = || {
            // Whoever is started by its like ends at once, so a shell stands between.
            Command::new("/bin/sh")
                .args(["-c", "\"$0\" \"$@\"; :"])
                .arg(env::current_exe().unwrap())
                .args(["--exact", "a_process_gets_its_arguments_variables_and_folder", "--nocapture"])
                .env_clear()
                .env(DEPTH, (depth + 1).to_string())
                .spawn()
        };
        for child in [again(), again()] {
            let _ = child.map(|mut child| child.wait());
        }
    }
    std::thread::sleep(std::time::Duration::from_secs(30));
}
