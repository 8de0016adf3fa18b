//! The contract of the kata `shared`, sentence by sentence. `README.md` has the same list.
//!
//! Who stands in for another process is another process where it has to die, and a thread with a `Shared` of its own where it
//! only has to come in between.

use std::cell::Cell;
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::iter;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use kata::child::{Children, meet, roles, stop, tell};
use kata::{Check, Steps, situation, until_still};
use shared::{Cells, Shared};
use tempfile::TempDir;

/// Never called. Compiles only with the types that the stub gives, for every `R`: a type of its own could be equal to
/// whatever it is compared with, or be there for some `R` alone.
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
    check(place.with(|file| {
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
    check(place.with(|file| {
        let children = Children::new();
        let (shared, other) = (created(file, 0), Shared::open(file).unwrap());
        let one_child = || ended_well(start(children.command("count"), file));
        adds_1(&shared, 0, &[1], &one_child);
        let many: [&[u64]; 8] = [&[], &[1], &[2], &[1, 1], &[2, 1], &[1, 2], &[1, 1, 1], &[1; 300]];
        for first in [0, 1, 1 << 31, 1 << 32, 1 << 63, u64::MAX - 2, u64::MAX - 1, u64::MAX] {
            for times in many {
                adds_1(&shared, first, times, &|| {
                    other.modify(|value| value.wrapping_add(1));
                });
            }
        }
        let another_thread = || {
            thread::scope(|scope| scope.spawn(|| shared.modify(|value| value.wrapping_add(1))).join().unwrap());
        };
        adds_1(&shared, 0, &[1, 2], &another_thread);
        situation("`change` gives back what it was given, and at its first run, others add 1");
        shared.modify(|_| 7);
        let mut seen = Vec::new();
        let replaced = shared.modify(|value| {
            if seen.is_empty() {
                other.modify(|value| value + 1);
            }
            seen.push(value);
            value
        });
        assert_eq!((replaced, seen), (8, vec![7, 8]), "what was replaced, and what `change` was given");
        for others in [0, 1] {
            situation(format!("`change` panics, and meanwhile others have added 1, so many times: {others}"));
            let now = shared.value() + others;
            let change = |_| {
                for _ in 0..others {
                    other.modify(|value| value + 1);
                }
                panic!("in `change`")
            };
            assert!(panic::catch_unwind(AssertUnwindSafe(|| shared.modify(change))).is_err());
            assert_eq!((shared.value(), other.modify(|value| value)), (now, now), "the value, after a panic");
        }
    }));
}

/// Adds 1 to the value. Meanwhile others do the same: so many at the first attempt, so many at the second, and so on.
fn adds_1(shared: &Shared, first: u64, times: &[u64], other_adds_1: &dyn Fn()) {
    situation(format!(
        "the value is {first}, and while `change` runs, others add 1, so many times in each run: {times:?}"
    ));
    shared.modify(|_| first);
    assert_eq!(shared.value(), first, "the value");
    let mut seen = Vec::new();
    let replaced = shared.modify(|value| {
        let others = times.get(seen.len()).copied().unwrap_or(0);
        seen.push(value);
        (0..others).for_each(|_| other_adds_1());
        value.wrapping_add(1)
    });
    let mut expected = vec![first];
    times.iter().for_each(|others| expected.push(expected[expected.len() - 1].wrapping_add(*others)));
    let last = expected[times.len()];
    assert_eq!(shared.value(), last.wrapping_add(1), "the value, when all have counted");
    assert_eq!((replaced, seen), (last, expected), "what was replaced, and what `change` was given");
}

fn count() -> i32 {
    opened().modify(|value| value + 1);
    0
}

#[test]
fn an_update_sees_and_changes_the_current_cells() {
    let place = Place::new();
    check(place.with(|file| {
        let (shared, other) = (created(file, 2), Shared::open(file).unwrap());
        // Which cells an update sets, one after the other.
        let updates: [&[usize]; 7] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 0], &[1, 1]];
        let (mut expected, mut number) = (vec![0, 0], 0);
        let breaking = [("the same `Shared`", &shared), ("another `Shared`", &other)];
        let all = breaking.into_iter().flat_map(|breaking| triples(&updates).map(move |three| (breaking, three)));
        for ((who, breaking), (first, second, third)) in all {
            situation(format!(
                "an update that sets all cells is broken off, by {who}, and then three set the cells {first:?}, {second:?} and {third:?}"
            ));
            assert!(panic::catch_unwind(AssertUnwindSafe(|| breaking.update(broken_off))).is_err(), "the panic goes on");
            for (nth, cells_to_set) in [first, second, third].into_iter().enumerate() {
                let mut change = |cells: &mut shared::Cells<'_>| {
                    assert_eq!(cells.to_vec(), expected, "the array, as update {nth} finds it");
                    for cell in cells_to_set {
                        number += 1;
                        (expected[*cell], _) = (number, cells.set(*cell, number));
                        assert_eq!(cells.to_vec(), expected, "the array, as update {nth} has changed it");
                        assert_eq!([cells.get(0), cells.get(1)], *expected, "the same, cell by cell");
                    }
                    number
                };
                let result = if nth == 1 {
                    other.try_update(change).unwrap()
                } else {
                    Some(shared.update(&mut change).unwrap())
                };
                assert_eq!(result, Some(number), "what `change` returned");
                assert_eq!(array(&shared), Some(expected.clone()), "after update {nth}");
                assert_eq!(other.snapshot().unwrap(), expected, "after update {nth}");
            }
        }
        // More cells than a word has bits, and more than 16 bits count.
        for len in [200, 70_000] {
            let file = file.with_extension(len.to_string());
            let (shared, mut expected) = (created(&file, len), vec![0; len]);
            let other = Shared::open(&file).unwrap();
            for (cell, number) in [0, 63, 64, 127, 128, len - 1, 64].into_iter().zip(1..) {
                situation(format!("the {number}th update of an array of {len} cells sets cell {cell}"));
                let add = |cells: &mut shared::Cells<'_>| cells.set(cell, cells.get(cell) + number);
                expected[cell] += number;
                if number % 2 == 0 {
                    other.update(add).unwrap()
                } else {
                    shared.update(add).unwrap()
                }
                assert!(other.snapshot().unwrap() == expected, "the update has changed another cell, or not this one");
            }
        }
    }));
}

/// Sets two cells, each of them twice, and panics.
fn broken_off(cells: &mut shared::Cells<'_>) {
    for number in [77, 78] {
        (0..2).for_each(|cell| cells.set(cell, number));
    }
    // Without a word: this happens often.
    panic::resume_unwind(Box::new(PAYLOAD));
}

/// What a panic carries with it.
const PAYLOAD: &str = "as its test wants it";

/// Each with each and each.
fn triples<T: Copy>(all: &[T]) -> impl Iterator<Item = (T, T, T)> {
    all.iter()
        .flat_map(move |first| all.iter().flat_map(move |second| all.iter().map(|third| (*first, *second, *third))))
}

#[test]
fn beyond_the_last_cell_is_none() {
    let place = Place::new();
    check(place.with(|file| {
        for len in 0..=3 {
            let file = file.with_extension(len.to_string());
            let shared = created(&file, len);
            shared.modify(|_| 5);
            for round in 1..=2 {
                // Each version of the array may be somewhere else: what panics changes nothing, and there are five other updates in
                // each round.
                shared.update(add_1).unwrap();
                // The second of them is 0 in 4 bytes, and when it is counted in bytes.
                for index in (len..3 * len + 6).chain([usize::MAX, usize::MAX / 2 + 1]) {
                    situation(format!(
                        "an array of {len} cells has seen {} updates, and there is no cell {index}",
                        5 * round - 3
                    ));
                    let panics = |what: &str, attempt: &dyn Fn()| {
                        assert!(panic::catch_unwind(AssertUnwindSafe(attempt)).is_err(), "{what} has to panic");
                    };
                    panics("`get` in an update", &|| drop(shared.update(|cells| cells.get(index))));
                    panics("`set`", &|| drop(shared.try_update(|cells| cells.set(index, 77))));
                    panics("`get` of a reader", &|| {
                        while shared.try_read(|cells| cells.get(index)).unwrap().is_none() {}
                    });
                    assert_eq!(soon(|| array(&shared)), Some(vec![round; len]), "the array, after that");
                    assert_eq!(shared.value(), 5, "the value, after that");
                }
                situation(format!("`change` goes on after a panic of `set`, in an array of {len} cells"));
                // At last it sets all the cells that there are.
                for then in [None, None, Some(round + 10), Some(round)] {
                    let goes_on = |cells: &mut shared::Cells<'_>| {
                        for index in [len, len + 1, usize::MAX] {
                            panic::catch_unwind(AssertUnwindSafe(|| cells.set(index, 77)))
                                .expect_err("it has to panic");
                        }
                        if let Some(number) = then {
                            (0..len).for_each(|cell| cells.set(cell, number));
                        }
                    };
                    shared.update(goes_on).unwrap();
                    assert_eq!(array(&shared), Some(vec![then.unwrap_or(round); len]), "the array, after that");
                }
            }
        }
    }));
}

#[test]
fn two_processes_never_change_the_array_at_once() {
    let place = Place::new();
    check(place.with(|file| {
        let children = Children::new();
        let shared = created(file, 2);
        let child = start(children.command("stop_between_two_writes"), file);
        children.wait_for(BETWEEN, 1);
        let refused = try_to_add(&shared);
        assert_eq!(refused, None, "while another process was in the middle of an update");
        // It may wait, but has nothing to change.
        let opens = thread::spawn({
            let file = file.to_owned();
            move || Shared::open(&file)
        });
        until_still();
        assert_eq!(try_to_add(&shared), None, "while another process was in the middle, and the file was opened again");
        children.open(BETWEEN);
        ended_well(child);
        let opened_meanwhile = opens.join().unwrap().unwrap();
        assert_eq!(shared.snapshot().unwrap(), [1, 1], "the other process has added 1");
        assert_eq!(try_to_add(&shared), Some(()), "once the other process was done");
        assert_eq!(try_to_add(&opened_meanwhile), Some(()), "once the other process was done");
        assert_eq!(shared.snapshot().unwrap(), [3, 3], "1 was added three times");

        situation(
            "a thread is in the middle of an update, others of its process come and go, and another process tries, too",
        );
        let child = start(children.command("is_kept_out"), file);
        children.wait_for(MEANWHILE, 1);
        let opens = shared.update(|cells| {
            add_1(cells);
            let come_and_go = || {
                let goes = opened_meanwhile;
                for shared in [&shared, &goes] {
                    let _ = (array(shared), try_to_add(shared));
                }
            };
            thread::scope(|scope| scope.spawn(come_and_go).join().unwrap());
            // It may wait, too.
            let file = file.to_owned();
            let opens =
                thread::spawn(move || drop((Shared::open(&file).unwrap(), Shared::create(&file, 2).unwrap_err())));
            until_still();
            children.open(MEANWHILE);
            ended_well(child);
            opens
        });
        opens.unwrap().join().unwrap();
        assert_eq!(shared.snapshot().unwrap(), [4, 4], "1 was added once more");
    }));
}

/// Where a child is let go when another process is in the middle of an update.
const MEANWHILE: &str = "meanwhile";

fn is_kept_out() -> i32 {
    let shared = opened();
    meet(MEANWHILE);
    assert_eq!(try_to_add(&shared), None, "while a thread of another process was in the middle of an update");
    0
}

/// Where a child stops in the middle of an update.
const BETWEEN: &str = "between two writes";

fn stop_between_two_writes() -> i32 {
    opened().update(|cells| add_1_and_stop_between(cells, &|| meet(BETWEEN))).unwrap();
    0
}

/// Adds 1 to both cells, and stops in the middle of it. The first one is set twice: what the second time replaces is not what was
/// there before.
fn add_1_and_stop_between(cells: &mut shared::Cells<'_>, stop: &dyn Fn()) {
    let one_more = cells.get(0) + 1;
    cells.set(0, 77);
    cells.set(0, one_more);
    stop();
    cells.set(1, one_more);
}

#[test]
fn two_threads_of_a_process_never_change_the_array_at_once() {
    let place = Place::new();
    check(place.with(|file| {
        let shared = created(file, 2);
        #[cfg(not(unix))]
        let opened_again = [Shared::open(file).unwrap()];
        #[cfg(unix)]
        let opened_again = on_unix::opened_by_other_names(file);
        let all = || iter::once(&shared).chain(&opened_again);
        let from_another_thread =
            |shared: &Shared| thread::scope(|scope| scope.spawn(|| try_to_add(shared)).join().unwrap());
        let looks = |shared: &Shared| thread::scope(|scope| scope.spawn(|| array(shared)).join().unwrap());
        let count = |shared: &Shared| {
            let count = || (shared.modify(|value| value + 1), shared.value());
            thread::scope(|scope| scope.spawn(count).join().unwrap())
        };
        let inside = shared.update(|cells| {
            add_1(cells);
            let counted = (count(&shared), count(&opened_again[0]));
            assert_eq!(counted, ((0, 1), (1, 2)), "the value, while a thread was in the middle of an update");
            // A reader that comes and goes takes nobody's turn away.
            let seen = all().filter_map(looks).find(|seen| *seen != [0, 0]);
            assert_eq!(seen, None, "the array, while a thread was in the middle of an update");
            all().filter_map(from_another_thread).count()
        });
        assert_eq!(inside.unwrap(), 0, "updates that came while a thread was in the middle of one");
        assert!(all().all(|shared| from_another_thread(shared).is_some()), "once it was done, nobody else is there");
        assert_eq!(shared.snapshot().unwrap(), [2 + opened_again.len() as u64; 2]);

        // The current folder is the whole process's, so another one does this.
        situation("a process finds files by names that count from its current folder, and then goes to another folder");
        ended_well(start(Children::new().command("goes_elsewhere"), file));
    }));
}

/// Finds files by names that count from the current folder, and goes to another folder. There is a file by the second name, too.
fn goes_elsewhere() -> i32 {
    let here = file().parent().unwrap().to_owned();
    let there = here.join("there");
    fs::create_dir(&there).unwrap();
    created(&there.join("two"), 2);
    for (name, what) in [("one", "there is no such name"), ("two", "another file has the same name")] {
        env::set_current_dir(&here).unwrap();
        let made = created(Path::new(name), 2);
        let opened = Shared::open(Path::new(name)).unwrap();
        let by_whole_path = Shared::open(&here.join(name)).unwrap();
        env::set_current_dir(&there).unwrap();
        for shared in [&made, &opened] {
            let inside = shared.update(|cells| (add_1(cells), try_to_add(&by_whole_path)).1);
            assert_eq!(
                inside.unwrap(),
                None,
                "in the middle of an update by who has changed its folder, and where it is, {what}"
            );
            let inside = by_whole_path.update(|cells| (add_1(cells), try_to_add(shared)).1);
            assert_eq!(
                inside.unwrap(),
                None,
                "who has changed its folder, in the middle of an update, and where it is, {what}"
            );
        }
        assert_eq!(
            (made.snapshot().unwrap(), array(&opened)),
            (vec![4, 4], Some(vec![4, 4])),
            "1 was added four times"
        );
    }
    0
}

#[test]
fn an_update_waits_for_its_turn() {
    let place = Place::new();
    check(place.with(|file| {
        let shared = Arc::new(created(file, 2));
        let mut added = 0;
        for holder in ["a process", "a thread with a `Shared` of its own", "a thread with the same `Shared`"] {
            for waiting in ["update", "snapshot"] {
                situation(format!("{holder} is in the middle of an update, and another thread calls `{waiting}`"));
                let other = Shared::open(file).unwrap();
                let holder = Holder::start(holder, file, &shared);
                let (answer, answered) = mpsc::channel();
                thread::spawn({
                    let shared = Arc::clone(&shared);
                    let update = waiting == "update";
                    move || answer.send(if update { updated(&shared, &other) } else { shared.snapshot() })
                });
                until_still();
                let early = answered.try_recv();
                if waiting == "update" {
                    assert!(matches!(early, Err(TryRecvError::Empty)), "it did not wait: {early:?}");
                }
                holder.end();
                let seen = early.or_else(|_| answered.recv()).unwrap().unwrap();
                let allowed = if waiting == "update" { [added + 2; 2] } else { [added, added + 1] };
                assert!(
                    allowed.iter().any(|all| seen == [*all; 2]),
                    "the array was {seen:?}, when there were {added} in it"
                );
                added += if waiting == "update" { 2 } else { 1 };
                assert_eq!(shared.snapshot().unwrap(), [added; 2], "the array, when both are done");
            }
        }
    }));
}

/// Adds 1, and returns what is there then. Meanwhile it is nobody else's turn.
fn updated(shared: &Shared, other: &Shared) -> io::Result<Vec<u64>> {
    shared.update(|cells| {
        add_1(cells);
        assert_eq!(try_to_add(other), None, "in the middle of an update that had to wait for its turn");
        cells.to_vec()
    })
}

/// Somebody who stands still in the middle of an update.
enum Holder {
    Process(Children, Child),
    Thread(Steps),
}

impl Holder {
    fn start(who: &str, file: &Path, shared: &Arc<Shared>) -> Holder {
        if who == "a process" {
            let children = Children::new();
            let child = start(children.command("stop_between_two_writes"), file);
            children.wait_for(BETWEEN, 1);
            return Holder::Process(children, child);
        }
        let same = who.ends_with("the same `Shared`");
        let own = if same { Arc::clone(shared) } else { Arc::new(Shared::open(file).unwrap()) };
        let thread = Steps::of(move |pause| own.update(|cells| add_1_and_stop_between(cells, pause)).unwrap());
        thread.step();
        Holder::Thread(thread)
    }

    fn end(self) {
        match self {
            Holder::Process(children, child) => {
                children.open(BETWEEN);
                ended_well(child);
            }
            Holder::Thread(thread) => drop(thread),
        }
    }
}

#[test]
fn two_files_have_nothing_to_do_with_each_other() {
    let place = Place::new();
    check(place.with(|file| {
        let folder = file.with_extension("folder");
        fs::create_dir(&folder).unwrap();
        // The names may be alike, too.
        let (named, two) = (file.with_extension("one"), file.with_extension("two"));
        let alike = folder.join(named.file_name().unwrap());
        for (what, one, two) in [("two names", file, &*two), ("the same name in two folders", &named, &alike)] {
            situation(format!("the files have {what}"));
            let (one, two) = (created(one, 2), created(two, 1));
            one.modify(|_| 5);
            let inside = one.update(|cells| {
                add_1(cells);
                (two.try_update(add_1).unwrap(), array(&two), two.modify(|value| value + 1), two.snapshot().unwrap())
            });
            assert_eq!(inside.unwrap(), (Some(()), Some(vec![1]), 0, vec![1]), "while the other array is changed");
            assert_eq!((one.value(), one.snapshot().unwrap()), (5, vec![1, 1]), "the one that was changed");
            assert_eq!((two.value(), two.snapshot().unwrap()), (1, vec![1]), "the other one");
        }
        situation(format!(
            "{MANY_FILES} arrays are changed at once, and meanwhile {MORE_FILES} others, one after the other, each in its own file"
        ));
        let many = Vec::from_iter((0..MANY_FILES).map(|file_number| {
            let file = folder.join(file_number.to_string());
            Shared::create(&file, 1).unwrap()
        }));
        let kept_out = Cell::new(Vec::new());
        let one_after_the_other = || {
            kept_out.set(Vec::from_iter((1..=MORE_FILES).filter(|file_number| {
                let file = folder.join(format!("other {file_number}"));
                let made = Shared::create(&file, 1).unwrap();
                let opened = Shared::open(&file).unwrap();
                [made, opened].iter().any(|shared| try_to_add(shared).is_none())
            })));
        };
        let changed = updated_within_each_other(&many, &one_after_the_other);
        assert_eq!(changed, MANY_FILES, "updates within each other, each of another array");
        assert!(many.iter().all(|shared| array(shared) == Some(vec![1])), "each was changed once");
        let kept_out = kept_out.take();
        assert_eq!(kept_out, [0_usize; 0], "which of the others could not be changed");
        // If somebody tells one of all who wait that he may look again, it is mostly the one who came first.
        let who = ["a process", "a thread with the same `Shared`"];
        for (number, (who, first)) in who.iter().flat_map(|who| [0, 1].map(|first| (who, first))).enumerate() {
            let files = [0, 1].map(|file_number| folder.join(format!("waited for {number} {file_number}")));
            one_of_two_is_done(who, first, &files);
        }
    }));
}

/// Two arrays are being changed, and for each of them somebody waits. Then one update is done, and the other one is not.
fn one_of_two_is_done(who: &str, first: usize, files: &[PathBuf; 2]) {
    let name = |one: usize| ["the first", "the second"][one];
    situation(format!(
        "for each of two files, {who} is in the middle of an update; a thread waits for {}, then another one for {}, and the \
         update of the first ends",
        name(first),
        name(1 - first)
    ));
    let both = files.each_ref().map(|file| Arc::new(created(file, 2)));
    let [one, other] = [0, 1].map(|at| Holder::start(who, &files[at], &both[at]));
    let mut waiting = [None, None];
    for at in [first, 1 - first] {
        let shared = Arc::clone(&both[at]);
        waiting[at] = Some(thread::spawn(move || shared.update(add_1).unwrap()));
        until_still();
    }
    let [waits_for_one, waits_for_other] = waiting.map(Option::unwrap);
    one.end();
    waits_for_one.join().unwrap();
    // Not before: whoever leaves a file might wake those who wait, and they would wait in another order.
    let third = created(&files[0].with_extension("third"), 1);
    assert_eq!(try_to_add(&third), Some(()), "nobody else is at the third file");
    other.end();
    waits_for_other.join().unwrap();
    assert_eq!(both.map(|shared| shared.snapshot().unwrap()), [[2, 2], [2, 2]], "each was changed twice");
}

/// More than anybody has locks in a table that is searched.
const MANY_FILES: usize = 100;
/// More than anybody has in a table from which each file takes the next lock.
const MORE_FILES: usize = 1_100;

/// Changes the first array, within that the second, and so on, and does this within the last. How many of them it could change.
fn updated_within_each_other(all: &[Shared], last: &dyn Fn()) -> usize {
    let Some((first, others)) = all.split_first() else {
        last();
        return 0;
    };
    let change = |cells: &mut shared::Cells<'_>| {
        add_1(cells);
        1 + updated_within_each_other(others, last)
    };
    first.try_update(change).unwrap().unwrap_or(0)
}

#[test]
fn many_processes_at_work_lose_nothing() {
    let place = Place::new();
    check(place.with(|file| {
        let children = Children::new();
        let shared = created(file, MANY_CELLS);
        children.rendezvous("work", PROCESSES as usize);
        let working: Vec<Child> = (0..PROCESSES).map(|_| start(children.command("work"), file)).collect();
        working.into_iter().for_each(ended_well);
        let all = PROCESSES * ROUNDS;
        let expected = (all * MODIFIED, vec![all; MANY_CELLS]);
        assert_eq!((shared.value(), shared.snapshot().unwrap()), expected, "{all} rounds of work");
    }));
}

const PROCESSES: u64 = 4;
const ROUNDS: u64 = 50;
/// How often the value is changed in each.
const MODIFIED: u64 = 15_000;
const MANY_CELLS: usize = 16;

fn work() -> i32 {
    let shared = opened();
    meet("work");
    for round in 1..=ROUNDS {
        // Much is changed in a moment: two must not both look before one of them stores.
        for _ in 0..MODIFIED {
            shared.modify(|value| value + 1);
        }
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
    check(place.with(|file| {
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
fn a_reader_notices_every_update() {
    let place = Place::new();
    check(place.with(|file| {
        let shared = Arc::new(created(file, 2));
        let own = Arc::new(Shared::open(file).unwrap());
        let progress = Arc::new(Progress::default());
        shared.update(|cells| (0..2).for_each(|cell| cells.set(cell, number_after(0)))).unwrap();
        let all = (0..=2).flat_map(|updates| orders(READING.len(), updates * UPDATING.len()));
        for (number, order) in all.enumerate() {
            // Each version of the array may be somewhere else, so begin with an even and with an odd one.
            let writer = if number % 2 == 0 { &own } else { &shared };
            reads_while_others_write(&shared, writer, &order, &progress);
            if number % 3 == 0 {
                updates_in_steps(&shared, &progress, &|| {});
            }
        }
        situation("a reader has read cell 0, the file is opened and the value changes, and it reads cell 1");
        let read = shared.try_read(|cells| {
            let first = cells.get(0);
            let opened = Shared::open(file).unwrap();
            for other in [&*shared, &own, &opened] {
                other.modify(|value| value + 1);
            }
            (first, cells.get(1))
        });
        let number = number_after(progress.done.load(SeqCst));
        assert_eq!(read.unwrap(), Some((number, number)), "nobody has changed the array");

        situation(
            "a reader has read cell 0, another one comes and goes, an update comes, and the first one reads cell 1",
        );
        let read = shared.try_read(|cells| {
            let first = cells.get(0);
            let again = || thread::scope(|scope| scope.spawn(|| array(&shared)).join().unwrap());
            let seen = again();
            assert!(seen.is_none_or(|seen| seen == [number; 2]), "the other reader");
            ((first, cells.get(1)), own.try_update(add_1).unwrap())
        });
        assert!(read.unwrap().is_none_or(|(_, came)| came.is_none()), "it was told that nothing has changed");

        for early in [false, true] {
            let when = if early { "in the middle of" } else { "after" };
            situation(format!("a reader reads {when} an update that is broken off, and another reader comes and goes"));
            let before = shared.snapshot().unwrap();
            let read = shared.try_read(|cells| {
                let mut seen = cells.to_vec();
                let broken = |changed: &mut shared::Cells<'_>| {
                    (0..2).for_each(|cell| changed.set(cell, 77));
                    if early {
                        seen = cells.to_vec();
                    }
                    panic::resume_unwind(Box::new(PAYLOAD));
                };
                let _: Result<io::Result<Option<()>>, _> =
                    panic::catch_unwind(AssertUnwindSafe(|| own.try_update(broken)));
                if !early {
                    seen[1] = cells.get(1);
                }
                let _ = array(&own);
                seen
            });
            assert!(read.unwrap().is_none_or(|cells| cells == before), "the array was {before:?} at every moment");
        }

        situation(
            "a reader has read cell 0, a process ends itself in the middle of an update, the reader reads cell 1, and others come",
        );
        let (children, before) = (Children::new(), shared.snapshot().unwrap());
        let read = shared.try_read(|cells| {
            let first = cells.get(0);
            ended_well(start(children.command("ends_in_the_middle"), file));
            let seen = vec![first, cells.get(1)];
            // Nobody is let in while readers keep updates out. Otherwise one of these puts right what the process left behind.
            if !children.told().is_empty() {
                let _another = Shared::open(file).unwrap();
                let _ = soon(|| array(&own));
            }
            seen
        });
        let torn = read.unwrap().filter(|cells| *cells != before);
        assert_eq!(torn, None, "a reader was told that this is the array at one moment, and it was {before:?} all the time");
        assert_eq!(soon(|| array(&shared)), Some(before), "the array, after that");

        for updates in (3..=20).chain([256, 65_536]) {
            situation(format!("a reader has read cell 0, {updates} updates come, and it reads cell 1"));
            let read = shared.try_read(|cells| {
                let first = cells.get(0);
                let came = (0..updates).filter(|_| own.try_update(add_1).unwrap().is_some()).count();
                ((first, cells.get(1)), came)
            });
            assert!(read.unwrap().is_none_or(|(_, came)| came == 0), "it was told that nothing has changed");
        }
    }));
}

/// Sets both cells and ends itself, if it has its turn.
fn ends_in_the_middle() -> i32 {
    let change = |cells: &mut shared::Cells<'_>| {
        (0..2).for_each(|cell| cells.set(cell, 77));
        tell("it is in the middle of its update");
        process::exit(0)
    };
    let None = opened().try_update(change).unwrap();
    0
}

/// The steps of a reader, and those of an update. A mistake shows in one of the orders in which they can come.
const READING: [&str; 3] = ["a reader begins and reads cell 0", "it reads cell 1", "it is done"];
const UPDATING: [&str; 3] = ["an update begins and sets cell 0", "it sets cell 1", "it is done"];

/// Every order of so many steps of one and so many of another: whether each step is the other's.
fn orders(one: usize, other: usize) -> Vec<Vec<bool>> {
    if one == 0 || other == 0 {
        return vec![vec![one == 0; one + other]];
    }
    let after = |first: bool, rest: Vec<Vec<bool>>| rest.into_iter().map(move |rest| [vec![first], rest].concat());
    after(false, orders(one - 1, other)).chain(after(true, orders(one, other - 1))).collect()
}

/// What the array holds after so many updates: the numbers come again, so that they don't tell one version from another.
fn number_after(updates: usize) -> u64 {
    1 + updates as u64 % 2
}

/// What a writer has come to.
#[derive(Debug, Default)]
struct Progress {
    inside: AtomicBool,
    done: AtomicUsize,
}

/// One order of a reader's and a writer's steps.
fn reads_while_others_write(shared: &Shared, own: &Arc<Shared>, order: &[bool], progress: &Arc<Progress>) {
    let (mut reading, mut updating) = (READING.iter(), UPDATING.iter().cycle());
    let steps = order.iter().filter_map(|writers| if *writers { updating.next() } else { reading.next() });
    situation(format!("this comes one after the other: {}", steps.copied().collect::<Vec<_>>().join("; ")));

    let updates = order.iter().filter(|writers| **writers).count() / UPDATING.len();
    let (own, theirs) = (Arc::clone(own), Arc::clone(progress));
    let writer = Steps::of(move |pause| (0..updates).for_each(|_| updates_in_steps(&own, &theirs, pause)));
    let mut order = order.iter();
    // What the writer does until it is the reader's turn again, in steps.
    let mut others = || order.by_ref().take_while(|writers| **writers).map(|_| writer.step()).count();
    others();
    let (busy, before, mut came) = (progress.inside.load(SeqCst), progress.done.load(SeqCst), 0);
    let read = shared.try_read(|cells| {
        let first = cells.get(0);
        came += others();
        let second = cells.get(1);
        came += others();
        [first, second]
    });
    let after = progress.done.load(SeqCst);
    match read.unwrap() {
        Some(cells) => {
            assert_eq!(after, before, "updates that were done when the reader was told that there were none meanwhile");
            assert_eq!(cells, [number_after(before); 2], "what the reader was told to be the array at one moment");
        }
        None => assert!(busy || came > 0, "nobody changed anything, and the reader was told that somebody did"),
    }
    for _ in READING {
        others();
    }
}

/// An update in as many steps as `UPDATING` has, also if it is refused.
fn updates_in_steps(shared: &Shared, progress: &Progress, pause: &dyn Fn()) {
    let number = number_after(progress.done.load(SeqCst) + 1);
    let updated = shared.try_update(|cells| {
        progress.inside.store(true, SeqCst);
        for cell in 0..2 {
            cells.set(cell, number);
            pause();
        }
    });
    progress.inside.store(false, SeqCst);
    match updated.unwrap() {
        Some(()) => drop(progress.done.fetch_add(1, SeqCst)),
        None => (1..UPDATING.len()).for_each(|_| pause()),
    }
    pause();
}

#[test]
fn a_process_may_stand_still_anywhere() {
    let place = Place::new();
    check(place.with(|file| {
        let (children, shared) = (Children::new(), created(file, LARGE));
        let mut child = start(children.command("looks_and_looks"), file);
        children.wait_for("begin", 1);
        assert_eq!(shared.value(), 1, "a process has counted");
        children.open("begin");
        for moment in 1..=20 {
            situation(format!(
                "a process that takes snapshots is stopped for the {moment}th time, and two updates are made"
            ));
            // It has looked at the array a few times, and is busy with the next time.
            let looks = shared.value();
            while shared.value() < looks + 2 && child.try_wait().unwrap().is_none() {
                thread::yield_now();
            }
            let Some(stopped) = stop(&child) else { break };
            for _ in 0..2 {
                // Whoever holds a lock while it is stopped lets nobody change anything.
                let _ = shared.try_update(|cells| {
                    let one_more = cells.get(0) + 1;
                    (0..LARGE).for_each(|cell| cells.set(cell, one_more));
                });
            }
            drop(stopped);
        }
        shared.modify(|_| ENOUGH);
        ended_well(child);
    }));
}

/// So many cells that a process spends nearly all of its time with reading them.
const LARGE: usize = 5_000;
/// A value that nobody counts to.
const ENOUGH: u64 = 1 << 40;

/// Takes snapshot after snapshot, and counts them by the value.
fn looks_and_looks() -> i32 {
    let (shared, mut last) = (opened(), 0);
    shared.modify(|value| value + 1);
    meet("begin");
    while shared.modify(|value| value + 1) < ENOUGH {
        let cells = shared.snapshot().unwrap();
        assert_eq!(
            (cells.len(), cells[0]),
            (LARGE, cells[LARGE - 1]),
            "a torn snapshot: its length, its first and its last cell"
        );
        assert!(cells[0] >= last, "after a snapshot of version {last} came one of version {}", cells[0]);
        last = cells[0];
    }
    0
}

#[test]
fn an_update_that_is_broken_off_changes_nothing() {
    let place = Place::new();
    check(place.with(|file| {
        let (children, shared, mut done) = (Children::new(), created(file, 2), 0);
        let reader = Shared::open(file).unwrap();
        for ((point, counted, added), way) in POINTS.iter().flat_map(|point| WAYS.map(|way| (*point, way))) {
            // Where it is outside of everybody's hands, a process ends as any other.
            if !(point.contains("middle") || way == STANDS_STILL || way == IS_KILLED) {
                continue;
            }
            situation(format!("a process {way} {point}"));
            shared.modify(|_| 0);
            // Who remembers which cells its last update has set must not think that it knows what the process leaves behind.
            shared.update(|_| ()).unwrap();
            let gate = format!("{way} {point}");
            let mut command = children.command("life");
            command.args([point, way, &gate]);
            // Whoever still runs at the end of the round is waited for there.
            #[allow(clippy::zombie_processes)]
            let mut child = start(command, file);
            if way == STANDS_STILL || way == IS_KILLED || way == LIVES_ON {
                children.wait_for(&gate, 1);
            }
            let mut counted = counted;
            if way == IS_KILLED {
                // Whatever is put right after its death, what others do before that counts.
                shared.modify(|value| value + 1);
                counted += 1;
                child.kill().unwrap();
            }
            done += added;
            if way == STANDS_STILL {
                let seen = array(&shared);
                assert!(seen.is_none() || seen == Some(vec![done; 2]), "{done} updates are done: {seen:?}");
                if point.contains("update,") || point.contains("of an update") || point.contains("of `try_update`") {
                    assert_eq!(try_to_add(&shared), None, "trying to update the array meanwhile");
                }
            } else {
                if way == IS_KILLED {
                    // Its streams are closed when it is no more. But nobody has asked yet what became of it.
                    let _ = child.stderr.take().unwrap().read_to_end(&mut Vec::new());
                } else if way != LIVES_ON {
                    child.wait().unwrap();
                }
                // Whoever comes first has to find the array as it was, whatever it does.
                match way {
                    "ends itself" => {
                        let look = || {
                            let seen = array(&reader);
                            assert!(
                                seen.is_none() || seen == Some(vec![done; 2]),
                                "in the middle of the next: {seen:?}"
                            );
                        };
                        shared.update(|cells| add_1_and_stop_between(cells, &look)).unwrap();
                        done += 1;
                    }
                    "aborts" => done += soon(|| try_to_add(&shared)).map(|()| 1).expect("the lock must be free"),
                    "panics" => {
                        assert_eq!(shared.snapshot().unwrap(), [done; 2], "the first to look, after {done} updates")
                    }
                    _ => {}
                }
                assert_eq!(soon(|| array(&shared)), Some(vec![done; 2]), "the array, after {done} updates");
                assert_eq!(soon(|| try_to_add(&shared)), Some(()), "the lock must be free");
                shared.update(add_1).unwrap();
                done += 2;
                assert_eq!(shared.snapshot().unwrap(), [done; 2], "the array, after two updates more");
            }
            assert_eq!((shared.value(), shared.modify(|value| value + 1)), (counted, counted), "the value");
            if way == STANDS_STILL || way == LIVES_ON {
                children.open(&gate);
                ended_well(child);
            } else {
                child.wait().unwrap();
            }
            if way == STANDS_STILL {
                done += IN_ALL.2 - added;
                assert_eq!(shared.value(), IN_ALL.1 + 1, "the value, when the process has gone on to its end");
                assert_eq!(shared.snapshot().unwrap(), [done; 2], "the array, when the process has gone on to its end");
            }
        }
        for waiting in ["update", "snapshot"] {
            situation(format!("a process is killed in `{waiting}`, while another one is in the middle of an update"));
            let killed = shared.update(|cells| {
                add_1(cells);
                let mut command = children.command("waits_for_its_turn");
                command.arg(waiting);
                let mut child = start(command, file);
                children.wait_for(waiting, 1);
                children.open(waiting);
                until_still();
                (child.kill(), child.wait())
            });
            let (Ok(()), Ok(_)) = killed.unwrap() else { panic!("it can be killed") };
            assert_eq!(soon(|| array(&shared)), Some(vec![done + 1; 2]), "the array, after the other update");
            assert_eq!(soon(|| try_to_add(&shared)), Some(()), "the lock must be free");
            shared.update(add_1).unwrap();
            done += 3;
            assert_eq!(shared.snapshot().unwrap(), [done; 2], "the array, after two updates more");
        }
        for way in ["update", "try_update"] {
            situation(format!("the value changes in the middle of `{way}`, which then panics"));
            let counted = shared.value() + 1;
            let change = |cells: &mut shared::Cells<'_>| {
                shared.modify(|value| value + 1);
                broken_off(cells);
            };
            let calls = || if way == "update" { shared.update(change).map(Some) } else { shared.try_update(change) };
            let payload = panic::catch_unwind(AssertUnwindSafe(calls)).expect_err("the panic goes on");
            assert_eq!(payload.downcast_ref(), Some(&PAYLOAD), "what the panic that goes on carries with it");
            assert_eq!(soon(|| array(&reader)), Some(vec![done; 2]), "the array, after that");
            assert_eq!((shared.value(), reader.value()), (counted, counted), "the value, after that");
        }
        situation("while a panic goes by, a destructor changes the value and the array, and one of its updates panics");
        shared.modify(|_| 0);
        let panics = || {
            let _last = LastWords(&shared);
            panic!("as its test wants it");
        };
        assert!(panic::catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!((shared.value(), soon(|| array(&shared))), (1, Some(vec![done + 2; 2])), "what it has done counts");
        assert_eq!(try_to_add(&Shared::open(file).unwrap()), Some(()), "the lock must be free");
    }));
}

/// Waits for its turn, in the call that its argument names.
fn waits_for_its_turn() -> i32 {
    let (shared, waiting) = (opened(), env::args().nth(1).unwrap());
    meet(&waiting);
    if waiting == "update" {
        shared.update(|_| ()).unwrap();
    } else {
        shared.snapshot().unwrap();
    }
    0
}

/// Adds 1 to the value and twice to the array when it is dropped. An update of its own that it breaks off before that counts as little
/// as any.
struct LastWords<'a>(&'a Shared);

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        self.0.modify(|value| value + 1);
        assert!(panic::catch_unwind(AssertUnwindSafe(|| self.0.update(broken_off))).is_err(), "the panic goes on");
        self.0.update(add_1).unwrap();
        assert_eq!(try_to_add(self.0), Some(()), "nobody else is there");
    }
}

/// What can become of a process.
const WAYS: [&str; 6] = [STANDS_STILL, IS_KILLED, "ends itself", "aborts", "panics", LIVES_ON];
const STANDS_STILL: &str = "stands still";
const IS_KILLED: &str = "is killed";
const LIVES_ON: &str = "panics, and lives on,";

/// Where it becomes of it, in the order of its life; how often it has changed the value until then, and how often the array.
const POINTS: [(&str, u64, u64); 11] = [
    ("before it opens the file", 0, 0),
    ("when it has opened the file", 0, 0),
    ("in the middle of `modify`", 0, 0),
    ("after `modify`", 1, 0),
    ("in an update, before it changes anything", 1, 0),
    ("in the middle of an update", 1, 0),
    ("in an update, after all changes", 1, 0),
    ("between two updates", 1, 1),
    ("in the middle of `try_update`", 1, 1),
    ("in the middle of `try_read`", 1, 2),
    IN_ALL,
];
const IN_ALL: (&str, u64, u64) = ("at its end", 1, 2);

/// Does everything that one can do with a shared file. What becomes of it, and where, its arguments say.
fn life() -> i32 {
    let [point, way, gate] = <[String; 3]>::try_from(env::args().skip(1).collect::<Vec<_>>()).unwrap();
    let at = |here: &str| match &*way {
        _ if here != point => {}
        STANDS_STILL | IS_KILLED => meet(&gate),
        "ends itself" => process::exit(0),
        "aborts" => process::abort(),
        _ => panic!("as its test wants it"),
    };
    let kept = OnceLock::new();
    let life = || {
        at("before it opens the file");
        let shared = kept.get_or_init(opened);
        at("when it has opened the file");
        shared.modify(|value| {
            at("in the middle of `modify`");
            value + 1
        });
        at("after `modify`");
        let change = |cells: &mut shared::Cells<'_>| {
            at("in an update, before it changes anything");
            add_1_and_stop_between(cells, &|| at("in the middle of an update"));
            at("in an update, after all changes");
        };
        shared.update(change).unwrap();
        at("between two updates");
        let between = || at("in the middle of `try_update`");
        shared.try_update(|cells| add_1_and_stop_between(cells, &between)).unwrap().expect("its turn");
        let _ = shared.try_read(|cells| {
            cells.get(0);
            at("in the middle of `try_read`");
            cells.get(1)
        });
        at("at its end");
    };
    if way == LIVES_ON {
        assert!(panic::catch_unwind(AssertUnwindSafe(life)).is_err(), "it should have panicked");
        // First the others go on, and then it does so itself.
        meet(&gate);
        let shared = kept.get().unwrap();
        shared.update(|_| ()).unwrap();
        shared.try_update(|_| ()).unwrap().expect("its turn, after a panic");
        shared.modify(|value| value);
        shared.snapshot().unwrap();
    } else {
        life();
    }
    0
}

/// Tries again and again, but not for ever. Who finds something broken off may say "not now" once and fix it, and not every
/// system has unlocked a dead process's files by the time that it says that the process is dead.
fn soon<T>(attempt: impl Fn() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    let in_time = |tries: &u32| *tries < 100 || start.elapsed() < Duration::from_secs(1);
    (0..).take_while(in_time).find_map(|_| {
        thread::yield_now();
        attempt()
    })
}

#[test]
fn a_file_that_is_not_shared_memory_is_refused_and_left_alone() {
    let place = Place::new();
    check(place.with(|file| {
        assert_eq!(refusal(Shared::open(file)), Some(ErrorKind::NotFound), "a file that isn't there");
        assert!(!file.exists(), "`open` made a file");
        assert!(Shared::open(file.parent().unwrap()).is_err(), "a folder");
        for len in [0, 1, 3, 5] {
            {
                let shared = Shared::create(file, len).unwrap();
                shared.update(add_1).unwrap();
                shared.modify(|_| 5);
                assert_eq!(refusal(Shared::create(file, 1)), Some(ErrorKind::AlreadyExists), "a file that is there");
                assert_eq!(array(&shared), Some(vec![1; len]), "after `create` for a file that is there");
            }
            let whole = fs::read(file).unwrap();
            for (what, bytes) in strangers(&whole) {
                situation(format!("the file should be that of an array of {len} cells, and is {what}"));
                replace(file, &bytes);
                assert_eq!(refusal(Shared::open(file)), Some(ErrorKind::InvalidData));
                assert!(fs::read(file).unwrap() == bytes, "`open` has changed it");
            }
            for (word, number) in
                (0..whole.len() / 8).flat_map(|word| [0, 1, 1 << 62, u64::MAX - 0xff].map(|number| (word, number)))
            {
                situation(format!("in the file of an array of {len} cells, word {word} is {number}"));
                let mut bytes = whole.clone();
                bytes[word * 8..][..8].copy_from_slice(&number.to_ne_bytes());
                replace(file, &bytes);
                match Shared::open(file) {
                    // It may be an update that was broken off, and has to be fixed.
                    Ok(shared) => {
                        let cells = (0..3).find_map(|_| array(&shared));
                        assert!(cells.as_ref().is_none_or(|cells| cells.len() == len), "the array is {cells:?}");
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidData),
                }
            }
            fs::remove_file(file).unwrap();
        }
        #[cfg(unix)]
        on_unix::a_link_that_leads_nowhere(file);
    }));
}

/// Another file. To write over the same one would mean to wait for the disk.
fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

/// What a file may be instead of the whole file of an array.
fn strangers(whole: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (len, zeros) = (whole.len(), vec![0; 2 * whole.len()]);
    let cut = (0..len).map(|length| (format!("cut off after {length} bytes"), whole[..length].to_vec()));
    let longer = (1..=len).map(|more| (format!("{more} bytes too long"), [whole, &zeros[..more]].concat()));
    let unfinished = (0..=2 * len).map(|length| (format!("{length} zeros"), zeros[..length].to_vec()));
    // One of these numbers is the length of the array, in cells, words or bytes. That alone makes no file of ours.
    let words = (1..=len as u64)
        .map(|number| (format!("nothing but the number {number}"), number.to_ne_bytes().repeat(len / 8)));
    let half_words = (1..=len as u32)
        .map(|number| (format!("nothing but the number {number}, in 4 bytes"), number.to_ne_bytes().repeat(len / 4)));
    let text = [
        ("a text".to_owned(), b"1234567\n".repeat(len / 8)),
        ("two copies of a shared file".to_owned(), whole.repeat(2)),
    ];
    cut.chain(longer).chain(unfinished).chain(words).chain(half_words).chain(text).collect()
}

/// Why a file was refused.
fn refusal(outcome: io::Result<Shared>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

#[test]
fn where_there_is_no_room_no_file_is_left() {
    let place = Place::new();
    check(place.with(|file| {
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
    let cells = env::args().nth(1).unwrap().parse().unwrap();
    assert!(Shared::create(&file(), cells).is_err(), "a file that found no room");
    0
}

/// More than there is room for where files may only have 64 blocks, of 512 or 1024 bytes each.
const TOO_MANY_CELLS: usize = 100_000;

#[cfg(unix)]
mod on_unix {
    use std::fs::File;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    /// There is something at that place, though nothing can be opened there.
    pub(super) fn a_link_that_leads_nowhere(file: &Path) {
        let nowhere = file.with_extension("nowhere");
        symlink(&nowhere, file).unwrap();
        assert_eq!(refusal(Shared::create(file, 1)), Some(ErrorKind::AlreadyExists), "a link is there");
        assert_eq!(refusal(Shared::open(file)), Some(ErrorKind::NotFound), "a link that leads nowhere");
        assert!(
            fs::read_link(file).unwrap() == nowhere && !nowhere.exists(),
            "the link, or where it leads to, has changed"
        );
    }

    /// The same file by other names: one that leads to the first, and one that is as good as it.
    pub(super) fn opened_by_other_names(file: &Path) -> [Shared; 2] {
        let [link, second_name] = ["link", "second_name"].map(|end| file.with_extension(end));
        symlink(file, &link).unwrap();
        fs::hard_link(file, &second_name).unwrap();
        [link, second_name].map(|name| Shared::open(&name).unwrap())
    }

    /// A full disk can't be had without the rights of an administrator. A process that may not write long files is much the same:
    /// `write` fails. And a file that has all of its room can't run into a full disk later.
    pub(super) fn no_room(file: &Path) {
        let children = Children::new();
        let many = [0, 1, 2, 64].map(|blocks| (blocks, TOO_MANY_CELLS));
        // Few enough for any buffer, and too many for any memory.
        for (blocks, cells) in many.into_iter().chain([(0, 1), (1, 200), (64, usize::MAX / 1024)]) {
            situation(format!("a file may have {blocks} blocks, and an array of {cells} cells needs more"));
            let limited = |script: &str| {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &script.replace("BLOCKS", &blocks.to_string())]).arg(env::current_exe().unwrap());
                shell.arg(cells.to_string());
                shell.envs(children.variables("create_without_room"));
                start(shell, file)
            };
            // Without the trap the system ends a process that goes beyond its limit.
            ended_well(limited("trap '' XFSZ; ulimit -f BLOCKS; exec \"$0\" \"$1\""));
            assert!(!file.exists(), "a file that found no room was left behind");

            situation(format!(
                "a process is killed when it has written {blocks} blocks of a file, and would need more"
            ));
            let output = limited("ulimit -c 0; ulimit -f BLOCKS; exec \"$0\" \"$1\"").wait_with_output().unwrap();
            // Whoever asks for all the room first is told that no disk has that much, and writes nothing.
            let is_told = cells > TOO_MANY_CELLS && output.status.success();
            assert!(is_told || !output.status.success(), "it should have been killed");
            if file.exists() {
                assert_eq!(refusal(Shared::open(file)), Some(ErrorKind::InvalidData), "a file that is not whole");
                assert_eq!(
                    refusal(Shared::create(file, 1)),
                    Some(ErrorKind::AlreadyExists),
                    "a file that is not whole"
                );
                fs::remove_file(file).unwrap();
            }
        }
        // The moment is short, so it is tried for a few times.
        for time in 1..=20 {
            situation(format!(
                "there is room, and somebody opens the file as soon as that is possible, for the {time}. time"
            ));
            let (looks, is_made) = (AtomicBool::new(false), AtomicBool::new(false));
            let (made, opened) = thread::scope(|scope| {
                let opens = scope.spawn(|| {
                    loop {
                        let (was_made, opened) = (is_made.load(SeqCst), Shared::open(file));
                        looks.store(true, SeqCst);
                        if was_made || opened.is_ok() {
                            return opened.map(|_| fs::metadata(file).unwrap().blocks() * 512);
                        }
                    }
                });
                while !looks.load(SeqCst) {
                    thread::yield_now();
                }
                let made = Shared::create(file, TOO_MANY_CELLS);
                is_made.store(true, SeqCst);
                (made.is_ok(), opens.join().unwrap())
            });
            let (len, room) = (fs::metadata(file).unwrap().len(), opened.ok());
            assert!(made && room.is_some(), "where there is room");
            assert!(
                !tells_of_holes(file, len) || room.is_some_and(|room| room >= len),
                "the file has holes when it can be opened: where the disk is full, writing to them kills"
            );
            fs::remove_file(file).unwrap();
        }
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

roles!(
    write_7_and_9,
    see_14_and_10,
    count,
    is_kept_out,
    stop_between_two_writes,
    goes_elsewhere,
    work,
    try_to_add_three_times,
    ends_in_the_middle,
    looks_and_looks,
    life,
    waits_for_its_turn,
    create_without_room
);

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
    for (index, seen) in cells.to_vec().into_iter().enumerate() {
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

/// Runs a body that needs real memory and processes. It has plenty of time: a busy machine may take it.
#[track_caller]
fn check(body: impl Fn() + Send + Sync + 'static) {
    Check::new().threads_only().deadline(Duration::from_secs(30)).run(body);
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
