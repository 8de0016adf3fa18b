//! The processes that descend from this one, as `/proc` tells it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use crate::kernel;

/// A process that descends from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its number.
    pub(crate) process: i32,
    /// Whether it has ended already, and only waits to be asked how.
    pub(crate) ended: bool,
    /// Its threads.
    pub(crate) threads: u32,
    /// The pages that it has in memory, those that it shares with others too.
    pub(crate) pages: u64,
    /// Ticks of the clock for which it had a processor.
    pub(crate) ticks: u64,
}

/// All descendants. Because this process is their subreaper, none is missing.
pub(crate) fn members() -> Vec<Member> {
    let mut found = Vec::new();
    // The supervisor has one thread.
    let mut unseen = children(std::process::id() as i32, 1);
    while let Some(process) = unseen.pop() {
        // It may have ended meanwhile: then it is no member any more.
        if let Some(member) = member(process) {
            unseen.extend(children(process, member.threads));
            found.push(member);
        }
    }
    found
}

/// The children of each of its threads.
fn children(process: i32, threads: u32) -> Vec<i32> {
    let of_thread = |folder: &Path| {
        let text = kernel::told(folder.join("children")).ok()?;
        Some(text.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>())
    };
    let tasks = format!("/proc/{process}/task");
    if threads == 1 {
        return of_thread(Path::new(&format!("{tasks}/{process}"))).unwrap_or_else(|| by_parent(process));
    }
    let folders = fs::read_dir(&tasks).into_iter().flatten().filter_map(|entry| entry.ok());
    folders.filter_map(|entry| of_thread(&entry.path())).flatten().collect()
}

/// The children of a process on a kernel whose `/proc` does not list them.
fn by_parent(parent: i32) -> Vec<i32> {
    if Path::new("/proc/thread-self/children").exists() {
        return Vec::new();
    }
    let names = fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok());
    let processes = names.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    processes
        .filter(|process| stat(*process).is_some_and(|fields| field(&fields, PARENT) == Some(parent as u64)))
        .collect()
}

/// The fields of `/proc/PID/stat` after the name, in the numbers of its manual page less 3.
fn stat(process: i32) -> Option<String> {
    let text = kernel::told(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything, brackets too.
    Some(text.rsplit_once(')')?.1.trim().to_string())
}

const STATE: usize = 0;
const PARENT: usize = 1;
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const THREADS: usize = 17;
const PAGES: usize = 21;

fn field(fields: &str, number: usize) -> Option<u64> {
    fields.split(' ').nth(number)?.parse().ok()
}

fn member(process: i32) -> Option<Member> {
    let fields = stat(process)?;
    let state = fields.split(' ').nth(STATE)?;
    Some(Member {
        process,
        ended: matches!(state, "Z" | "X"),
        threads: field(&fields, THREADS)? as u32,
        pages: field(&fields, PAGES)?,
        ticks: field(&fields, USER_TICKS)? + field(&fields, SYSTEM_TICKS)?,
    })
}

/// The memory that all members have together, each shared page counted once. Slower than the sum of their pages.
pub(crate) fn proportional_memory(members: &[Member]) -> u64 {
    let page = rustix::param::page_size() as u64;
    let share = |text: String| {
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
    };
    let of = |member: &Member| match kernel::told(format!("/proc/{}/smaps_rollup", member.process)) {
        // It has ended meanwhile, and has no memory any more.
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOENT | Errno::SRCH)) => 0,
        told => told.ok().and_then(share).unwrap_or(member.pages * page),
    };
    members.iter().map(of).sum()
}

/// The size of the files that members hold open and that have no name any more, in bytes.
pub(crate) fn nameless_files(members: &[Member]) -> u64 {
    let open = members.iter().filter_map(|member| fs::read_dir(format!("/proc/{}/fd", member.process)).ok());
    let mut seen = std::collections::BTreeSet::new();
    open.flatten()
        .filter_map(|entry| fs::metadata(entry.ok()?.path()).ok())
        .filter(|file| file.is_file() && file.nlink() == 0 && seen.insert((file.dev(), file.ino())))
        .map(|file| file.blocks() * 512)
        .sum()
}

/// Takes note of every child that has ended, orphans of deeper descendants too. Gives the status of `main` if it was among them,
/// and whether no child is left.
pub(crate) fn reap(main: Pid) -> (Option<WaitStatus>, bool) {
    let mut status = None;
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((process, ended))) if process == main => status = Some(ended),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return (status, false),
            Err(_) => return (status, true),
        }
    }
}

/// Ends all descendants, however fast they multiply, and reaps them. Gives the status of `main` if it was among them.
pub(crate) fn end_all(main: Pid) -> Option<WaitStatus> {
    let mut status = None;
    let mut pause = std::time::Duration::from_micros(50);
    loop {
        // One signal for the whole group, in which the confined program can't but stay. It reaches those who are being born.
        let _ = rustix::process::kill_process_group(main, Signal::KILL);
        let (ended, none_left) = reap(main);
        status = status.or(ended);
        if none_left {
            return status;
        }
        // Without seccomp they may have left the group. Stopped first, none can start another while the rest are looked for.
        for signal in [Signal::STOP, Signal::KILL] {
            for member in members().iter().filter(|member| !member.ended) {
                if let Some(process) = Pid::from_raw(member.process) {
                    let _ = rustix::process::kill_process(process, signal);
                }
            }
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(std::time::Duration::from_millis(5));
    }
}
