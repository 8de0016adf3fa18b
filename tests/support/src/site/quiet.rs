//! When nobody is on the way any more: a fact about the process, not a matter of time.
//!
//! A request that some code of this process is about to send is a thread that runs or is ready to. While all threads are asleep,
//! and none has run between several looks at them, nothing more will come before the site answers. A loaded machine makes threads
//! wait for a processor, but a thread that waits for one does not count as asleep. A thread that pauses by the clock does: a client
//! that means to ask again in a while is not on the way.

use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::tasks::{State, Task, family, is_on_its_way, own_id};
use crate::threads::harness;

/// The names of the threads that look. One that looks now and then is not on the way anywhere.
pub(super) const LOOKERS: [&str; 2] = ["site-quiet", "site-meeting"];
/// Long enough for the kernel to deliver what was sent on the loopback interface.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// So many looks in a row that show the same picture: nobody is on the way. Together they are longer than the 40 ms for which a system
/// keeps an acknowledgement back: a client that writes in small pieces may wait for it with the next one (Nagle's algorithm), and
/// nobody moves meanwhile.
const QUIET: u32 = 6;
/// So many of them: whatever short timeout was running, it has run out.
const LONG_QUIET: u32 = 30;

/// Returns once no thread of this process is on the way. Does not block the calling task's thread.
pub(super) async fn quiet() {
    quiet_for(QUIET).await;
}

/// Returns once nothing in this process has moved for about a third of a second.
pub(super) async fn long_quiet() {
    quiet_for(LONG_QUIET).await;
}

async fn quiet_for(looks: u32) {
    let (sender, signal) = oneshot::channel();
    let look = move || {
        wait_until_quiet(looks, || sender.is_closed());
        // Whoever waited may have gone meanwhile.
        let _ = sender.send(());
    };
    thread::Builder::new().name(LOOKERS[0].to_owned()).spawn(look).expect("the system has room for one more thread");
    let _ = signal.await;
}

/// Blocks until no other thread of this process is on the way.
pub(super) fn block_until_quiet() {
    wait_until_quiet(QUIET, || false);
}

/// Blocks until so many looks have shown the same picture, or nobody wants to know any more.
///
/// Systems other than Linux don't tell what threads do. There it is a guess: that nobody is later than so many looks.
fn wait_until_quiet(looks: u32, given_up: impl Fn() -> bool) {
    let mut last = on_the_way();
    let mut same = 0;
    while same < looks && !given_up() {
        thread::sleep(BETWEEN_LOOKS);
        let sent = is_on_its_way();
        let now = on_the_way();
        let asleep = now.iter().all(|task| task.state != State::Running);
        same = if asleep && now == last && !sent { same + 1 } else { 0 };
        last = now;
    }
}

/// The threads that might be about to ask for a page.
fn on_the_way() -> Vec<Task> {
    let mut tasks = family().unwrap_or_default();
    let (own, harness) = (own_id(), harness());
    tasks.retain(|task| !LOOKERS.contains(&task.name.as_str()) && Some(task.id) != own && !harness.contains(&task.id));
    tasks
}
