//! Tasks and runtimes: each decision is explored, and each kind of mistake is told by its name.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use support::{fails, passes, results};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio::time::{Instant, sleep, timeout};
use verdict::Kind;

/// Runs a future on a current-thread runtime.
fn on_one<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What the body returns, over all schedules, of which none may fail.
#[track_caller]
fn all(body: impl Fn() -> String + Send + Sync + 'static) -> Vec<String> {
    results(body).0
}

#[test]
fn two_ready_tasks_are_polled_in_both_orders() {
    let orders = all(|| {
        on_one(async {
            let lock = Arc::new(Mutex::new(String::new()));
            let tasks = ["a", "b"].map(|name| {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move { lock.lock().unwrap().push_str(name) })
            });
            for task in tasks {
                task.await.unwrap();
            }
            lock.lock().unwrap().clone()
        })
    });
    assert_eq!(orders, ["ab", "ba"]);
}

#[test]
fn tasks_that_meet_nowhere_have_one_order() {
    let exploration = passes(|| {
        on_one(async {
            let tasks = [1, 2, 3].map(|_| {
                tokio::spawn(async {
                    for _ in 0..3 {
                        yield_now().await;
                    }
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    assert!(exploration.coverage.complete);
}

#[test]
fn select_begins_with_either_branch() {
    let starts = all(|| {
        on_one(async {
            tokio::select! {
                _ = async {} => "first".to_string(),
                _ = async {} => "second".to_string(),
            }
        })
    });
    assert_eq!(starts, ["first", "second"]);
    let biased = all(|| {
        on_one(async {
            tokio::select! {
                biased;
                _ = async {} => "first".to_string(),
                _ = async {} => "second".to_string(),
            }
        })
    });
    assert_eq!(biased, ["first"]);
}

#[test]
fn of_two_timers_of_one_moment_either_fires_first() {
    let orders = all(|| {
        on_one(async {
            let order = Arc::new(Mutex::new(String::new()));
            let tasks = ["a", "b"].map(|name| {
                let order = Arc::clone(&order);
                tokio::spawn(async move {
                    sleep(Duration::from_secs(1)).await;
                    order.lock().unwrap().push_str(name);
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            order.lock().unwrap().clone()
        })
    });
    assert_eq!(orders, ["ab", "ba"]);
}

#[test]
fn time_passes_when_nobody_can_go_on() {
    let order = all(|| {
        on_one(async {
            let begun = Instant::now();
            let slow = tokio::spawn(async { sleep(Duration::from_secs(3600)).await });
            assert!(timeout(Duration::from_secs(1), slow).await.is_err());
            format!("{:?}", begun.elapsed())
        })
    });
    assert_eq!(order, ["1s"]);
}

#[test]
fn an_aborted_task_ends_at_each_await_it_may_have_come_to() {
    let ends = all(|| {
        let reached = Arc::new(AtomicU32::new(0));
        on_one(async {
            let counter = Arc::clone(&reached);
            let task = tokio::spawn(async move {
                for _ in 0..3 {
                    counter.fetch_add(1, Ordering::SeqCst);
                    yield_now().await;
                }
            });
            yield_now().await;
            task.abort();
            let ended = task.await;
            let how = if ended.is_ok() { "done" } else { "cancelled" };
            format!("{how} after {}", reached.load(Ordering::SeqCst))
        })
    });
    let cancelled: Vec<String> = (0..=3).map(|n| format!("cancelled after {n}")).collect();
    assert_eq!(ends, [cancelled, vec!["done after 3".to_string()]].concat());
}

#[test]
fn two_workers_poll_two_tasks_at_once_and_one_does_not() {
    let lost = |workers: usize| {
        all(move || {
            let count = Arc::new(AtomicU32::new(0));
            let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
            runtime.block_on(async {
                let tasks = [1, 2].map(|_| {
                    let count = Arc::clone(&count);
                    tokio::spawn(async move {
                        let before = count.load(Ordering::SeqCst);
                        count.store(before + 1, Ordering::SeqCst);
                    })
                });
                for task in tasks {
                    task.await.unwrap();
                }
            });
            count.load(Ordering::SeqCst).to_string()
        })
    };
    assert_eq!(lost(1), ["2"]);
    assert_eq!(lost(2), ["1", "2"]);
}

#[test]
fn a_waker_that_is_dropped_is_a_lost_wakeup() {
    let message = fails(Kind::LostWakeup, || {
        on_one(async {
            let task = tokio::spawn(poll_fn(|_| Poll::<()>::Pending));
            task.await.unwrap();
        });
    });
    assert!(message.contains("task 2 awaits to be woken (tasks.rs:"), "{message}");
    assert!(message.contains("main awaits the end of task 2"), "{message}");
}

#[test]
fn a_notification_that_comes_before_the_wait_is_kept_and_one_for_all_is_not() {
    passes(|| {
        on_one(async {
            let notify = Arc::new(Notify::new());
            let other = Arc::clone(&notify);
            tokio::spawn(async move { other.notify_one() });
            notify.notified().await;
        });
    });
    let message = fails(Kind::LostWakeup, || {
        on_one(async {
            let notify = Arc::new(Notify::new());
            let other = Arc::clone(&notify);
            tokio::spawn(async move { other.notify_waiters() });
            yield_now().await;
            notify.notified().await;
        });
    });
    assert!(message.contains("main awaits notify#1"), "{message}");
}

#[test]
fn a_task_that_nobody_awaits_is_cancelled_with_its_runtime() {
    let ends = all(|| {
        struct Dropped(Arc<AtomicBool>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let dropped = Arc::new(AtomicBool::new(false));
        let value = Dropped(Arc::clone(&dropped));
        on_one(async move {
            tokio::spawn(async move {
                let _value = value;
                std::future::pending::<()>().await;
            });
            yield_now().await;
        });
        dropped.load(Ordering::SeqCst).to_string()
    });
    assert_eq!(ends, ["true"]);
}

#[test]
fn a_mutex_taken_twice_in_one_task_is_a_deadlock() {
    let message = fails(Kind::Deadlock, || {
        on_one(async {
            let mutex = tokio::sync::Mutex::new(0);
            let _first = mutex.lock().await;
            let _second = mutex.lock().await;
        });
    });
    assert!(message.starts_with("main waits for itself: awaits mutex#1"), "{message}");
}

#[test]
fn two_mutexes_in_two_orders_are_a_deadlock() {
    let message = fails(Kind::Deadlock, || {
        on_one(async {
            let locks = Arc::new((tokio::sync::Mutex::new(0), tokio::sync::Mutex::new(0)));
            let other = Arc::clone(&locks);
            let task = tokio::spawn(async move {
                let _first = other.0.lock().await;
                yield_now().await;
                let _second = other.1.lock().await;
            });
            {
                let _second = locks.1.lock().await;
                yield_now().await;
                let _first = locks.0.lock().await;
            }
            task.await.unwrap();
        });
    });
    assert!(message.contains("wait for each other"), "{message}");
}

#[test]
fn a_std_guard_held_across_an_await_stops_the_only_worker() {
    let message = fails(Kind::Deadlock, || {
        let lock = Arc::new(Mutex::new(0));
        let other = Arc::clone(&lock);
        on_one(async move {
            let task = tokio::spawn(async move { *other.lock().unwrap() += 1 });
            {
                let _guard = lock.lock().unwrap();
                yield_now().await;
            }
            task.await.unwrap();
        });
    });
    assert!(message.contains("wait for each other"), "{message}");
    assert!(message.contains("waits for a worker"), "{message}");
}

#[test]
fn a_task_that_blocks_holds_up_those_behind_it() {
    let body = |workers: usize| {
        move || {
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
            runtime.block_on(async {
                let blocked = tokio::spawn(async move { receiver.recv().unwrap() });
                let behind = tokio::spawn(async move { sender.send(()).unwrap() });
                behind.await.unwrap();
                blocked.await.unwrap();
            });
        }
    };
    let message = fails(Kind::Deadlock, body(1));
    assert!(message.contains("is woken and waits for a worker"), "{message}");
    passes(body(2));
}

#[test]
fn what_is_spawned_blocking_blocks_nobody() {
    passes(|| {
        on_one(async {
            let (sender, receiver) = std::sync::mpsc::channel::<u32>();
            let blocked = tokio::task::spawn_blocking(move || receiver.recv().unwrap());
            tokio::spawn(async move { sender.send(7).unwrap() });
            assert_eq!(blocked.await.unwrap(), 7);
        });
    });
}

#[test]
fn block_in_place_lends_its_worker() {
    passes(|| {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let (sender, receiver) = std::sync::mpsc::channel::<u32>();
            let blocked = tokio::spawn(async move { tokio::task::block_in_place(|| receiver.recv().unwrap()) });
            tokio::spawn(async move { sender.send(7).unwrap() });
            assert_eq!(blocked.await.unwrap(), 7);
        });
    });
}

#[test]
fn a_panic_is_the_tasks_own_and_told_if_nobody_sees_it() {
    passes(|| {
        on_one(async {
            let error = tokio::spawn(async { panic!("boom") }).await.unwrap_err();
            assert!(error.is_panic());
            assert_eq!(error.into_panic().downcast_ref::<&str>(), Some(&"boom"));
        });
    });
    // Also where the future panics that is dropped since it has given its output.
    passes(|| {
        on_one(async {
            let error = tokio::spawn(Gives).await.unwrap_err();
            assert_eq!(error.into_panic().downcast_ref::<&str>(), Some(&"dropped"));
        });
    });
    let message = fails(Kind::Panic, || {
        on_one(async {
            tokio::spawn(async { panic!("panic that nobody sees") });
            yield_now().await;
        });
    });
    assert!(message.contains("panic that nobody sees"), "{message}");
}

#[test]
fn a_runtime_counts_the_tasks_that_have_not_ended() {
    passes(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let metrics = runtime.metrics();
        let (open, opened) = oneshot::channel::<()>();
        let never = runtime.spawn(std::future::pending::<()>());
        let waits = runtime.spawn(async { opened.await.unwrap() });
        let closure = runtime.spawn_blocking(|| ());
        assert_eq!((metrics.num_workers(), metrics.num_alive_tasks()), (2, 2));
        runtime.block_on(async {
            closure.await.unwrap();
            open.send(()).unwrap();
            waits.await.unwrap();
        });
        assert_eq!(metrics.num_alive_tasks(), 1);
        never.abort();
        assert!(runtime.block_on(never).unwrap_err().is_cancelled());
        assert_eq!(metrics.num_alive_tasks(), 0);
        assert_eq!(on_one(async { Handle::current().metrics().num_workers() }), 1);
    });
}

/// A future that gives its output at once, and panics when it is dropped.
struct Gives;

impl Future for Gives {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Drop for Gives {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// A future that takes being polled for being woken.
struct Hasty {
    polled: bool,
    sender: Option<oneshot::Sender<Waker>>,
    done: Arc<AtomicBool>,
}

impl Future for Hasty {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(self.done.load(Ordering::SeqCst));
        }
        if let Some(sender) = self.sender.take() {
            let _ = sender.send(cx.waker().clone());
        }
        Poll::Pending
    }
}

#[test]
fn a_future_may_be_polled_though_nobody_woke_it() {
    let seen = all(|| {
        on_one(async {
            let (sender, waker) = oneshot::channel();
            let done = Arc::new(AtomicBool::new(false));
            let hasty = tokio::spawn(Hasty { polled: false, sender: Some(sender), done: Arc::clone(&done) });
            let waker: Waker = waker.await.unwrap();
            done.store(true, Ordering::SeqCst);
            waker.wake();
            hasty.await.unwrap().to_string()
        })
    });
    assert_eq!(seen, ["false", "true"]);
}

#[test]
fn a_set_gives_results_in_the_order_of_their_ends() {
    let orders = all(|| {
        on_one(async {
            let mut set = JoinSet::new();
            for name in ["a", "b"] {
                set.spawn(async move { name });
            }
            let mut order = String::new();
            while let Some(name) = set.join_next().await {
                order += name.unwrap();
            }
            order
        })
    });
    assert_eq!(orders, ["ab", "ba"]);
}

#[test]
fn local_tasks_run_while_their_set_does() {
    passes(|| {
        let set = LocalSet::new();
        let runtime = Builder::new_current_thread().build().unwrap();
        let value = std::rc::Rc::new(std::cell::Cell::new(0));
        let shared = value.clone();
        set.spawn_local(async move {
            shared.set(1);
            yield_now().await;
            std::future::pending::<()>().await;
        });
        assert_eq!(value.get(), 0);
        let task = set.block_on(&runtime, async { tokio::task::spawn_local(async { 7 }).await.unwrap() });
        assert_eq!(task, 7);
        drop(set);
        assert_eq!(std::rc::Rc::strong_count(&value), 1);
    });
}

#[test]
fn a_runtime_inside_a_runtime_panics() {
    let message = fails(Kind::Panic, || {
        on_one(async {
            let inner = Runtime::new();
            if let Ok(inner) = inner {
                panic!("panic: {:?}", std::panic::catch_unwind(|| inner.block_on(async {})).is_err());
            }
        });
    });
    assert!(message.contains("Cannot drop a runtime") || message.contains("panic: true"), "{message}");
}

#[test]
fn a_runtime_may_be_shut_down_without_waiting() {
    passes(|| {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let inner = Builder::new_current_thread().build().unwrap();
            inner.spawn(std::future::pending::<()>());
            inner.shutdown_background();
        });
        runtime.spawn(std::future::pending::<()>());
        let begun = Instant::now();
        let blocked = runtime.spawn_blocking(|| std::thread::sleep(Duration::from_secs(5)));
        runtime.shutdown_timeout(Duration::from_secs(60));
        assert!(begun.elapsed() <= Duration::from_secs(5));
        assert!(blocked.is_finished());
    });
}

#[test]
fn what_is_started_on_a_runtime_that_is_shut_down_is_cancelled() {
    passes(|| {
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder.build().unwrap();
            let handle = runtime.handle().clone();
            drop(runtime);
            for task in [handle.spawn(async {}), handle.spawn_blocking(|| {})] {
                assert!(handle.block_on(task).unwrap_err().is_cancelled());
            }
            // From a task of another runtime.
            on_one(async move { assert!(handle.spawn(async {}).await.unwrap_err().is_cancelled()) });
        }
    });
}

#[test]
fn a_lock_that_spins_with_yields_waits_for_others() {
    passes(|| {
        on_one(async {
            let flag = Arc::new(AtomicBool::new(false));
            let other = Arc::clone(&flag);
            tokio::spawn(async move { other.store(true, Ordering::SeqCst) });
            while !flag.load(Ordering::SeqCst) {
                yield_now().await;
            }
        });
    });
}

#[test]
fn who_polls_by_hand_has_no_budget() {
    let polled = all(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(yield_now());
        let lock = tokio::sync::Mutex::new(());
        let mut context = Context::from_waker(Waker::noop());
        let polls = (0..200).filter(|_| std::pin::pin!(lock.lock()).poll(&mut context).is_ready());
        polls.count().to_string()
    });
    assert_eq!(polled, ["200"]);
}

#[test]
fn a_static_lock_is_fresh_in_every_schedule() {
    static COUNT: tokio::sync::Mutex<u32> = tokio::sync::Mutex::const_new(0);
    static ROOM: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);
    static ONCE: tokio::sync::SetOnce<u32> = tokio::sync::SetOnce::const_new();
    static NOTIFY: Notify = Notify::const_new();
    let counts = all(|| {
        on_one(async {
            let tasks = [1, 2].map(|_| tokio::spawn(async { *COUNT.lock().await += 1 }));
            for task in tasks {
                task.await.unwrap();
            }
            // What is left in them must not be there in the next schedule.
            ROOM.try_acquire().unwrap().forget();
            ONCE.set(1).unwrap();
            assert!(timeout(Duration::from_secs(1), NOTIFY.notified()).await.is_err());
            NOTIFY.notify_one();
            COUNT.lock().await.to_string()
        })
    });
    assert_eq!(counts, ["2"]);
}

#[test]
fn a_runtime_that_goes_lets_a_task_come_as_far_as_it_likes() {
    let seen = all(|| {
        let steps = Arc::new(AtomicU32::new(0));
        let runtime = Builder::new_multi_thread().build().unwrap();
        let counted = Arc::clone(&steps);
        runtime.spawn(async move {
            counted.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
            counted.fetch_add(1, Ordering::SeqCst);
        });
        drop(runtime);
        steps.load(Ordering::SeqCst).to_string()
    });
    assert_eq!(seen, ["0", "1", "2"]);
    let seen = all(|| {
        let steps = Arc::new(AtomicU32::new(0));
        let runtime = Builder::new_multi_thread().build().unwrap();
        let counted = Arc::clone(&steps);
        runtime.spawn_blocking(move || counted.fetch_add(1, Ordering::SeqCst));
        drop(runtime);
        steps.load(Ordering::SeqCst).to_string()
    });
    assert_eq!(seen, ["0", "1"]);
}

#[test]
fn what_was_waited_for_is_what_is_given() {
    let seen = all(|| {
        let (sender, mut receiver) = watch::channel(0);
        let sends = std::thread::spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        let value = on_one(async { *receiver.wait_for(|value| *value == 1).await.as_deref().unwrap_or(&9) });
        sends.join().unwrap();
        value.to_string()
    });
    assert_eq!(seen, ["1", "9"], "1, or the end where 1 was missed");
    // A value that was looked at is not looked at again when the senders are gone.
    passes(|| {
        let (sender, mut receiver) = watch::channel(0);
        drop(sender);
        let mut looks = 0;
        let again = |_: &i32| {
            looks += 1;
            looks > 1
        };
        let closed = on_one(receiver.wait_for(again)).is_err();
        assert!(closed && looks == 1, "{looks} looks");
    });
}

#[test]
fn a_task_is_started_before_its_runtime_goes_or_after() {
    let seen = |start: fn(&Handle, Arc<AtomicBool>)| {
        all(move || {
            let runtime = Builder::new_multi_thread().build().unwrap();
            let ran = Arc::new(AtomicBool::new(false));
            let (handle, runs) = (runtime.handle().clone(), Arc::clone(&ran));
            let starts = std::thread::spawn(move || start(&handle, runs));
            drop(runtime);
            starts.join().unwrap();
            ran.load(Ordering::SeqCst).to_string()
        })
    };
    let task = |handle: &Handle, ran: Arc<AtomicBool>| {
        handle.spawn(async move { ran.store(true, Ordering::SeqCst) });
    };
    assert_eq!(seen(task), ["false", "true"]);
    let closure = |handle: &Handle, ran: Arc<AtomicBool>| {
        handle.spawn_blocking(move || ran.store(true, Ordering::SeqCst));
    };
    assert_eq!(seen(closure), ["false", "true"]);
}

#[test]
fn either_of_two_threads_drives_a_runtime() {
    let seen = all(|| {
        let runtime = Arc::new(Builder::new_current_thread().build().unwrap());
        let steps = Arc::new(AtomicU32::new(0));
        let (other, counted) = (Arc::clone(&runtime), Arc::clone(&steps));
        runtime.spawn(async move { counted.fetch_add(1, Ordering::SeqCst) });
        let drives = std::thread::spawn(move || other.block_on(yield_now()));
        // A task comes in between where this thread is not the one that drives.
        let two = runtime.block_on(async { [(); 2].map(|()| steps.load(Ordering::SeqCst)) });
        drives.join().unwrap();
        (two[0] != two[1]).to_string()
    });
    assert_eq!(seen, ["false", "true"]);
}

#[test]
fn tasks_are_counted_at_one_moment() {
    let seen = all(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.spawn(async { drop(tokio::spawn(std::future::pending::<()>())) });
        runtime.metrics().num_alive_tasks().to_string()
    });
    assert_eq!(seen, ["1", "2"]);
}

#[test]
fn a_local_task_is_polled_before_its_set_is_left_or_not_at_all() {
    let seen = all(|| {
        let (set, runtime) = (LocalSet::new(), Builder::new_current_thread().build().unwrap());
        let ran = Arc::new(AtomicBool::new(false));
        let ((first, of_first), (second, of_second)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
        std::thread::spawn(move || {
            let _ = first.send(());
            let _ = second.send(());
        });
        let runs = Arc::clone(&ran);
        set.block_on(&runtime, async move {
            tokio::task::spawn_local(async move {
                let _ = of_first.await;
                runs.store(true, Ordering::SeqCst);
            });
            let _ = of_second.await;
        });
        ran.load(Ordering::SeqCst).to_string()
    });
    assert_eq!(seen, ["false", "true"]);
}

#[test]
fn a_sender_that_waits_for_room_keeps_its_channel_open() {
    let seen = all(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let (sender, mut receiver) = mpsc::channel::<()>(1);
        let task = runtime.spawn(async move { drop(sender.reserve_owned()) });
        let seen = format!("{:?}", receiver.try_recv().unwrap_err());
        runtime.block_on(task).unwrap();
        seen
    });
    assert_eq!(seen, ["Disconnected", "Empty"]);
}

/// What another thread does, and what this one counts meanwhile.
type Counted = (Box<dyn FnOnce() + Send>, Box<dyn FnOnce() -> usize>);

#[test]
fn who_counts_senders_sees_them_come_and_go() {
    let counts = |counted: fn() -> Counted| {
        all(move || {
            let (changes, count) = counted();
            let changes = std::thread::spawn(changes);
            let count = count();
            changes.join().unwrap();
            count.to_string()
        })
    };
    let clones = counts(|| {
        let (sender, receiver) = mpsc::channel::<()>(1);
        (Box::new(move || drop(sender.clone())), Box::new(move || receiver.sender_strong_count()))
    });
    assert_eq!(clones, ["0", "1", "2"]);
    let clones = counts(|| {
        let (sender, receiver) = broadcast::channel::<()>(1);
        (Box::new(move || drop(sender.clone())), Box::new(move || receiver.sender_strong_count()))
    });
    assert_eq!(clones, ["0", "1", "2"]);
    let clones = counts(|| {
        let (sender, _) = watch::channel(());
        let other = sender.clone();
        (Box::new(move || drop(sender.clone())), Box::new(move || other.sender_count()))
    });
    assert_eq!(clones, ["1", "2", "3"]);
    let weak = counts(|| {
        let (sender, receiver) = mpsc::unbounded_channel::<()>();
        let comes_and_goes = move || {
            let weak = sender.downgrade();
            drop((weak.clone(), weak));
        };
        (Box::new(comes_and_goes), Box::new(move || receiver.sender_weak_count()))
    });
    assert_eq!(weak, ["0", "1", "2"]);
    let weak = counts(|| {
        let (sender, receiver) = broadcast::channel::<()>(1);
        let comes_and_goes = move || {
            let weak = sender.downgrade();
            drop((weak.clone(), weak));
        };
        (Box::new(comes_and_goes), Box::new(move || receiver.sender_weak_count()))
    });
    assert_eq!(weak, ["0", "1", "2"]);
}

/// A message whose end takes two steps.
#[derive(Clone)]
struct Message(Arc<AtomicU32>);

impl Drop for Message {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_is_dropped_with_a_channel_is_dropped_step_by_step() {
    let looks = |lose: fn(Message)| {
        all(move || {
            let steps = Arc::new(AtomicU32::new(0));
            let message = Message(Arc::clone(&steps));
            let loses = std::thread::spawn(move || lose(message));
            let seen = steps.load(Ordering::SeqCst);
            loses.join().unwrap();
            assert_eq!(steps.load(Ordering::SeqCst), 2);
            seen.to_string()
        })
    };
    let received = looks(|message| {
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(message).unwrap();
        drop(receiver);
    });
    assert_eq!(received, ["0", "1", "2"], "by the receiver of a channel with room");
    let received = looks(|message| {
        let (sender, receiver) = mpsc::unbounded_channel();
        sender.send(message).unwrap();
        drop(receiver);
    });
    assert_eq!(received, ["0", "1", "2"], "by a receiver of a channel without a limit");
    let received = looks(|message| {
        let (sender, receiver) = oneshot::channel();
        assert!(sender.send(message).is_ok());
        drop(receiver);
    });
    assert_eq!(received, ["0", "1", "2"], "by the receiver of one value");
    let sent = looks(|message| {
        let (sender, _receiver) = mpsc::channel(1);
        let _room = sender.try_reserve().unwrap();
        let mut sending = Box::pin(sender.send(message));
        assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(sending);
    });
    assert_eq!(sent, ["0", "1", "2"], "by a sender that gives up");
}

#[test]
fn a_request_is_gone_while_the_next_one_waits() {
    let seen = all(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let (sender, receiver) = mpsc::unbounded_channel();
        let [first, mut second] = [(); 2].map(|()| {
            let (answer, answered) = oneshot::channel::<()>();
            sender.send(answer).unwrap();
            answered
        });
        runtime.spawn(async move { drop(receiver) });
        assert!(runtime.block_on(first).is_err());
        format!("{:?}", second.try_recv().unwrap_err())
    });
    assert_eq!(seen, ["Closed", "Empty"]);
}

#[test]
fn who_shows_a_semaphore_sees_its_permits_at_some_moment() {
    let seen = all(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let other = Arc::clone(&semaphore);
        let takes = std::thread::spawn(move || other.try_acquire().unwrap().forget());
        let shown = format!("{semaphore:?}");
        takes.join().unwrap();
        shown
    });
    assert_eq!(seen, ["Semaphore { permits: 0, .. }", "Semaphore { permits: 1, .. }"]);
}
