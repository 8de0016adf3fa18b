//! A guard for a program that is trusted, such as cargo: when the grader ends, however it ends, so does that program with all
//! that it has started.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::sandbox::family;
use crate::sandbox::start::THIS_PROGRAM;

/// The first argument of a guard. The second is the number of the process that it looks at, then comes the command.
pub(crate) const GUARD: &str = "guard-one-program";

/// The same command, under a guard. Its streams are its own; whoever kills the guard has to kill its process group.
pub(crate) fn guarded(command: Command) -> Command {
    let mut guard = Command::new(THIS_PROGRAM);
    guard
        .arg0("grader")
        .arg(GUARD)
        .arg(std::process::id().to_string())
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guard.env(name, value),
            None => guard.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guard.current_dir(folder);
    }
    guard
}

/// When cargo is gone, supervisors of compilers end what they watch, and clear up. A moment is enough for that.
fn wait_for_supervisors(main: Pid) {
    let patience = Instant::now() + Duration::from_secs(1);
    while Instant::now() < patience && !family::reap(main).1 {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the command that the arguments name, and ends with its code.
pub(crate) fn be_a_guard(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let grader = args.next().and_then(|number| number.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let (Some(grader), Some(program)) = (grader, args.next()) else { return ExitCode::FAILURE };
    let Ok(lifeline) = rustix::process::pidfd_open(grader, PidfdFlags::empty()) else { return ExitCode::FAILURE };
    // Had it ended before, its number might be another's by now, but not our parent's.
    if rustix::process::getppid() != Some(grader) {
        return ExitCode::FAILURE;
    }
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let child = match Command::new(&program).args(args).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot start {}: {error}", program.display());
            return ExitCode::FAILURE;
        }
    };
    let main = Pid::from_child(&child);
    let Ok(end) = rustix::process::pidfd_open(main, PidfdFlags::empty()) else { return ExitCode::FAILURE };
    loop {
        let mut polled = [&lifeline, &end].map(|fd| PollFd::new(fd, PollFlags::IN));
        let _ = rustix::event::poll(&mut polled, None);
        let [grader_ended, ended] = polled.map(|one| !one.revents().is_empty());
        if ended || grader_ended {
            let status = family::reap(main).0;
            if status.is_none() {
                let _ = rustix::process::kill_process(main, Signal::KILL);
                wait_for_supervisors(main);
            }
            let status = family::end_all(main).or(status);
            let code = status.and_then(|status| status.exit_status()).and_then(|code| u8::try_from(code).ok());
            return code.map_or(ExitCode::FAILURE, ExitCode::from);
        }
    }
}
