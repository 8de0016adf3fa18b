//! Limits of real time, judged without relying on how fast the machine is.

use std::time::Duration;

/// The limits that are tried, in milliseconds. None is so long that the test seems to stand still.
#[cfg(not(feature = "explore"))]
const LIMITS: [u64; 7] = [20, 40, 80, 160, 320, 320, 320];

/// Whether `wait` keeps to its limit: never less, and not twice as much.
///
/// Less is wrong whenever it happens. More may be the machine's fault, so longer limits are tried: who waits twice as long as he
/// should does so every time, and no machine is busy enough for that. So who keeps to his limit is asked once, nearly always.
///
/// # Panics
/// As a failed assertion of the caller's, if the limit is not kept. In explored builds always: time is virtual there.
#[track_caller]
pub fn keeps_to_limit(mut wait: impl FnMut(Duration)) {
    #[cfg(feature = "explore")]
    panic!("keeps_to_limit is for real time, {:?} of it: run this body on threads", wait(Duration::ZERO));
    #[cfg(not(feature = "explore"))]
    {
        let mut took = LIMITS.map(|_| Duration::ZERO);
        for (limit, took) in LIMITS.map(Duration::from_millis).into_iter().zip(&mut took) {
            let start = std::time::Instant::now();
            wait(limit);
            *took = start.elapsed();
            assert!(*took >= limit, "with a limit of {limit:?} it waited for {took:?} only");
            if *took < 2 * limit {
                return;
            }
        }
        let (limit, took) = (LIMITS[LIMITS.len() - 1], took[LIMITS.len() - 1].as_millis());
        panic!(
            "it never keeps to its limit: with one of {limit} ms it waited for {took} ms, and much the same every time"
        );
    }
}

/// What is done at once takes less, on any machine, at least once in so many tries.
#[cfg(not(feature = "explore"))]
const AT_ONCE: Duration = Duration::from_millis(900);
#[cfg(not(feature = "explore"))]
const TRIES: usize = 5;

/// Whether `act` is done at once with what `ready` gives it, though there is a long limit: who sleeps meanwhile does so in every
/// one of a few tries. On a machine that stands still for seconds only so many tries find one that is quick.
///
/// # Panics
/// As a failed assertion of the caller's, if each time it took 0.9 seconds or more. In explored builds always.
#[track_caller]
pub fn is_done_at_once<T>(mut ready: impl FnMut() -> T, mut act: impl FnMut(T)) {
    #[cfg(feature = "explore")]
    panic!("is_done_at_once is for real time, {:?} of it: run this body on threads", act(ready()));
    #[cfg(not(feature = "explore"))]
    {
        let mut tries = (0..TRIES).map(|_| {
            let with = ready();
            let start = std::time::Instant::now();
            act(with);
            start.elapsed()
        });
        assert!(
            tries.any(|took| took < AT_ONCE),
            "each of {TRIES} times it took 0.9 seconds or more, with nothing to wait for"
        );
    }
}
