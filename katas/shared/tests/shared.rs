//! The contract of the kata `shared`, sentence by sentence. `README.md` has the same list.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use kata::child::{Children, meet, roles};
use kata::on_threads;
use shared::{Cells, Shared};
use tempfile::TempDir;

/// Never called. Compiles only with the types that the stub gives, for every `R`: a type of its own could be equal to whatever it is
/// compared with, or be there for some `R` alone.
fn _signatures<R>(shared: &Shared, change: [impl FnOnce(&mut Cells<'_>) -> R; 2], read: impl FnOnce(&Cells<'_>) -> R) {
    let _: fn(&Path, usize) -> io::Result<Shared> = Shared::create;
    let _: fn(&Path) -> io::Result<Shared> = Shared::open;
    let _: fn(&Shared) -> u64 = Shared::value;
    let _: u64 = shared.modify(|number: u64| number);
    let [change, try_change] = change;
    let _: io::Result<R> = shared.update(change);
    let _: io::Result<Option<R>> = shared.try_update(try_change);
    let _: io::Result<Option<R>> = shared.try_read(read);
    let _: fn(&Shared) -> io::Result<Vec<u64>> = Shared::snapshot;
    let _ = |cells: &mut Cells<'_>| {
        let _: (u64, Vec<u64>) = (cells.get(0_usize), cells.to_vec());
        let () = cells.set(0_usize, 0_u64);
    };
}

#[test]
fn what_one_process_writes_the_others_see() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let children = Children::new();
        let shared = Shared::create(file, 3).unwrap();
        assert_eq!((shared.value(), shared.snapshot().unwrap()), (0, vec![0, 0, 0]), "a new value and array");

        ended_well(start(children.command("write_7_and_9"), file));
        assert_eq!((shared.value(), shared.snapshot().unwrap()), (7, vec![0, 9, 0]), "after another process wrote");

        assert_eq!(shared.modify(|seven| seven * 2), 7, "`modify` returns what it replaced");
        shared.update(|cells| cells.set(2, cells.get(1) + 1)).unwrap();
        ended_well(start(children.command("see_14_and_10"), file));
    }));
}

fn write_7_and_9() -> i32 {
    let shared = opened();
    shared.modify(|_| 7);
    shared.update(|cells| cells.set(1, 9)).unwrap();
    0
}

fn see_14_and_10() -> i32 {
    let shared = opened();
    assert_eq!((shared.value(), shared.snapshot().unwrap()), (14, vec![0, 9, 10]), "as this process found it");
    0
}

#[test]
fn a_value_loses_no_update() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let children = Children::new();
        let shared = created(file, 0);
        let mut seen = Vec::new();
        let replaced = shared.modify(|value| {
            seen.push(value);
            if seen.len() == 1 {
                // This process stands still in the middle. Another comes, counts and goes.
                ended_well(start(children.command("count"), file));
            }
            value + 1
        });
        assert_eq!(shared.value(), 2, "two processes have counted, from 0");
        assert_eq!((replaced, seen), (1, vec![0, 1]), "what was replaced, and what `change` was given");
    }));
}

fn count() -> i32 {
    opened().modify(|value| value + 1);
    0
}

#[test]
fn two_processes_never_change_the_array_at_once() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let children = Children::new();
        let shared = created(file, 2);
        let child = start(children.command("stop_between_two_writes"), file);
        children.wait_for(BETWEEN, 1);
        let refused = try_to_add(&shared);
        assert_eq!(refused, None, "while another process was in the middle of an update");
        children.open(BETWEEN);
        ended_well(child);
        assert_eq!(try_to_add(&shared), Some(()), "once the other process was done");
        assert_eq!(shared.snapshot().unwrap(), [2, 2], "two processes have added 1");
    }));
}

/// Where a child stops in the middle of an update.
const BETWEEN: &str = "between two writes";

fn stop_between_two_writes() -> i32 {
    let change = |cells: &mut shared::Cells<'_>| {
        let one_more = cells.get(0) + 1;
        cells.set(0, one_more);
        meet(BETWEEN);
        cells.set(1, one_more);
    };
    opened().update(change).unwrap();
    0
}

#[test]
fn two_threads_of_a_process_never_change_the_array_at_once() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let shared = created(file, 2);
        let opened_again = Shared::open(file).unwrap();
        let from_another_thread =
            |shared: &Shared| thread::scope(|scope| scope.spawn(|| try_to_add(shared)).join().unwrap());
        let inside = shared.update(|cells| {
            add_1(cells);
            (from_another_thread(&shared), from_another_thread(&opened_again))
        });
        assert_eq!(inside.unwrap(), (None, None), "while a thread was in the middle of an update");
        assert_eq!(from_another_thread(&shared), Some(()), "once it was done");
        assert_eq!(from_another_thread(&opened_again), Some(()), "once it was done");
        assert_eq!(shared.snapshot().unwrap(), [3, 3]);
    }));
}

#[test]
fn many_processes_at_work_lose_nothing() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let children = Children::new();
        let shared = created(file, MANY_CELLS);
        children.rendezvous("work", PROCESSES as usize);
        let working: Vec<Child> = (0..PROCESSES).map(|_| start(children.command("work"), file)).collect();
        working.into_iter().for_each(ended_well);
        let all = PROCESSES * ROUNDS;
        assert_eq!((shared.value(), shared.snapshot().unwrap()), (all, vec![all; MANY_CELLS]), "{all} rounds of work");
    }));
}

const PROCESSES: u64 = 4;
const ROUNDS: u64 = 250;
const MANY_CELLS: usize = 64;

fn work() -> i32 {
    let shared = opened();
    meet("work");
    for round in 1..=ROUNDS {
        shared.modify(|value| value + 1);
        shared.update(add_1).unwrap();
        let cells = shared.snapshot().unwrap();
        assert!(cells.iter().all(|cell| *cell == cells[0]), "a torn snapshot: {cells:?}");
        assert!(cells[0] >= round, "{round} updates are done, but the snapshot is of {}", cells[0]);
    }
    0
}

#[test]
fn a_snapshot_is_never_torn() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let children = Children::new();
        let shared = created(file, 2);

        // Somebody reads while an update stands still in the middle. Either answer is right: not now, or all of what was before.
        let child = start(children.command("stop_between_two_writes"), file);
        children.wait_for(BETWEEN, 1);
        let seen = array(&shared);
        assert!(
            seen.is_none() || seen == Some(vec![0, 0]),
            "in the middle of the update of [0, 0] to [1, 1]: {seen:?}"
        );
        children.open(BETWEEN);
        ended_well(child);
        assert_eq!(array(&shared), Some(vec![1, 1]), "when nobody changes anything");

        // Updates come while a reader stands still in the middle. It may keep them away, or it must notice them.
        let read = shared.try_read(|cells| {
            let first = cells.get(0);
            ended_well(start(children.command("try_to_add_three_times"), file));
            (first, cells.get(1))
        });
        let torn = read.unwrap().filter(|(first, second)| first != second);
        assert_eq!(torn, None, "a reader was told that this is the array at one moment");
        let now = shared.snapshot().unwrap();
        assert!(now == [1, 1] || now == [4, 4], "three updates, or none if the reader kept them away: {now:?}");
    }));
}

fn try_to_add_three_times() -> i32 {
    let shared = opened();
    for _ in 0..3 {
        try_to_add(&shared);
    }
    0
}

#[test]
fn an_update_that_is_broken_off_changes_nothing() {
    let place = Place::new();
    on_threads(place.with(|file| {
        let children = Children::new();
        let shared = created(file, 2);
        shared.update(add_1).unwrap();

        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            shared.update(|cells| {
                cells.set(0, 77);
                panic!("in the middle of an update");
            })
        }));
        assert!(outcome.is_err(), "the panic reaches whoever called `update`");
        assert_eq!(soon(|| array(&shared)), Some(vec![1, 1]), "after a panic in the middle of an update");
        ended_well(start(children.command("try_to_add_three_times"), file));
        assert_eq!(array(&shared), Some(vec![4, 4]), "after a panic, the lock is free for other processes");
        assert_eq!(try_to_add(&shared), Some(()), "after a panic, the lock is free");

        let mut child = start(children.command("stop_between_two_writes"), file);
        children.wait_for(BETWEEN, 1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(soon(|| array(&shared)), Some(vec![5, 5]), "after a process died in the middle of an update");
        assert_eq!(soon(|| try_to_add(&shared)), Some(()), "after its holder died, the lock is free");
        shared.update(add_1).unwrap();
        assert_eq!(shared.snapshot().unwrap(), [7, 7], "after two updates that followed a death");
    }));
}

/// Tries again and again, but not for ever. Who finds something broken off may say "not now" once and mend it, and not every
/// system has unlocked a dead process's files by the time that it says that the process is dead.
fn soon<T>(attempt: impl Fn() -> Option<T>) -> Option<T> {
    (0..10_000).find_map(|_| {
        thread::yield_now();
        attempt()
    })
}

#[test]
fn a_file_that_is_not_shared_memory_is_refused_and_left_alone() {
    let place = Place::new();
    on_threads(place.with(|file| {
        assert_eq!(refusal(Shared::open(file)), Some(ErrorKind::NotFound), "a file that isn't there");
        assert!(!file.exists(), "`open` made a file");

        {
            let shared = Shared::create(file, 3).unwrap();
            shared.update(add_1).unwrap();
            assert_eq!(refusal(Shared::create(file, 1)), Some(ErrorKind::AlreadyExists), "a file that is there");
            assert_eq!(array(&shared), Some(vec![1, 1, 1]), "after `create` for a file that is there");
        }
        let whole = fs::read(file).unwrap();
        let (half, words) = (whole.len() / 2, whole.len() / 8);
        let strangers = [
            ("an empty file", vec![]),
            ("a file of 1 byte", vec![b'1']),
            ("a short text", b"12345678".to_vec()),
            ("a long text", b"1234567\n".repeat(words)),
            ("zeros", vec![0; whole.len()]),
            ("the first half of a shared file", whole[..half].to_vec()),
            ("a shared file without its last byte", whole[..whole.len() - 1].to_vec()),
            ("a shared file without its last word", whole[..whole.len() - 8].to_vec()),
            ("a shared file and one word more", [&whole[..], &[0; 8]].concat()),
            ("a shared file and one byte more", [&whole[..], &[0]].concat()),
        ];
        for (what, bytes) in strangers {
            fs::write(file, &bytes).unwrap();
            assert_eq!(refusal(Shared::open(file)), Some(ErrorKind::InvalidData), "{what}");
            assert!(fs::read(file).unwrap() == bytes, "{what} was changed by `open`");
        }
        for word in 0..words {
            let mut bytes = whole.clone();
            bytes[word * 8..][..8].copy_from_slice(&(1_u64 << 62).to_ne_bytes());
            fs::write(file, &bytes).unwrap();
            match Shared::open(file) {
                Ok(shared) => assert_eq!(shared.snapshot().unwrap().len(), 3, "word {word} of the file was changed"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidData, "word {word} of the file was changed"),
            }
        }
        assert!(Shared::open(file.parent().unwrap()).is_err(), "a folder");
    }));
}

/// Why a file was refused.
fn refusal(outcome: io::Result<Shared>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

#[test]
fn where_there_is_no_room_no_file_is_left() {
    let place = Place::new();
    on_threads(place.with(|file| {
        for len in [usize::MAX, usize::MAX / 8 + 1] {
            assert_eq!(refusal(Shared::create(file, len)), Some(ErrorKind::InvalidInput), "{len} cells");
            assert!(!file.exists(), "a file for {len} cells was left behind");
        }
        let nowhere = file.join("deeper");
        assert_eq!(refusal(Shared::create(&nowhere, 1)), Some(ErrorKind::NotFound), "in a folder that isn't there");
        #[cfg(unix)]
        on_unix::no_room(file);
    }));
}

fn create_without_room() -> i32 {
    assert!(Shared::create(&file(), TOO_MANY_CELLS).is_err(), "a file that found no room");
    0
}

/// More than there is room for where files may only have 64 blocks, of 512 or 1024 bytes each.
const TOO_MANY_CELLS: usize = 100_000;

#[cfg(unix)]
mod on_unix {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// A full disk can't be had without the rights of an administrator. A process that may not write long files is much the same:
    /// `write` fails. And a file that has all of its room can't run into a full disk later.
    pub(super) fn no_room(file: &Path) {
        let children = Children::new();
        let mut limited = Command::new("/bin/sh");
        // Without the trap the system ends a process that goes beyond its limit.
        limited.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\""]).arg(env::current_exe().unwrap());
        limited.envs(children.variables("create_without_room"));
        ended_well(start(limited, file));
        assert!(!file.exists(), "a file that found no room was left behind");

        assert!(Shared::create(file, TOO_MANY_CELLS).is_ok(), "where there is room");
        let long = fs::metadata(file).unwrap();
        assert!(
            !tells_of_holes(file, long.len()) || long.blocks() * 512 >= long.len(),
            "the file has holes: where the disk is full, writing to them kills"
        );
    }

    /// Whether the file system says of a file with holes that it takes less room than one without. Not all do.
    fn tells_of_holes(file: &Path, len: u64) -> bool {
        let (hole, full) = (file.with_extension("hole"), file.with_extension("full"));
        File::create(&hole).and_then(|hole| hole.set_len(len)).unwrap();
        fs::write(&full, vec![0; len as usize]).unwrap();
        let [hole, full] = [hole, full].map(|path| fs::metadata(path).unwrap().blocks() * 512);
        hole < len && full >= len
    }
}

roles!(write_7_and_9, see_14_and_10, count, stop_between_two_writes, work, try_to_add_three_times, create_without_room);

/// The file, newly made, and tried out. Where a child would stumble and never come to where it is waited for, the test stumbles
/// first, and says at what.
fn created(file: &Path, len: usize) -> Shared {
    let shared = Shared::create(file, len).unwrap();
    let opened = Shared::open(file).unwrap();
    opened.update(|cells| (0..len).for_each(|index| cells.set(index, 0))).unwrap();
    shared
}

/// Adds 1 to every cell.
fn add_1(cells: &mut shared::Cells<'_>) {
    for index in 0..cells.to_vec().len() {
        // Others get every opportunity to come in between.
        let seen = cells.get(index);
        thread::yield_now();
        cells.set(index, seen + 1);
    }
}

fn try_to_add(shared: &Shared) -> Option<()> {
    shared.try_update(add_1).unwrap()
}

/// The array, if it can be had now.
fn array(shared: &Shared) -> Option<Vec<u64>> {
    shared.try_read(|cells| cells.to_vec()).unwrap()
}

/// A folder for the shared file. It goes when the test ends, whether well or not.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        // A grader gives each test a folder of its own and removes it, even after a test that had to be killed.
        let graded = env::var_os("INTERLEAVE_RECORD").is_some();
        let parent = if graded { env::current_dir().unwrap() } else { PathBuf::from(env!("CARGO_TARGET_TMPDIR")) };
        Place(tempfile::tempdir_in(parent).unwrap())
    }

    /// The body of a test that uses the file.
    fn with(&self, body: impl Fn(&Path) + Send + Sync + 'static) -> impl Fn() + Send + Sync + 'static {
        let file = self.0.path().join("shared");
        move || body(&file)
    }
}

/// Environment variable: the shared file, for children.
const FILE: &str = "SHARED_FILE";

/// Starts a child that finds the shared file.
fn start(mut command: Command, file: &Path) -> Child {
    command.env(FILE, file).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for a child. If it failed, so has the test, and for the same reason.
fn ended_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    if let Some(todo) = words.lines().find(|line| line.starts_with("not yet implemented")) {
        panic!("{todo}");
    }
    // Before that stands the number of the thread, which is another in every run.
    let words = words.split_once("panicked at ").map_or(&*words, |(_, what)| what);
    assert!(output.status.success(), "a child process failed ({}): {}", output.status, words.trim());
}

/// The shared file of a child.
fn file() -> PathBuf {
    PathBuf::from(env::var_os(FILE).unwrap())
}

fn opened() -> Shared {
    Shared::open(&file()).unwrap()
}
