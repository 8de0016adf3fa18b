//! Waiting exactly. tokio counts in whole milliseconds and rounds up, which at a latency of 20 ms is an error of up to 10 %, and
//! would be taken for the client's. The kernel's own timers are exact to some tens of microseconds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

/// A thread that wakes tasks at the moment that each has asked for. Clones are the same alarm.
#[derive(Clone)]
pub(super) struct Alarm(Arc<Bell>);

#[derive(Default)]
struct Bell {
    calls: Mutex<BinaryHeap<Call>>,
    /// There is a call that is due before all others.
    earlier: Condvar,
}

struct Call {
    due: Reverse<Instant>,
    sleeper: oneshot::Sender<()>,
}

impl Alarm {
    /// Starts the thread, which is there until the process ends.
    pub(super) fn start() -> Alarm {
        let bell = Arc::<Bell>::default();
        let own = Arc::clone(&bell);
        let ring = move || own.ring();
        thread::Builder::new()
            .name("load-alarm".to_owned())
            .spawn(ring)
            .expect("the system has room for one more thread");
        Alarm(bell)
    }

    /// Returns at that moment, or as soon after it as the machine can.
    pub(super) async fn until(&self, due: Instant) {
        let (sleeper, awake) = oneshot::channel();
        self.0.expect(Call { due: Reverse(due), sleeper });
        let _ = awake.await;
    }
}

impl Bell {
    fn expect(&self, call: Call) {
        let mut calls = self.lock();
        let is_first = calls.peek().is_none_or(|first| call.due.0 < first.due.0);
        calls.push(call);
        if is_first {
            self.earlier.notify_one();
        }
    }

    fn ring(&self) {
        let mut calls = self.lock();
        loop {
            let now = Instant::now();
            calls = match calls.peek().map(|first| first.due.0) {
                None => self.earlier.wait(calls).unwrap_or_else(PoisonError::into_inner),
                Some(due) if due > now => {
                    self.earlier.wait_timeout(calls, due - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    // A client may have hung up meanwhile, and then nobody sleeps there.
                    let _ = calls.pop().map(|call| call.sleeper.send(()));
                    calls
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ord for Call {
    fn cmp(&self, other: &Call) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Call) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        self.due == other.due
    }
}

impl Eq for Call {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nobody_is_woken_too_soon() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let alarm = Alarm::start();
            let now = Instant::now();
            let mut sleepers = tokio::task::JoinSet::new();
            for milliseconds in [9, 3, 6] {
                let alarm = alarm.clone();
                sleepers.spawn(async move {
                    let due = now + Duration::from_millis(milliseconds);
                    alarm.until(due).await;
                    assert!(Instant::now() >= due, "too soon");
                    milliseconds
                });
            }
            let mut woken = sleepers.join_all().await;
            woken.sort_unstable();
            assert_eq!(woken, [3, 6, 9]);
        });
    }
}
