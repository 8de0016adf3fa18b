//! The contract of the kata `coroutine`, sentence by sentence. `README.md` has the same list.

// The stub's types have nothing to drop; the learner's have.
#![allow(clippy::drop_non_drop)]

#[path = "coroutine/contract.rs"]
mod contract;

use std::future::{Future, poll_fn, ready};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use coroutine::{
    Cashier, Executor, Misuse, Question, Receiver, Sender, Spawner, Step, UpAndDown, block_on, cashier, executor,
    oneshot, up_and_down,
};
use kata::scenarios::every_small_program;
use kata::{Check, Log, a_while_passes, check, moving, panic_on_purpose, start};

/// Never called. Compiles only with the types that the stub gives: a type of its own could be equal to whatever it is
/// compared with.
fn _signatures() {
    let _: fn(u32) -> UpAndDown = up_and_down;
    let _: fn(&mut UpAndDown) -> Option<u32> = UpAndDown::next;
    let _: fn() -> Cashier = cashier;
    let _: fn(&mut Cashier) -> Result<Step, Misuse> = Cashier::start;
    let _: fn(&mut Cashier, u32) -> Result<Step, Misuse> = Cashier::send;
    let _: fn() -> (Sender<u32>, Receiver<u32>) = oneshot::<u32>;
    let _: fn(Sender<u32>, u32) = Sender::send;
    type Polls<F, T> = fn(Pin<&mut F>, &mut Context<'_>) -> Poll<T>;
    let _: Polls<Receiver<u32>, Option<u32>> = Receiver::poll;
    let _: fn(Receiver<u32>) -> Option<u32> = block_on::<Receiver<u32>>;
    let _: fn() -> (Executor, Spawner) = executor;
    let _: fn(&mut Executor) = Executor::run;
    let _: fn(&Spawner, Receiver<u32>) -> Receiver<Option<u32>> = Spawner::spawn;
    let _: fn(&Spawner) -> Spawner = Spawner::clone;
    fn is_sent<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    let _ = [is_sent::<Sender<u32>>, is_sent::<Receiver<u32>>, is_sent::<Executor>, is_shared::<Spawner>];
    let _: fn(Step) -> u64 = |step| match step {
        Step::Yielded(Question::Price | Question::Count) => 0,
        Step::Complete(total) => total,
    };
    let _: fn(Misuse) = |misuse| match misuse {
        Misuse::NotStarted | Misuse::AlreadyStarted | Misuse::Finished => (),
    };
}

// ---------------------------------------------------------------------------------------------------- generators

#[test]
fn a_generator_yields_one_value_at_a_time() {
    check(|| {
        for (top, expected) in [(0, vec![]), (1, vec![1]), (2, vec![1, 2, 1]), (4, vec![1, 2, 3, 4, 3, 2, 1])] {
            let mut numbers = up_and_down(top);
            let yielded: Vec<u32> = numbers.by_ref().take(20).collect();
            assert_eq!(yielded, expected, "up_and_down({top})");
            let more: Vec<u32> = (0..1_000).filter_map(|_| numbers.next()).collect();
            assert!(more.is_empty(), "up_and_down({top}) is over, and stays over");
            // Who skips some stands where as many calls would lead, also beyond the end.
            for places in (0..9).flat_map(|first| (0..9).map(move |second| [first, second])) {
                let (seen, wanted) = (skips(up_and_down(top), places), skips(expected.iter().copied(), places));
                let [first, second] = places;
                assert_eq!(seen, wanted, "up_and_down({top}): nth({first}), nth({second}), next() and last()");
            }
        }
        // More than a byte counts, and more than two.
        for top in [300, 70_000] {
            let wrong =
                up_and_down(top).zip((1..=top).chain((1..top).rev())).find(|(number, expected)| number != expected);
            assert_eq!(wrong, None, "up_and_down({top}): the first number that is not as expected");
            assert_eq!(up_and_down(top).count(), 2 * top as usize - 1, "numbers of up_and_down({top})");
        }
        let (mut one, mut other) = (up_and_down(2), up_and_down(2));
        assert_eq!([one.next(), one.next(), other.next(), one.next()], [Some(1), Some(2), Some(1), Some(1)]);
    });
}

fn skips(mut numbers: impl Iterator<Item = u32>, [first, second]: [usize; 2]) -> [Option<u32>; 4] {
    [numbers.nth(first), numbers.nth(second), numbers.next(), numbers.last()]
}

/// All conversations of up to seven calls, beside what Python's generator would do.
#[test]
fn a_generator_that_is_sent_values_goes_on_where_it_stopped() {
    check(|| {
        const CALLS: [Option<u32>; 4] = [None, Some(0), Some(3), Some(100_000)];
        const LONGEST: u32 = 7;
        // From the shortest to the longest, so that the first one that fails has no call too many.
        for length in 1..=LONGEST {
            for number in 0..CALLS.len().pow(length) {
                let call = |place| CALLS[number / CALLS.len().pow(place) % CALLS.len()];
                let calls: Vec<Option<u32>> = (0..length).map(call).collect();
                let mut cashier = cashier();
                let mut expected = Conversation::Before;
                let mut told = String::from("cashier()");
                for call in calls {
                    let (answer, wanted) = match call {
                        None => (cashier.start(), expected.start()),
                        Some(number) => (cashier.send(number), expected.send(number)),
                    };
                    told += &call.map_or_else(|| ", start()".to_owned(), |number| format!(", send({number})"));
                    assert_eq!(answer, wanted, "the last answer of: {told}");
                }
            }
        }
        // Two who serve in turns, and for long: one is at a price when the other one is at a count.
        let mut cashiers = [(2, cashier()), (5, cashier())];
        for (price, cashier) in &mut cashiers {
            assert_eq!(cashier.start(), Ok(Step::Yielded(Question::Price)));
            assert_eq!(cashier.send(*price), Ok(Step::Yielded(Question::Count)));
        }
        for _ in 0..300 {
            for (price, cashier) in &mut cashiers {
                assert_eq!(cashier.send(10), Ok(Step::Yielded(Question::Price)), "sent a count");
                assert_eq!(cashier.send(*price), Ok(Step::Yielded(Question::Count)), "sent a price");
            }
        }
        let totals = cashiers.map(|(_, mut cashier)| [cashier.send(0), cashier.send(0)]);
        let expected = [6_000, 15_000].map(|total| [Ok(Step::Yielded(Question::Price)), Ok(Step::Complete(total))]);
        assert_eq!(totals, expected, "two cashiers who served in turns");
    });
}

/// What the cashier was told so far.
enum Conversation {
    Before,
    Price { total: u64 },
    Count { total: u64, price: u32 },
    After,
}

impl Conversation {
    fn start(&mut self) -> Result<Step, Misuse> {
        match self {
            Conversation::Before => {
                *self = Conversation::Price { total: 0 };
                Ok(Step::Yielded(Question::Price))
            }
            Conversation::After => Err(Misuse::Finished),
            _ => Err(Misuse::AlreadyStarted),
        }
    }

    fn send(&mut self, number: u32) -> Result<Step, Misuse> {
        let (after, answer) = match *self {
            Conversation::Before => return Err(Misuse::NotStarted),
            Conversation::After => return Err(Misuse::Finished),
            Conversation::Price { total } if number == 0 => (Conversation::After, Step::Complete(total)),
            Conversation::Price { total } => {
                (Conversation::Count { total, price: number }, Step::Yielded(Question::Count))
            }
            Conversation::Count { total, price } => {
                let total = total.wrapping_add(u64::from(price) * u64::from(number));
                (Conversation::Price { total }, Step::Yielded(Question::Price))
            }
        };
        *self = after;
        Ok(answer)
    }
}

// ------------------------------------------------------------------------------------------------------ a future

#[test]
fn a_receiver_is_ready_when_its_value_has_come_or_cannot_come_any_more() {
    check(|| {
        let (sender, receiver) = oneshot();
        let mut receiver = moving!(receiver);
        assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Pending, "nothing was sent yet");
        sender.send("soup");
        assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(Some("soup")));

        let (sender, receiver) = oneshot();
        let mut receiver = moving!(receiver);
        sender.send("sent before the first poll");
        assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(Some("sent before the first poll")));

        let (sender, receiver) = oneshot::<()>();
        let mut receiver = moving!(receiver);
        assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Pending, "the sender is still there");
        drop(sender);
        assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(None), "the sender is gone");

        let value = Arc::new("salad");
        let (sender, receiver) = oneshot();
        drop(receiver);
        sender.send(Arc::clone(&value));
        assert_eq!(Arc::strong_count(&value), 1, "nobody receives the value, so it is dropped");
    });
}

#[test]
fn a_receiver_wakes_whoever_polled_last() {
    check(|| {
        type End = fn(Sender<()>);
        let ends: [(&str, End); 2] = [("sent", |sender| sender.send(())), ("dropped without a value", drop)];
        const NAMES: [char; 3] = ['a', 'b', 'c'];
        const MOST: u32 = 4;
        // Up to four polls by up to three wakers, in each order. One may come back when others have polled.
        for (end, act) in ends {
            for polls in 1..=MOST {
                for number in 0..NAMES.len().pow(polls) {
                    let order: Vec<usize> =
                        (0..polls).map(|poll| number / NAMES.len().pow(poll) % NAMES.len()).collect();
                    let told: String = order.iter().map(|&waker| NAMES[waker]).collect();
                    let bells = NAMES.map(|_| Bell::default());
                    let (sender, receiver) = oneshot();
                    let mut receiver = moving!(receiver);
                    for &waker in &order {
                        assert!(poll(&mut receiver, &bells[waker].waker()).is_pending());
                    }
                    let (last, before) = (order[order.len() - 1], bells.each_ref().map(Bell::count));
                    // If another one has polled after it, it may have been woken then.
                    let came_back = order.iter().skip_while(|&&waker| waker != last).any(|&waker| waker != last);
                    assert!(
                        came_back || before[last] == 0,
                        "polled by {told}: the last is woken, and nothing has come yet"
                    );
                    act(sender);
                    assert!(bells[last].count() > before[last], "polled by {told}, {end}, and the last is not woken");
                }
            }
        }
    });
}

#[test]
fn a_receiver_on_another_thread_is_woken() {
    check(|| {
        for expected in [Some(7), None] {
            let (sender, receiver) = oneshot();
            thread::scope(|scope| {
                let receiver = start(scope, "receiver", || block_on(receiver));
                match expected {
                    Some(value) => sender.send(value),
                    None => drop(sender),
                }
                assert_eq!(receiver.join().unwrap(), expected);
            });
        }
    });
}

#[test]
fn a_receiver_that_was_ready_panics_when_it_is_polled_again() {
    check(|| {
        for value in [Some(1), None] {
            let (sender, receiver) = oneshot();
            let mut receiver = moving!(receiver);
            if let Some(value) = value {
                sender.send(value);
            } else {
                drop(sender);
            }
            assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(value));
            for _ in 0..2 {
                let again = catch_unwind(AssertUnwindSafe(|| poll(&mut receiver, Waker::noop())));
                assert!(again.is_err(), "it was ready before, and is {again:?} now");
            }
        }
        // The sender, which may be about to end, notices nothing of it.
        let (sender, receiver) = oneshot();
        thread::scope(|scope| {
            start(scope, "sender", || sender.send(1));
            let mut receiver = moving!(receiver);
            assert_eq!(block_on(receiver.as_mut()), Some(1));
            let again = catch_unwind(AssertUnwindSafe(|| poll(&mut receiver, Waker::noop())));
            assert!(again.is_err(), "it was ready before, and is {again:?} now");
        });
    });
}

// --------------------------------------------------------------------------------------------------------- block_on

#[test]
fn block_on_gives_what_the_future_gives() {
    check(|| {
        assert_eq!(block_on(ready(1)), 1);
        // It may borrow, and need not be `Send`.
        let word = String::from("soup");
        let borrowed: &str = block_on(async {
            takes_turns(3).await;
            word.as_str()
        });
        assert_eq!(borrowed, "soup");
    });
}

#[test]
fn block_on_polls_again_only_when_it_is_woken() {
    check(|| {
        for act in [Remote::finish, Remote::finish_later] {
            let (watched, [first, second]) = watched();
            thread::scope(|scope| {
                start(scope, "first", || first.finish());
                start(scope, "second", move || act(second));
                block_on(watched.finished());
            });
            watched.was_polled_at_most(3);
        }
    });
}

#[test]
fn block_on_within_block_on_loses_no_wake() {
    let rows = ["a block_on", "a block_on that panics"]
        .into_iter()
        .flat_map(|inner| ["a block_on", "a task"].map(|outer| format!("{inner} within {outer}")));
    Check::new().each(rows, |row| {
        let panics = row.contains("panics");
        let ((outer, [remote_outer]), (inner, [remote_inner])) = (watched(), watched());
        let (waits, blocks) = (Arc::clone(&outer), Arc::clone(&inner));
        let around = async move {
            let mut whole = pin!(waits.finished());
            let blocks = poll_fn(|context| {
                let poll = whole.as_mut().poll(context);
                if poll.is_pending() {
                    let inner = async {
                        blocks.finished().await;
                        if panics {
                            panic_on_purpose("the dish is burnt");
                        }
                    };
                    let ended = catch_unwind(AssertUnwindSafe(|| block_on(inner)));
                    assert_eq!(ended.is_err(), panics, "a panic goes on in whoever calls block_on");
                }
                poll
            });
            blocks.await;
        };
        let (mut executor, spawner) = executor();
        thread::scope(|scope| {
            start(scope, "other", move || {
                remote_outer.finish();
                remote_inner.finish();
            });
            if row.ends_with("task") {
                spawn_for_nobody(&spawner, around);
                executor.run();
            } else {
                block_on(around);
            }
        });
        outer.was_polled_at_most(2);
        inner.was_polled_at_most(2);
    });
}

#[test]
fn a_waker_may_be_woken_when_its_block_on_is_over() {
    check(|| {
        let old: Waker = block_on(poll_fn(|context| Poll::Ready(context.waker().clone())));
        old.wake_by_ref();
        let (watched, [remote]) = watched();
        thread::scope(|scope| {
            start(scope, "other", move || {
                old.wake();
                remote.finish();
            });
            block_on(watched.finished());
        });
        watched.was_polled_at_most(2);
    });
}

// -------------------------------------------------------------------------------------------------------- executor

#[test]
fn a_task_does_nothing_until_the_executor_runs() {
    check(|| {
        let (mut executor, spawner) = executor();
        executor.run();
        let log = Log::new();
        for round in ["first", "second"] {
            let note = log.clone();
            let caller = thread::current().id();
            let answer = spawner.spawn(async move {
                assert_eq!(thread::current().id(), caller, "tasks run on the thread that calls `run`");
                note.note(round);
                round
            });
            let mut answer = moving!(answer);
            assert!(!log.happened(round), "the executor does not run yet");
            assert_eq!(poll(&mut answer, Waker::noop()), Poll::Pending, "the executor does not run yet");
            // Whether anybody receives what a task gives changes nothing.
            let note = log.clone();
            spawn_for_nobody(&spawner, async move { note.note(format!("{round}, for nobody")) });
            executor.run();
            assert!(log.happened(round) && log.happened(&format!("{round}, for nobody")), "{:?}", log.events());
            assert_eq!(poll(&mut answer, Waker::noop()), Poll::Ready(Some(round)));
        }
        // The thread that sleeps until a task is woken may be another one, and then this one again.
        for elsewhere in [true, false] {
            // Without a task it leaves nothing behind.
            executor.run();
            let (sender, receiver) = oneshot();
            let answer = spawner.spawn(receiver);
            thread::scope(|scope| {
                start(scope, "sender", || sender.send(1));
                if elsewhere {
                    start(scope, "executor", || executor.run());
                } else {
                    executor.run();
                }
            });
            assert_eq!(poll_once(answer), Poll::Ready(Some(Some(1))));
        }
        // Another executor has tasks of its own.
        let (mut other, other_spawner) = coroutine::executor();
        let answers = [&spawner, &other_spawner].map(|spawner| spawner.spawn(ready(1)));
        let [mut own, mut others] = answers.map(Box::pin);
        other.run();
        assert_eq!(poll(&mut own, Waker::noop()), Poll::Pending, "only another executor has run");
        assert_eq!(poll(&mut others, Waker::noop()), Poll::Ready(Some(1)));
        executor.run();
        assert_eq!(poll(&mut own, Waker::noop()), Poll::Ready(Some(1)));
        // Whose task spawns one changes nothing: it belongs to the executor of the spawner.
        let spawned = spawner.spawn(async move { [Box::pin(other_spawner.spawn(ready(1)))] });
        executor.run();
        let Poll::Ready(Some([mut others])) = poll_once(spawned) else { panic!("the task has spawned another one") };
        assert_eq!(poll(&mut others, Waker::noop()), Poll::Pending, "the other executor has not run yet");
        other.run();
        assert_eq!(poll(&mut others, Waker::noop()), Poll::Ready(Some(1)));
        // It may run at the same time: on another thread, or within a task of this one.
        for elsewhere in [true, false] {
            let (mut other, other_spawner) = coroutine::executor();
            let (sender, receiver) = oneshot();
            let answer = spawner.spawn(receiver);
            spawn_for_nobody(&other_spawner, async move { sender.send(1) });
            thread::scope(|scope| {
                if elsewhere {
                    start(scope, "other", move || other.run());
                } else {
                    spawn_for_nobody(&spawner, async move { other.run() });
                }
                executor.run();
            });
            assert_eq!(poll_once(answer), Poll::Ready(Some(Some(1))));
        }
    });
}

#[test]
fn tasks_take_turns() {
    check(|| {
        let (mut executor, spawner) = executor();
        let log = Log::new();
        for name in ["a", "b", "c"] {
            let (note, own) = (log.clone(), spawner.clone());
            spawn_for_nobody(&spawner, async move {
                for round in 1..=3 {
                    note.note(format!("{name}{round}"));
                    if name == "b" && round == 1 {
                        let note = note.clone();
                        spawn_for_nobody(&own, async move { note.note("spawned by b1") });
                    }
                    takes_turns(1).await;
                }
            });
        }
        executor.run();
        let turns = ["a1", "b1", "c1", "a2", "spawned by b1", "b2", "c2", "a3", "b3", "c3"];
        assert_eq!(log.events(), turns, "who has been ready longest is next");

        let log = Log::new();
        let mut senders = ["a", "b", "c"].map(|name| {
            let (note, (sender, receiver)) = (log.clone(), oneshot());
            spawn_for_nobody(&spawner, async move {
                receiver.await;
                note.note(name);
            });
            sender
        });
        // The last one is woken first.
        senders.rotate_right(1);
        spawn_for_nobody(&spawner, async move { senders.map(|sender| sender.send(())) });
        executor.run();
        assert_eq!(log.events(), ["c", "a", "b"], "in the order in which they were woken");

        let (log, wakers) = (Log::new(), Arc::new(Mutex::new(Vec::new())));
        for name in ["a", "b"] {
            let (note, wakers, mut waits) = (log.clone(), Arc::clone(&wakers), true);
            spawn_for_nobody(
                &spawner,
                poll_fn(move |context| {
                    if mem::take(&mut waits) {
                        wakers.lock().unwrap().push(context.waker().clone());
                        return Poll::Pending;
                    }
                    note.note(name);
                    Poll::Ready(())
                }),
            );
        }
        spawn_for_nobody(&spawner, async move {
            let wakers: Vec<Waker> = mem::take(&mut *wakers.lock().unwrap());
            [1, 0, 1].into_iter().for_each(|place| wakers[place].wake_by_ref());
        });
        executor.run();
        assert_eq!(log.events(), ["b", "a"], "b was woken, then a, and b again");

        // Who wakes or spawns makes no difference.
        let log = Log::new();
        let mut senders = ["a", "b"].map(|name| {
            let (note, (sender, receiver)) = (log.clone(), oneshot());
            spawn_for_nobody(&spawner, async move {
                receiver.await;
                note.note(name);
            });
            Some(sender)
        });
        let (note, own, mut waits) = (log.clone(), spawner.clone(), true);
        spawn_for_nobody(
            &spawner,
            poll_fn(move |context| {
                if !mem::take(&mut waits) {
                    note.note("itself");
                    return Poll::Ready(());
                }
                let [a, b] = senders.each_mut().map(Option::take);
                let spawned = note.clone();
                thread::scope(|scope| {
                    start(scope, "other", || {
                        b.into_iter().for_each(|sender| sender.send(()));
                        spawn_for_nobody(&own, async move { spawned.note("spawned by a thread") });
                    });
                });
                context.waker().wake_by_ref();
                a.into_iter().for_each(|sender| sender.send(()));
                Poll::Pending
            }),
        );
        executor.run();
        let turns = ["b", "spawned by a thread", "itself", "a"];
        assert_eq!(log.events(), turns, "another thread has woken b and spawned one, then the task woke itself and a");
    });
}

#[test]
fn tasks_may_be_many() {
    // One thread alone has one schedule only.
    Check::new().threads_only().run(|| {
        // More wakes than a queue of a fixed length has room for: examples have one of 10 000. Of tasks there are fewer, since an
        // executor may look through all of them for the next one.
        const TASKS: usize = 1_001;
        const WAKES: usize = 10_001;
        let (mut executor, spawner) = executor();
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..TASKS {
            let order = Arc::clone(&order);
            spawn_for_nobody(&spawner, async move { order.lock().unwrap().push(number) });
        }
        let wakes_itself = poll_fn(|context| {
            (0..WAKES).for_each(|_| context.waker().wake_by_ref());
            Poll::Ready(())
        });
        spawn_for_nobody(&spawner, wakes_itself);
        executor.run();
        let order = order.lock().unwrap();
        let wrong = (0..TASKS).find(|&number| order.get(number) != Some(&number));
        assert_eq!(
            wrong, None,
            "{TASKS} tasks, polled in the order in which they were spawned: the first that was not"
        );
        drop(order);
        // Nor are many wakes none: as many as a byte counts, or two, and more than these have room for.
        for wakes in [1 << 8, 1 << 16, 100_001] {
            let wakes_itself = || {
                let mut waits = true;
                poll_fn(move |context| {
                    if !mem::take(&mut waits) {
                        return Poll::Ready(wakes);
                    }
                    (0..wakes).for_each(|_| context.waker().wake_by_ref());
                    Poll::Pending
                })
            };
            assert_eq!(block_on(wakes_itself()), wakes);
            let answer = spawner.spawn(wakes_itself());
            executor.run();
            assert_eq!(poll_once(answer), Poll::Ready(Some(wakes)));
        }
    });
}

#[test]
fn a_task_that_waits_holds_up_no_other() {
    check(|| {
        let (mut executor, spawner) = executor();
        let (sender, receiver) = oneshot();
        let (relay, relayed) = oneshot();
        let answer = spawner.spawn(async move { relayed.await.map(|number: u32| number + 1) });
        spawn_for_nobody(&spawner, async move { relay.send(receiver.await.unwrap_or(0)) });
        spawn_for_nobody(&spawner, async move { sender.send(41) });
        executor.run();
        assert_eq!(poll_once(answer), Poll::Ready(Some(Some(42))));
    });
}

#[test]
fn a_task_is_polled_again_only_when_it_is_woken() {
    check(|| {
        for act in [Remote::finish, Remote::finish_later] {
            let (mut executor, spawner) = executor();
            let (watched, [first, second]) = watched();
            let task = Arc::clone(&watched);
            let answer = spawner.spawn(async move { task.finished().await });
            // It is not for this one that others are woken.
            spawn_for_nobody(&spawner, takes_turns(2));
            thread::scope(|scope| {
                start(scope, "first", || first.finish());
                start(scope, "second", move || act(second));
                executor.run();
            });
            watched.was_polled_at_most(3);
            assert_eq!(poll_once(answer), Poll::Ready(Some(())), "`run` runs all tasks to their end");
        }
    });
}

#[test]
fn a_task_may_spawn_others() {
    check(|| {
        let (mut executor, spawner) = executor();
        let own = spawner.clone();
        let log = Log::new();
        let note = log.clone();
        let answer = spawner.spawn(async move {
            spawn_for_nobody(&own, async move { note.note("nobody waits for this one") });
            let parts = [1, 2].map(|number| own.spawn(ready(number)));
            let mut sum = 0;
            for part in parts {
                sum += part.await.unwrap_or(0);
            }
            sum
        });
        executor.run();
        assert!(log.happened("nobody waits for this one"), "the executor runs what is spawned meanwhile");
        assert_eq!(poll_once(answer), Poll::Ready(Some(3)));
    });
}

#[test]
fn a_task_that_panics_takes_no_other_with_it() {
    check(|| {
        let (mut executor, spawner) = executor();
        let broken = spawner.spawn(async {
            takes_turns(1).await;
            panic_on_purpose("the dish is burnt")
        });
        let broken: Receiver<()> = broken;
        let told = spawner.spawn(broken);
        let other = spawner.spawn(async {
            takes_turns(3).await;
            "served"
        });
        executor.run();
        assert_eq!(poll_once(told), Poll::Ready(Some(None)), "it panicked");
        assert_eq!(poll_once(other), Poll::Ready(Some("served")));
        // A panic may carry anything.
        let broken = spawner.spawn(async { resume_unwind(Box::new(1)) });
        let broken: Receiver<()> = broken;
        executor.run();
        assert_eq!(poll_once(broken), Poll::Ready(None), "it panicked");
        for panics in [false, true] {
            let log = Log::new();
            let mut leaves = Leaves { spawner: spawner.clone(), log: log.clone(), waker: None };
            let answer = spawner.spawn(poll_fn(move |context| {
                leaves.log.note("polled");
                leaves.waker = Some(context.waker().clone());
                if panics { panic_on_purpose("the dish is burnt") } else { Poll::Ready(()) }
            }));
            let note = log.clone();
            spawn_for_nobody(&spawner, async move {
                answer.await;
                note.note("its receiver is ready");
            });
            // Until this one ends there is always one that can go on: nobody may wait for a moment in which there is none.
            let note = log.clone();
            spawn_for_nobody(&spawner, async move {
                takes_turns(10).await;
                note.note("ten turns later");
            });
            executor.run();
            let expected = ["polled", "its receiver is ready", "spawned when it was dropped", "ten turns later"];
            assert_eq!(log.events(), expected, "what a task owns is dropped at its end");
        }
    });
}

/// What a task owns, and what spawns another one and wakes its own when it is dropped.
struct Leaves {
    spawner: Spawner,
    log: Log,
    waker: Option<Waker>,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        let log = self.log.clone();
        spawn_for_nobody(&self.spawner, async move { log.note("spawned when it was dropped") });
        self.waker.take().into_iter().for_each(Waker::wake);
    }
}

#[test]
fn a_waker_may_be_woken_when_its_task_has_ended() {
    let rows = ["a task that is ready", "a task that panics"]
        .into_iter()
        .flat_map(|task| ["in its last poll", "by what it owns"].map(|woken| format!("{task}, woken {woken}")));
    Check::new().each(rows, |row| {
        let (panics, wakes_when_dropped) = (row.contains("panics"), row.ends_with("owns"));
        let (mut executor, spawner) = executor();
        let kept = Arc::new(Mutex::new(None));
        let owned = Arc::new("what the task owns");
        let ends = |kept: &Arc<Mutex<Option<Waker>>>| {
            let (keeps, mut owns) = (Arc::clone(kept), WakesWhenDropped { waker: None, _owned: Arc::clone(&owned) });
            poll_fn(move |context| {
                let again = keeps.lock().unwrap().replace(context.waker().clone()).is_some();
                assert!(!again, "a task that has ended is polled again");
                // Woken before the end, or at the end, and after it.
                if wakes_when_dropped {
                    owns.wakes(context.waker());
                } else {
                    context.waker().wake_by_ref();
                }
                if panics { panic_on_purpose("the dish is burnt") } else { Poll::Ready(()) }
            })
        };
        let answer = spawner.spawn(ends(&kept));
        let (late, own) = (Arc::clone(&kept), spawner.clone());
        let polls = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&polls);
        let other = spawner.spawn(async move {
            late.lock().unwrap().as_ref().inspect(|waker| waker.wake_by_ref());
            // One that comes while the wakes of the old one still stand in the line.
            let (sender, receiver) = oneshot();
            let mut receiver = Box::pin(receiver);
            let waits = poll_fn(move |context| {
                counts.fetch_add(1, Ordering::Relaxed);
                receiver.as_mut().poll(context)
            });
            spawn_for_nobody(&own, waits);
            takes_turns(2).await;
            sender.send(());
            "served"
        });
        executor.run();
        assert_eq!(poll_once(other), Poll::Ready(Some("served")));
        assert_eq!(polls.load(Ordering::Relaxed), 2, "polls of a new task: once, and when it was woken itself");
        assert_eq!(Arc::strong_count(&owned), 1, "the task has ended, and so its future is dropped");
        let expected = if panics { None } else { Some(()) };
        assert_eq!(poll_once(answer), Poll::Ready(expected), "the task has ended, and only its waker is kept");
        // It is not for those that came later that the old one is woken.
        const LATER: usize = 3;
        let polls = Arc::new(AtomicUsize::new(0));
        let senders = [(); LATER].map(|()| {
            let (polls, late, (sender, receiver)) = (Arc::clone(&polls), Arc::clone(&kept), oneshot());
            let mut receiver = Box::pin(receiver);
            let waits = poll_fn(move |context| {
                polls.fetch_add(1, Ordering::Relaxed);
                late.lock().unwrap().as_ref().inspect(|waker| waker.wake_by_ref());
                receiver.as_mut().poll(context)
            });
            spawn_for_nobody(&spawner, waits);
            sender
        });
        spawn_for_nobody(&spawner, async move {
            takes_turns(LATER).await;
            senders.into_iter().for_each(|sender| sender.send(()));
        });
        executor.run();
        let polls = polls.load(Ordering::Relaxed);
        assert_eq!(polls, 2 * LATER, "polls of {LATER} tasks: of each once, and when it was woken itself");
        let waker: Waker = kept.lock().unwrap().clone().unwrap();
        waker.wake();
        let later = spawner.spawn(async { "served later" });
        executor.run();
        assert_eq!(poll_once(later), Poll::Ready(Some("served later")));
        // Its receiver goes before the value comes, or afterwards.
        for early in [true, false] {
            let (value, keeps) = (Arc::new("what the task gives"), Arc::clone(&kept));
            let gives = Arc::clone(&value);
            let mut answer = Some(spawner.spawn(poll_fn(move |context| {
                keeps.lock().unwrap().replace(context.waker().clone());
                Poll::Ready(Arc::clone(&gives))
            })));
            drop(answer.take_if(|_| early));
            executor.run();
            drop(answer);
            assert_eq!(Arc::strong_count(&value), 1, "nobody receives the value, so it is dropped");
        }
        let waker: Waker = kept.lock().unwrap().take().unwrap();
        drop((executor, spawner));
        waker.wake();
        // Nor is a wake that is for nothing taken for that of another task: `run` waits for it.
        let (mut executor, spawner) = coroutine::executor();
        spawn_for_nobody(&spawner, ends(&Arc::default()));
        let (watched, [remote]) = watched();
        let waits = spawner.spawn(async move { watched.finished().await });
        thread::scope(|scope| {
            start(scope, "remote", || remote.finish());
            executor.run();
        });
        assert_eq!(poll_once(waits), Poll::Ready(Some(())), "`run` runs all tasks to their end");
    });
}

/// What a task owns, and what wakes it when it is dropped.
struct WakesWhenDropped<T> {
    waker: Option<Waker>,
    _owned: T,
}

impl<T> WakesWhenDropped<T> {
    fn wakes(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }
}

impl<T> Drop for WakesWhenDropped<T> {
    fn drop(&mut self) {
        self.waker.take().into_iter().for_each(Waker::wake);
    }
}

#[test]
#[ignore = "needs schedules: cargo xtask check coroutine every_small_program_of_calls_keeps_the_contract"]
fn every_small_program_of_calls_keeps_the_contract() {
    every_small_program(contract::CoroutineContract);
}

// ----------------------------------------------------------------------------------------------------------- tools

/// Polls a future once.
fn poll<T>(receiver: &mut Pin<Box<impl Future<Output = Option<T>> + ?Sized>>, waker: &Waker) -> Poll<Option<T>> {
    receiver.as_mut().poll(&mut Context::from_waker(waker))
}

/// A task whose answer nobody awaits.
fn spawn_for_nobody<T: Send + 'static>(spawner: &Spawner, future: impl Future<Output = T> + Send + 'static) {
    let _dropped_here = spawner.spawn(future);
}

/// What a task has given, if it has ended.
fn poll_once<T>(answer: Receiver<T>) -> Poll<Option<T>> {
    poll(&mut Box::pin(answer), Waker::noop())
}

/// A waker that counts.
#[derive(Default)]
struct Bell(Arc<Rings>);

#[derive(Default)]
struct Rings(AtomicUsize);

impl Bell {
    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    fn count(&self) -> usize {
        self.0.0.load(Ordering::Relaxed)
    }
}

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives the turn to others so many times: it wakes itself while it is polled.
async fn takes_turns(times: usize) {
    for _ in 0..times {
        let mut given = false;
        poll_fn(|context| {
            if mem::replace(&mut given, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Something that other threads finish, each its part of it. It counts how often it was asked.
struct Watched {
    polls: AtomicUsize,
    parts: Vec<(AtomicBool, mpsc::Sender<Waker>)>,
}

/// Finishes a part of it.
struct Remote {
    watched: Arc<Watched>,
    part: usize,
    waker: mpsc::Receiver<Waker>,
}

fn watched<const PARTS: usize>() -> (Arc<Watched>, [Remote; PARTS]) {
    let channels = [(); PARTS].map(|()| mpsc::channel());
    let parts = channels.iter().map(|(sender, _)| (AtomicBool::new(false), sender.clone())).collect();
    let watched = Arc::new(Watched { polls: AtomicUsize::new(0), parts });
    let mut part = 0;
    let remotes = channels.map(|(_, waker)| {
        part += 1;
        Remote { watched: Arc::clone(&watched), part: part - 1, waker }
    });
    (watched, remotes)
}

impl Watched {
    /// The first poll is pending, whoever is faster: it looks before it gives its waker away. The flags are `Relaxed`, so a later
    /// one sees them only if the wake brings them along.
    fn finished(&self) -> impl Future<Output = ()> {
        poll_fn(|context| {
            let finished = self.parts.iter().all(|(finished, _)| finished.load(Ordering::Relaxed));
            if self.polls.fetch_add(1, Ordering::Relaxed) == 0 {
                for (_, remote) in &self.parts {
                    let _ = remote.send(context.waker().clone());
                }
            }
            if finished { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// Once at first, and once more for each wake; but several wakes may count as one.
    #[track_caller]
    fn was_polled_at_most(&self, times: usize) {
        let polls = self.polls.load(Ordering::Relaxed);
        assert!(polls <= times, "polled {polls} times, and not {times} at most: once, and for each wake");
    }
}

impl Remote {
    /// The first one wakes by reference: another call of a waker, which is to do the same.
    fn finish(self) {
        let waker = self.waker.recv().expect("it is polled at least once");
        self.watched.parts[self.part].0.store(true, Ordering::Relaxed);
        if self.part == 0 { waker.wake_by_ref() } else { waker.wake() }
    }

    /// When everybody has waited for a while.
    fn finish_later(self) {
        a_while_passes();
        self.finish();
    }
}
