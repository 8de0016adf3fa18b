//! A kitchen with a cook for each dish: every cook is a thread.
//!
//! A thread is a function call that nobody waits for. That raises three questions, and the functions below differ in how
//! they answer them:
//!
//! - **What may the thread use?** The caller may be gone before the thread is done. So a thread either owns what it uses
//!   ([`start`]), or there is a place where the caller provably waits for it ([`cook_all`]).
//! - **Who gets what it returns?** Whoever joins it. There is one [`JoinHandle`] for each thread, and joining uses it up.
//! - **And if it panics?** Then only this thread ends. Whoever joins it is told, and decides what it means for the rest.

use std::thread::{self, JoinHandle};

/// Starts a thread that calls `cook` with the dish, and goes on at once. `join` gives what `cook` returned or panicked with.
pub fn start<T: Send + 'static>(dish: String, cook: impl FnOnce(&str) -> T + Send + 'static) -> JoinHandle<T> {
    // The closure is not called here. It is a value, handed over to the new thread, and that one calls it.
    //
    // A closure borrows what it only reads, and `dish` is only read. But `dish` is a local variable of this function, which
    // returns long before the soup is done. `move` makes the closure own what it uses, and the thread owns the closure.
    thread::spawn(move || cook(&dish))
}

/// Like [`start`], but the thread has a name.
///
/// # Panics
/// If the system has no room for one more thread, as [`start`] does.
pub fn start_named<T: Send + 'static>(
    name: &str,
    dish: String,
    cook: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    // `thread::spawn` is `Builder::new().spawn(…)` with this `expect`. The builder lets you give a name and a stack size
    // first, and lets you say what happens if the system refuses one more thread.
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || cook(&dish));
    thread.expect("the system has room for one more thread")
}

/// Waits until every one of these cooks has ended, even if some of them panic.
///
/// Then gives all plates, in the order of the cooks. If some cooks have panicked, gives what one of them panicked with.
pub fn wait_for_all<T>(cooks: Vec<JoinHandle<T>>) -> thread::Result<Vec<T>> {
    // Two steps, and the line between them matters. Collecting into a `Result` stops at the first `Err`. Done in one step,
    // the handles behind it would be dropped without a `join`: nobody would wait for those cooks any more, and the end of
    // `main` would end them with a pan in their hands. So first join them all, then look at what came of it.
    let ended: Vec<thread::Result<T>> = cooks.into_iter().map(JoinHandle::join).collect();
    ended.into_iter().collect()
}

/// Calls `cook` once for every dish, each in a thread of its own, all at the same time. Returns when all have ended.
///
/// Gives for each dish what `join` gives, in the order of the dishes: the plate, or what its cook panicked with.
pub fn cook_all<T: Send>(dishes: &[&str], cook: impl Fn(&str) -> T + Sync) -> Vec<thread::Result<T>> {
    // All threads use the same `cook`. A closure with `move` would take it away from the others, but a reference can be
    // copied into each of them. That several threads may use it at the same time is what `Sync` promises.
    let cook = &cook;
    // `scope` does not return before all its threads have ended. So they may borrow what lives longer than the scope, and
    // `'static` isn't asked for.
    thread::scope(|scope| {
        // The first `collect` is what makes them overlap. Iterators are lazy: without it, `map` would start a thread, and
        // `join` would wait for it, before the next one is started.
        let cooks: Vec<_> = dishes.iter().map(|&dish| scope.spawn(move || cook(dish))).collect();
        // A `join` for every thread, and no `unwrap`: a panic becomes one of the results. If a panicking thread is not
        // joined, the scope itself panics at its end, and takes everything along after all.
        cooks.into_iter().map(|cook| cook.join()).collect()
    })
}
