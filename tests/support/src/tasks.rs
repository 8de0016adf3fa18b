//! What the threads of this process and of its children are doing, as Linux's `/proc` tells it.
//!
//! Other systems have no `/proc`: there every function answers `None`, and a stuck test ends at its deadline.

use std::fs;
use std::io::{self, ErrorKind};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use verdict::patience::{self, Turns};

/// The name of the test support's threads that serve child processes: no list of stuck threads has them.
pub(crate) const FOR_CHILDREN: &str = "test-children";

/// A thread, of this process or of one that descends from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The process that it belongs to.
    pub(crate) process: u32,
    /// The kernel's number for the thread. That of a process's first thread is the process's own.
    pub(crate) id: u32,
    /// The first 15 bytes of its name. A thread without one carries the name of the thread that started it.
    pub(crate) name: String,
    /// What it is doing.
    pub(crate) state: State,
    /// How often it has waited for something.
    pub(crate) waits: u64,
    /// How often it has gone off a processor: to wait, or because it was another one's turn.
    pub(crate) switches: u64,
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs, or would if a processor were free, or it waits for a disk, or it is about to vanish.
    Running,
    /// It waits for something else.
    Asleep,
    /// It has ended, and its parent process has not asked how.
    Zombie,
}

impl Task {
    /// Whether it runs now, or would if a processor were free.
    pub(crate) fn runs_now(&self) -> bool {
        let status = told(format!("/proc/{}/task/{}/status", self.process, self.id));
        status.and_then(|status| state_of(&status)) == Some(State::Running)
    }

    /// For how long it has had a processor, in the clock's ticks. Nothing once it has gone.
    pub(crate) fn processor_time(&self) -> u64 {
        let stat = told(format!("/proc/{}/task/{}/stat", self.process, self.id)).unwrap_or_default();
        // The name, in brackets, may have spaces and brackets of its own. The tenth and eleventh number after it are those.
        let numbers = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
        numbers.filter_map(|number| number.parse::<u64>().ok()).sum()
    }
}

impl State {
    /// In words.
    pub(crate) fn told(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Asleep => "asleep",
            State::Zombie => "ended, but nobody has waited for it",
        }
    }
}

/// The calling thread's number.
pub(crate) fn own_id() -> Option<u32> {
    fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse().ok()
}

/// The threads of this process and of all its descendants.
///
/// `None` where the system doesn't say which children a process has, or where something can't be read, as when no descriptor is left:
/// nobody can tell then whether all is still.
pub(crate) fn family() -> Option<Vec<Task>> {
    if is_told() { seen().ok() } else { None }
}

/// Those of them that the system tells of: none at all where it doesn't say which children a process has.
///
/// # Errors
/// Something can't be read, as when no descriptor is left.
pub(crate) fn whoever_is_told() -> io::Result<Vec<Task>> {
    if is_told() { seen() } else { Ok(Vec::new()) }
}

/// Whether the system says which children a process has.
fn is_told() -> bool {
    fs::metadata("/proc/thread-self/children").is_ok()
}

fn seen() -> io::Result<Vec<Task>> {
    // When one ends while `/proc` lists it, the kernel may pass over the next. Whoever ended is not in the second list, so two lists
    // that are the same passed over nobody. Where somebody comes or goes all the time, the last list has to do.
    const TRIES: usize = 20;
    let mut listed = list()?;
    for _ in 0..TRIES {
        let earlier = mem::replace(&mut listed, list()?);
        if earlier == listed {
            break;
        }
    }
    let mut tasks = Vec::new();
    for (process, thread) in &listed {
        // A process or a thread may end while it is looked at. Then it is simply not in the picture.
        tasks.extend(task(*process, thread)?);
    }
    tasks.sort_by_key(|task| (task.process, task.id));
    Ok(tasks)
}

/// Each process of the family with the folder of each of its threads, as `/proc` lists them once.
fn list() -> io::Result<Vec<(u32, PathBuf)>> {
    let mut listed = Vec::new();
    let mut processes = vec![std::process::id()];
    while let Some(process) = processes.pop() {
        // There are none once the process has gone.
        let threads = unless_gone(fs::read_dir(format!("/proc/{process}/task")))?.into_iter().flatten().flatten();
        for thread in threads.map(|entry| entry.path()) {
            let children = read(thread.join("children"))?.unwrap_or_default();
            processes.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            listed.push((process, thread));
        }
    }
    Ok(listed)
}

/// How all of them got on with the machine's processors, as far as the system says; and those that have ended since this process had
/// [`spent`] so much.
pub(crate) fn turns_of_family(before: Duration) -> Vec<Turns> {
    let schedstat = |task: &Task| told(format!("/proc/{}/task/{}/schedstat", task.process, task.id));
    let tasks = family().unwrap_or_default();
    let mut turns = Vec::new();
    for threads in tasks.chunk_by(|one, other| one.process == other.process) {
        let process = threads[0].process;
        let living: Vec<Turns> = threads.iter().filter_map(|task| Turns::told_by(&schedstat(task)?)).collect();
        let before = if process == std::process::id() { before } else { Duration::ZERO };
        turns.push(Turns::of_the_ended(spent(process).saturating_sub(before), &living));
        turns.extend(living);
    }
    turns
}

/// For how long a process has had processors with all threads that it ever had, as far as the system says.
pub(crate) fn spent(process: u32) -> Duration {
    told(format!("/proc/{process}/stat")).and_then(|stat| patience::spent(&stat)).unwrap_or_default()
}

/// What a thread is doing whose file `status` this is.
fn state_of(status: &str) -> Option<State> {
    Some(match field(status, "State")?.chars().next()? {
        // Whoever is about to vanish may still have somebody to wake: who waits for the end of its process.
        'R' | 'D' | 'X' => State::Running,
        'Z' => State::Zombie,
        _ => State::Asleep,
    })
}

/// A field of a file `status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Whether something that was sent on a network connection has not been delivered: it lies in the kernel's backlog. On a busy machine
/// it can lie there for longer than a thread waits for a processor, while all who have to do with it sleep.
///
/// `false` where the system doesn't say so.
pub(crate) fn is_on_its_way() -> bool {
    has_backlog(&told("/proc/net/softnet_stat").unwrap_or_default())
}

/// Whether a file `softnet_stat` tells of a backlog. It has a line for each processor, of numbers in hexadecimal.
fn has_backlog(stat: &str) -> bool {
    const BACKLOG: usize = 11;
    let mut backlogs = stat.lines().filter_map(|line| line.split_whitespace().nth(BACKLOG));
    backlogs.any(|length| u64::from_str_radix(length, 16) != Ok(0))
}

/// The text of a file in `/proc`, if it can be read.
pub(crate) fn told(path: impl AsRef<Path>) -> Option<String> {
    read(path).ok().flatten()
}

/// The text of a file in `/proc`; nothing once the process or the thread has gone. A thread's name is bytes: what is no text must not
/// hide the rest.
fn read(path: impl AsRef<Path>) -> io::Result<Option<String>> {
    Ok(unless_gone(fs::read(path))?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Nothing if there was none: who has gone is not in the picture, and that is no trouble.
fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    /// So Linux says that a process has ended since its file was opened.
    const NO_SUCH_PROCESS: i32 = 3;
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(NO_SUCH_PROCESS) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The thread whose folder this is, if it still exists.
fn task(process: u32, folder: &Path) -> io::Result<Option<Task>> {
    Ok(read(folder.join("status"))?.and_then(|status| task_of(process, folder, &status)))
}

/// The thread whose folder this is, and whose file `status` says this.
fn task_of(process: u32, folder: &Path, status: &str) -> Option<Task> {
    let id = folder.file_name()?.to_str()?.parse().ok()?;
    let field = |name| field(status, name);
    let state = state_of(status)?;
    let waits: u64 = field("voluntary_ctxt_switches")?.parse().ok()?;
    let forced: u64 = field("nonvoluntary_ctxt_switches")?.parse().ok()?;
    // The kernel cuts names after 15 bytes, perhaps within a character.
    let name = field("Name")?.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned();
    Some(Task { process, id, name, state, waits, switches: waits + forced })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    #[test]
    fn a_backlog_is_seen_at_each_processor() {
        let line = |backlog: &str| format!("00be17cc 0 3 0 0 0 0 0 0 0 0 {backlog} 00000000 0 0\n");
        let [none, some] = ["00000000", "0000000a"].map(line);
        assert!(has_backlog(&format!("{none}{some}")) && !has_backlog(&format!("{none}{none}")));
        assert!(!has_backlog("00be17cc 0 3\n"), "an older system doesn't say");
    }

    /// In a process of its own, which is allowed few files.
    #[test]
    fn whoever_can_open_nothing_does_not_see_that_nothing_moves() {
        const INSIDE: &str = "KATA_TESTS_FEW_FILES";
        if std::env::var_os(INSIDE).is_some() {
            let files: Vec<_> = (0..100).map_while(|_| fs::File::open("/dev/null").ok()).collect();
            assert!(files.len() < 100 && family().is_none() && whoever_is_told().is_err());
            drop(files);
            return assert!(family().is_some_and(|tasks| !tasks.is_empty()));
        }
        let test = thread::current().name().unwrap_or_default().to_owned();
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 50; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        let ended = shell.args(["--exact", &test]).env(INSIDE, "yes").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn a_thread_is_seen_by_number_and_name() {
        let (send_id, id) = channel();
        let (end, ended) = channel::<()>();
        let body = move || {
            send_id.send(own_id()).unwrap();
            let _ = ended.recv();
        };
        let thread = thread::Builder::new().name("a name of more than 15 bytes".to_owned()).spawn(body).unwrap();
        let id = id.recv().unwrap().unwrap();
        let seen = family().unwrap().into_iter().find(|task| task.id == id).unwrap();
        assert_eq!((seen.process, seen.name.as_str()), (std::process::id(), "a name of more"));
        drop(end);
        thread.join().unwrap();
    }

    #[test]
    fn a_thread_that_has_ended_had_turns_too() {
        let before = spent(std::process::id());
        let had = || told("/proc/thread-self/schedstat").and_then(|stat| stat.split(' ').next()?.parse::<u64>().ok());
        let spinner = thread::spawn(move || while had().is_some_and(|had| had < 400_000_000) {});
        spinner.join().unwrap();
        let starved = Turns::told_by("0 60000000000 1").unwrap();
        let limit = Duration::from_millis(1_600);
        let is_over = |turns: Vec<Turns>| patience::is_over(limit, limit, || [turns, vec![starved]].concat());
        assert!(is_over(turns_of_family(before)), "{:?}", turns_of_family(before));
    }

    /// Then a list has as many as there are, and yet not all of them.
    #[test]
    fn no_thread_is_passed_over_when_the_one_before_it_ends() {
        for _ in 0..2_000 {
            let (go, gone) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
            let (goes, stays) = (Arc::clone(&go), Arc::clone(&gone));
            let ending = thread::spawn(move || {
                goes.wait();
            });
            let (send_id, id) = channel();
            let staying = thread::spawn(move || {
                send_id.send(own_id().unwrap()).unwrap();
                stays.wait();
            });
            let id = id.recv().unwrap();
            go.wait();
            assert!(family().unwrap().iter().any(|task| task.id == id), "it is there all the time");
            gone.wait();
            ending.join().unwrap();
            staying.join().unwrap();
        }
    }

    #[test]
    fn the_threads_of_child_processes_belong_to_the_family() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let in_family = |id: u32| family().unwrap().iter().any(|task| (task.process, task.id) == (id, id));
        assert!(in_family(child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!in_family(child.id()));
    }
}
