//! The supervisor: starts one confined program, watches it, and leaves no process of it behind.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use pipeline::process::{Ending, Exceeded};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, WaitStatus};

use crate::sandbox::order::{Answer, NotRun, Order};
use crate::sandbox::streams::Stream;
use crate::sandbox::usage::{LOOK, Watch};
use crate::sandbox::{confine, family};
use pipeline::judging::sandbox::{Channel, Ended};

/// A program that runs.
struct Program {
    process: Pid,
    /// Readable when the process has ended.
    end: Option<OwnedFd>,
    output: Stream,
    errors: Stream,
    record: Option<Stream>,
}

/// Why the watch is over.
enum Over {
    /// The program has ended by itself.
    Ended(WaitStatus),
    /// It was using too much.
    Exceeded(Exceeded),
    /// Nobody waits for the answer any more.
    Abandoned,
}

/// Runs the program to its end. `lifeline` becomes readable or is hung up when nobody waits for the answer any more: then all
/// is ended at once, and there is no answer.
pub(crate) fn supervise(order: &Order, lifeline: BorrowedFd<'_>) -> Option<Answer> {
    let watch = Watch::new(order.allowance, order.files.write.iter().filter(|path| path.is_dir()).cloned().collect());
    let program = match start(order) {
        Ok(program) => program,
        Err(why) => return Some(Answer::NotRun(why)),
    };
    attend(program, watch, lifeline).map(Answer::Ended)
}

/// Starts the program.
fn start(order: &Order) -> Result<Program, NotRun> {
    let failed = |what: &'static str| move |error: io::Error| NotRun::Failed(format!("{what}: {error}"));
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own)).map_err(|error| failed("to become a subreaper")(error.into()))?;
    let (output, their_output) = Stream::pipe(order.allowance.output).map_err(failed("a pipe"))?;
    let (errors, their_errors) = Stream::pipe(order.allowance.output).map_err(failed("a pipe"))?;
    let record = if order.record { Some(Stream::socket().map_err(failed("a socket"))?) } else { None };
    let (mut troubles, their_trouble) = Stream::pipe(4096).map_err(failed("a pipe"))?;

    let mut command = Command::new(&order.program);
    command.args(&order.args).env_clear().envs(order.environment.iter().cloned()).current_dir(&order.folder);
    command.stdin(Stdio::null()).stdout(their_output).stderr(their_errors);
    let channel = record.as_ref().map(|(_, theirs)| theirs.as_raw_fd());
    if let Some(number) = channel {
        command.env(verdict::RECORD_FILE, format!("fd:{number}"));
    }
    let asked = order.clone();
    let confine = move || {
        confine::confine(&asked, own, channel).map_err(|why| {
            let _ = rustix::io::write(&their_trouble, &serde_json::to_vec(&why).unwrap_or_default());
            io::Error::from(io::ErrorKind::Other)
        })
    };
    #[allow(unsafe_code, reason = "code between fork and exec")]
    // SAFETY: this process has one thread, so no lock can be held by another at the fork, and allocating is allowed after it.
    unsafe {
        command.pre_exec(confine)
    };
    let spawned = command.spawn();
    // Our copies of the program's ends: while they are open, the streams have no end.
    drop(command);
    let record = record.map(|(ours, _)| ours);
    let child = spawned.map_err(|error| {
        troubles.take();
        let confined = serde_json::from_str(&troubles.text());
        confined.unwrap_or_else(|_| NotRun::Failed(format!("{}: {error}", order.program.display())))
    })?;
    let process = Pid::from_child(&child);
    Ok(Program { process, end: rustix::process::pidfd_open(process, PidfdFlags::empty()).ok(), output, errors, record })
}

/// Watches the program to its end, and leaves nothing of it behind.
fn attend(mut program: Program, mut watch: Watch, lifeline: BorrowedFd<'_>) -> Option<Ended> {
    let over = loop {
        match turn(&mut program, &mut watch, lifeline) {
            Some(over) => break over,
            None => continue,
        }
    };
    let took = watch.took();
    let left_behind = match &over {
        Over::Ended(_) => family::members().iter().filter(|member| !member.ended).count() as u32,
        Over::Exceeded(_) | Over::Abandoned => 0,
    };
    let late_status = family::end_all(program.process);
    let ending = match over {
        Over::Abandoned => return None,
        // A limit that it reached in the same moment in which it ended is none.
        Over::Exceeded(what) => Ending::Exceeded(what),
        Over::Ended(status) => ended(status),
    };
    debug_assert!(late_status.is_none() || matches!(ending, Ending::Exceeded(_)), "a status is seen once");
    let too_much = program.output.take() | program.errors.take();
    let too_long = program.record.as_mut().is_some_and(|record| record.take());
    let ending = match ending {
        Ending::Exceeded(what) => Ending::Exceeded(what),
        _ if too_much || too_long => Ending::Exceeded(Exceeded::Output),
        ending => watch.at_the_end().map_or(ending, Ending::Exceeded),
    };
    let (cpu, largest) = used();
    Some(Ended {
        ending,
        stdout: program.output.text(),
        stderr: program.errors.text(),
        record: match &program.record {
            Some(record) => record.record(),
            None => Channel::Silent,
        },
        peak_memory: watch.peak_memory().max(largest),
        cpu,
        took,
        left_behind,
    })
}

/// Waits for something to happen, a moment at most, and sees to it.
fn turn(program: &mut Program, watch: &mut Watch, lifeline: BorrowedFd<'_>) -> Option<Over> {
    let wanted: Vec<BorrowedFd<'_>> = [program.output.end(), program.errors.end()]
        .into_iter()
        .chain([program.record.as_ref().and_then(|record| record.end()), program.end.as_ref().map(|end| end.as_fd())])
        .flatten()
        .collect();
    let mut polled = vec![PollFd::from_borrowed_fd(lifeline, PollFlags::IN)];
    polled.extend(wanted.into_iter().map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN)));
    // Without a descriptor that tells the process's end, it has to be asked for more often.
    let pause = if program.end.is_some() { LOOK } else { LOOK / 5 };
    let pause = Timespec { tv_sec: 0, tv_nsec: pause.subsec_nanos().into() };
    // An error is a signal that came in between; what it was about is seen in the next turn.
    let _ = rustix::event::poll(&mut polled, Some(&pause));
    if !polled[0].revents().is_empty() {
        return Some(Over::Abandoned);
    }
    let too_much = program.output.take() | program.errors.take();
    let too_long = program.record.as_mut().is_some_and(|record| record.take());
    if let (Some(status), _) = family::reap(program.process) {
        return Some(Over::Ended(status));
    }
    if too_much || too_long {
        return Some(Over::Exceeded(Exceeded::Output));
    }
    watch.look().map(Over::Exceeded)
}

/// How the program ended, in our words.
fn ended(status: WaitStatus) -> Ending {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(libc::SIGXCPU)) => Ending::Exceeded(Exceeded::Cpu),
        (None, Some(libc::SIGXFSZ)) => Ending::Exceeded(Exceeded::Disk),
        (None, signal) => Ending::Signalled(signal.unwrap_or(0)),
    }
}

/// The processor time of all descendants that were waited for, and the memory of the largest of them, in bytes.
fn used() -> (Duration, u64) {
    #[allow(unsafe_code, reason = "no crate of ours has this call")]
    // SAFETY: all zeroes are a value of this struct of numbers, and the call fills it in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    let duration = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    (duration(usage.ru_utime) + duration(usage.ru_stime), usage.ru_maxrss.unsigned_abs() * 1024)
}

/// Writes the answer to whoever asked. One who has gone needn't know.
pub(crate) fn answer(mut to: impl Write, answer: &Answer) {
    if let Ok(json) = serde_json::to_vec(answer) {
        let _ = to.write_all(&json);
    }
}
