//! The model of parking_lot, and, since this package is one that has `std` renamed as katas have: that every name which a
//! kata can write is the model's.

use std::any::type_name;
use std::explored::{Config, Exploration, explore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use parking_lot::{
    Condvar, Mutex, MutexGuard, Once, OnceState, ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};
use verdict::{Kind, Outcome};

fn run(body: impl Fn() + Send + Sync + 'static) -> Exploration {
    explore(&Config { kind_of_panic: |_, _| Kind::Assertion, ..Config::default() }, body)
}

#[track_caller]
fn passes(body: impl Fn() + Send + Sync + 'static) {
    let exploration = run(body);
    assert_eq!(exploration.outcome, Outcome::Passed);
}

#[track_caller]
fn fails(kind: Kind, body: impl Fn() + Send + Sync + 'static) {
    match run(body).outcome {
        Outcome::Failed(failure) => assert_eq!(failure.kind, kind, "{}", failure.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_kata_writes_is_the_model() {
    std::thread_local!(static QUALIFIED: u8 = const { 1 });
    thread_local!(static UNQUALIFIED: u8 = 1);
    let names = [
        type_name::<std::sync::Mutex<u8>>(),
        type_name::<std::sync::MutexGuard<u8>>(),
        type_name::<std::sync::RwLock<u8>>(),
        type_name::<std::sync::Condvar>(),
        type_name::<std::sync::Barrier>(),
        type_name::<std::sync::Once>(),
        type_name::<std::sync::OnceLock<u8>>(),
        type_name::<std::sync::LazyLock<u8>>(),
        type_name::<std::sync::atomic::AtomicUsize>(),
        type_name::<std::sync::atomic::AtomicBool>(),
        type_name::<std::sync::atomic::AtomicPtr<u8>>(),
        type_name::<std::sync::mpsc::Sender<u8>>(),
        type_name::<std::sync::mpsc::SyncSender<u8>>(),
        type_name::<std::sync::mpsc::Receiver<u8>>(),
        type_name::<std::thread::JoinHandle<u8>>(),
        type_name::<std::thread::Thread>(),
        type_name::<std::thread::Builder>(),
        type_name::<std::time::Instant>(),
        std::any::type_name_of_val(&QUALIFIED),
        std::any::type_name_of_val(&UNQUALIFIED),
        std::any::type_name_of_val(&std::thread::spawn::<fn(), ()>),
        std::any::type_name_of_val(&std::thread::sleep),
        std::any::type_name_of_val(&std::thread::yield_now),
        std::any::type_name_of_val(&std::thread::park),
        std::any::type_name_of_val(&std::thread::current),
        std::any::type_name_of_val(&std::hint::spin_loop),
        std::any::type_name_of_val(&std::panic::catch_unwind::<fn(), ()>),
        std::any::type_name_of_val(&std::sync::mpsc::channel::<u8>),
    ];
    for name in names {
        assert!(name.starts_with("explored_std::"), "{name} is not the model's");
    }
}

#[test]
fn what_a_kata_prints_is_swallowed_in_a_passing_run() {
    // Were it not, the test runner's capture would not show it either: so look at what the macro expands to.
    passes(|| {
        println!("{}", 1);
        print!("{}", 1);
        eprintln!("{}", 1);
        assert_eq!(dbg!(1) + 1, 2);
        assert!(matches!(Some(1), Some(n) if n == 1));
        assert_eq!(vec![format!("{}", 1)], ["1"]);
    });
}

#[test]
fn a_mutex_excludes_and_has_no_poison() {
    passes(|| {
        let count = Arc::new(Mutex::new(0));
        let theirs = Arc::clone(&count);
        let worker = thread::spawn(move || {
            *theirs.lock() += 1;
            let _held = theirs.lock();
            panic!("with the lock");
        });
        *count.lock() += 1;
        assert!(worker.join().is_err());
        assert_eq!(*count.lock(), 2);
    });
}

#[test]
fn locks_in_opposite_orders_deadlock() {
    fails(Kind::Deadlock, || {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        thread::scope(|s| {
            s.spawn(|| *a.lock() += *b.lock());
            s.spawn(|| *b.lock() += *a.lock());
        });
    });
}

#[test]
fn a_lock_with_a_deadline_gives_up_in_virtual_time() {
    passes(|| {
        let lock = Arc::new(Mutex::new(0));
        let theirs = Arc::clone(&lock);
        let held = lock.lock();
        let begun = std::time::Instant::now();
        let gave_up = thread::spawn(move || theirs.try_lock_for(Duration::from_secs(3600)).is_none());
        assert!(gave_up.join().unwrap());
        assert_eq!(begun.elapsed(), Duration::from_secs(3600));
        drop(held);
    });
}

#[test]
fn a_condvar_waits_with_a_borrowed_guard() {
    passes(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| changed.wait_while(&mut ready.lock(), |ready| !*ready));
            *ready.lock() = true;
            changed.notify_one();
        });
    });
    fails(Kind::LostWakeup, || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|s| {
            s.spawn(|| changed.wait(&mut ready.lock()));
            changed.notify_one();
        });
    });
}

#[test]
fn a_re_entrant_mutex_may_be_taken_again() {
    passes(|| {
        let lock = ReentrantMutex::new(AtomicBool::new(false));
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let outer = lock.lock();
                    let inner = lock.lock();
                    assert!(!inner.swap(true, SeqCst), "two inside at once");
                    outer.store(false, SeqCst);
                });
            }
        });
    });
}

#[test]
fn readers_share_and_writers_do_not() {
    passes(|| {
        let lock = RwLock::new((1, 2));
        let first = lock.read();
        let second = lock.try_read().expect("readers share");
        assert!(lock.try_write().is_none());
        drop((first, second));
        let part = parking_lot::RwLockWriteGuard::map(lock.write(), |pair| &mut pair.0);
        assert!(lock.try_read().is_none());
        drop(part);
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn a_guard_knows_its_lock_and_its_parts() {
    passes(|| {
        let mutex = Mutex::new((1, 2));
        let guard = mutex.lock();
        assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
        let Err(guard) = MutexGuard::try_map(guard, |_| None::<&mut i32>) else { panic!("there is no such part") };
        let Err((guard, 7)) = MutexGuard::try_map_or_err(guard, |_| Err::<&mut i32, _>(7)) else { panic!("an error") };
        let Ok(mut part) = MutexGuard::try_map(guard, |both| Some(&mut both.1)) else { panic!("there is") };
        *part += 40;
        assert!(mutex.is_locked());
        drop(part);
        assert_eq!(*MutexGuard::leak(mutex.lock()), (1, 42));
        assert!(mutex.try_lock().is_none(), "leaked: held for ever");

        let lock = RwLock::new((1, 2));
        let reader = lock.read();
        assert!(lock.is_locked() && !lock.is_locked_exclusive());
        let part = RwLockReadGuard::map(reader, |both| &both.0);
        assert!(lock.try_write().is_none());
        drop(part);
        let writer = lock.write();
        assert!(lock.is_locked_exclusive());
        let reader = RwLockWriteGuard::downgrade(writer);
        assert!(!lock.is_locked_exclusive() && std::ptr::eq(RwLockReadGuard::rwlock(&reader), &lock));

        let mutex = ReentrantMutex::new((1, 2));
        let outer = mutex.lock();
        let inner = ReentrantMutexGuard::map(mutex.lock(), |both| &both.1);
        drop(outer);
        assert_eq!((*inner, mutex.is_owned_by_current_thread()), (2, true));
        drop(inner);
        assert!(!mutex.is_locked());
    });
}

#[test]
fn a_lock_that_is_let_go_for_a_while_is_taken_again() {
    passes(|| {
        let mutex = Arc::new(Mutex::new(0));
        let mut guard = mutex.lock();
        let theirs = Arc::clone(&mutex);
        MutexGuard::unlocked_fair(&mut guard, || thread::spawn(move || *theirs.lock() += 1).join().unwrap());
        assert_eq!((*guard, mutex.is_locked()), (1, true));
        let unwound = catch_unwind(AssertUnwindSafe(|| MutexGuard::unlocked(&mut guard, || panic!("meanwhile"))));
        assert!(unwound.is_err() && mutex.is_locked(), "also after a panic");
        MutexGuard::bump(&mut guard);
        assert!(mutex.is_locked());
    });
    // Without letting it go, the same waits for itself.
    fails(Kind::Deadlock, || {
        let mutex = Arc::new(Mutex::new(0));
        let _guard = mutex.lock();
        let theirs = Arc::clone(&mutex);
        thread::spawn(move || *theirs.lock() += 1).join().unwrap();
    });
}

#[test]
fn an_initialisation_that_panicked_can_be_forced() {
    passes(|| {
        let once = Arc::new(Once::new());
        assert_eq!(once.state(), OnceState::New);
        let theirs = Arc::clone(&once);
        let first = thread::spawn(move || {
            theirs.call_once(|| {
                assert_eq!(theirs.state(), OnceState::InProgress);
                panic!("not this time")
            })
        });
        assert!(first.join().is_err());
        assert!(once.state().poisoned() && catch_unwind(AssertUnwindSafe(|| once.call_once(|| ()))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| once.wait())).is_err());
        let theirs = Arc::clone(&once);
        let second = thread::spawn(move || theirs.call_once_force(|state| assert!(state.poisoned())));
        once.wait_force();
        second.join().unwrap();
        once.call_once(|| unreachable!("it is done"));
        assert!(once.is_completed() && once.state().done());
    });
}

#[test]
fn who_looks_whether_a_lock_is_held_sees_readers() {
    let held = [false, true].map(|held| {
        let looked = run(move || {
            let lock = RwLock::new(());
            thread::scope(|s| {
                s.spawn(|| drop(lock.read()));
                assert_ne!(lock.is_locked(), held);
            });
        });
        matches!(looked.outcome, Outcome::Failed(_))
    });
    assert_eq!(held, [true, true], "each of the two is seen in some schedule");
}

static LOOKED_AT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[test]
fn a_static_is_fresh_in_every_schedule_though_its_first_use_is_a_look() {
    passes(|| {
        assert!(!LOOKED_AT.is_locked());
        LOOKED_AT.lock().push(1);
        let other = thread::spawn(|| LOOKED_AT.lock().len());
        assert_eq!(LOOKED_AT.lock().len(), 1);
        assert_eq!(other.join().unwrap(), 1);
    });
}
