//! attack on process: takes processor time, files and cores from a process of the same user.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::process::Command;

pub fn attack() {
    let commands = [
        "renice -n 19 -p @VICTIM@",
        "prlimit --pid @VICTIM@ --cpu=1:1",
        "prlimit --pid @VICTIM@ --nofile=0:0",
        "taskset -p -c 0 @VICTIM@",
        "chrt -i -p 0 @VICTIM@",
        "ionice -c 3 -p @VICTIM@",
    ];
    for command in commands {
        let status = Command::new("sh").args(["-c", command]).status().unwrap();
        if status.success() {
            panic!("got in: {command}");
        }
    }
    panic!("kept out");
}
