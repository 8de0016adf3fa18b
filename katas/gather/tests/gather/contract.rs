//! The contract as a program: what may come of a call, and when? All small lists of futures are tried against it.
//!
//! A future here is a delivery. It takes some seconds, or for ever, and then it arrives, fails or panics.

use std::collections::BTreeSet;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use kata::inputs::counted;
use kata::{EXPLORED, Peak, boxed, panic_on_purpose};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, sleep, timeout};

use gather::{first, gather, gather_bounded, gather_contained, gather_within, try_gather};

/// All times here are whole seconds.
pub(crate) type Seconds = u64;
/// Nine years: longer than the limits that people take for no limit.
pub(crate) const LONG: Seconds = 300_000_000;
/// Longer than any test.
const NEVER: Seconds = 3 * LONG;
/// A limit that is as good as none, and not the greatest. Counted in less than seconds, every smaller type of numbers would leave
/// nothing of it, and no clock shows when it is over.
pub(crate) const FAR: Seconds = 1 << 63;
/// The limit that is none.
pub(crate) const ENDLESS: Seconds = Seconds::MAX;

pub(crate) type Output = Result<usize, usize>;
pub(crate) type Work = Pin<Box<dyn Future<Output = Output> + Send>>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Call {
    Gather,
    Contained,
    Try,
    First,
    Within(Seconds),
    Bounded(usize, Seconds),
}

/// How a delivery ends, if it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Arrives,
    Fails,
    Panics,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Delivery {
    end: End,
    after: Seconds,
}

/// A call with a list of deliveries.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    call: Call,
    deliveries: Vec<Delivery>,
    /// When the caller loses interest, and drops the call's future.
    dropped_after: Option<Seconds>,
}

/// What is seen of a call: what came of it, and when.
type Seen = (Seconds, String);

impl Call {
    /// Makes the call. What comes of it is told as text, so that all are of one type.
    pub(crate) async fn perform(self, futures: Vec<Work>) -> String {
        match self {
            Call::Gather => told(gather(futures).await),
            Call::Contained => told(gather_contained(futures).await),
            Call::Try => told(try_gather(futures).await),
            Call::First => told(first(futures).await),
            Call::Within(limit) => told(gather_within(futures, duration(limit)).await),
            Call::Bounded(at_once, limit) => told(gather_bounded(futures, at_once, duration(limit)).await),
        }
    }
}

fn told(value: impl fmt::Debug) -> String {
    format!("{value:?}")
}

fn duration(seconds: Seconds) -> Duration {
    match seconds {
        ENDLESS => Duration::MAX,
        FAR => Duration::from_secs(FAR),
        // A little more than a second, so that who looks every millisecond whether there is news comes too late.
        _ => Duration::from_secs(seconds) + Duration::from_nanos(seconds),
    }
}

impl Delivery {
    /// The delivery as a future. It is counted while it is under way, if that is asked for.
    fn start(self, place: usize, mark: Mark, inside: Option<Peak>) -> Work {
        Box::pin(async move {
            if inside.is_some() {
                mark.0.0.lock().unwrap().begun = Some(Instant::now());
            }
            let _mark = mark;
            let _inside = inside.as_ref().map(Peak::enter);
            if self.after > 0 {
                sleep(duration(self.after)).await;
            }
            match self.end {
                End::Arrives => Ok(place),
                End::Fails => Err(place),
                End::Panics => panic_on_purpose(DROPPED),
            }
        })
    }

    /// What it gives in this place.
    fn output(self, place: usize) -> Output {
        if self.end == End::Arrives { Ok(place) } else { Err(place) }
    }
}

/// What is seen of a future. Each has one of its own, so that futures don't meet there: that would be more schedules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail(Arc<Mutex<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    begun: Option<Instant>,
    is_there: bool,
}

impl Trail {
    /// The future is there until this is dropped.
    pub(crate) fn of_future(&self) -> Mark {
        self.0.lock().unwrap().is_there = true;
        Mark(self.clone())
    }

    pub(crate) fn is_there(&self) -> bool {
        self.0.lock().unwrap().is_there
    }

    /// When the future was polled first.
    fn begun(&self) -> Option<Instant> {
        self.0.lock().unwrap().begun
    }
}

#[derive(Debug)]
pub(crate) struct Mark(Trail);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().is_there = false;
    }
}

const DROPPED: &str = "a parcel was dropped";

/// Runs a body on a runtime with one thread. Its time passes when nobody can go on: on schedules anyway, and on threads since its
/// clock is paused.
pub(crate) fn on_one_thread<T>(body: impl Future<Output = T>) -> T {
    one_thread().block_on(boxed(body))
}

/// Such a runtime.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// What the future gives, or what it panics with.
pub(crate) async fn unwound<T>(future: impl Future<Output = T>) -> thread::Result<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(payload) => Poll::Ready(Err(payload)),
    })
    .await
}

/// What the future gives, or that it panics, in words.
pub(crate) async fn caught(future: impl Future<Output = String>) -> String {
    unwound(future).await.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        panicked(text.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text"))
    })
}

fn panicked(message: &str) -> String {
    format!("a panic with: {message}")
}

/// Makes the call of this case, and judges it.
pub(crate) fn keeps_the_contract(case: &Case) {
    on_one_thread(async {
        let trails: Vec<Trail> = case.deliveries.iter().map(|_| Trail::default()).collect();
        let at_most = if let Call::Bounded(at_once, _) = case.call { Some((at_once, Peak::new())) } else { None };
        let inside = || at_most.as_ref().map(|(_, inside)| inside.clone());
        let future = |(place, delivery): (usize, &Delivery)| delivery.start(place, trails[place].of_future(), inside());
        let futures: Vec<Work> = case.deliveries.iter().enumerate().map(future).collect();
        let there = || trails.iter().filter(|trail| trail.is_there()).count();
        let begun = Instant::now();
        let patience = case.dropped_after.unwrap_or(NEVER / 2);
        let seen = timeout(duration(patience), caught(case.call.perform(futures))).await;
        let took = begun.elapsed();
        // Those that have not begun come last.
        let mut order: Vec<usize> = (0..trails.len()).collect();
        order.sort_by_cached_key(|place| trails[*place].begun().map_or((true, begun), |begun| (false, begun)));
        let allowed = case.allowed(&order);
        // On threads, the clock of tokio has steps of a millisecond.
        let slack = if EXPLORED { Duration::ZERO } else { Duration::from_millis(10) };
        let is_then = |when: Seconds| took >= duration(when) && took <= duration(when) + slack;
        match seen {
            Ok(seen) => {
                let fits = allowed.iter().any(|(when, what)| *what == seen && is_then(*when));
                assert!(fits, "after {took:?}: {}; allowed: {}", brief(&seen), rows(&allowed));
                assert_eq!(there(), 0, "futures that are still there when the call has returned");
                nothing_runs_on().await;
            }
            Err(_) => {
                let late = allowed.iter().any(|(when, _)| *when >= patience);
                assert!(late, "nothing after {took:?}; allowed: {}", rows(&allowed));
                nothing_runs_on().await;
                assert_eq!(there(), 0, "futures that are still there after the call was dropped");
            }
        }
        if let Some((at_once, inside)) = at_most {
            assert!(inside.highest() <= at_once, "{} under way at the same time", inside.highest());
        }
    });
}

/// Also a task without one of the futures has to end, such as one that looks after a limit.
async fn nothing_runs_on() {
    // Those that are only cancelled now have an end, too.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "tasks of the call that run on after it");
}

/// What is allowed, in words.
fn rows(allowed: &BTreeSet<Seen>) -> String {
    let rows: Vec<String> = allowed.iter().map(|(when, what)| format!("after {when} s: {}", brief(what))).collect();
    rows.join(", or ")
}

/// What a long list gives is too long to be read.
fn brief(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Case {
    /// What may come of it, and when, if the futures begin in this order. What is left open, or luck, has several rows.
    fn allowed(&self, order: &[usize]) -> BTreeSet<Seen> {
        match self.call {
            Call::Bounded(at_once, limit) => self.in_places(order, at_once, limit),
            Call::Within(limit) => {
                let starts = vec![0; self.deliveries.len()];
                self.all(&starts, NEVER, limit)
            }
            Call::Gather | Call::Contained => self.all(&vec![0; self.deliveries.len()], NEVER, NEVER),
            Call::Try => match self.earliest(|delivery| delivery.end != End::Arrives) {
                None => {
                    let outputs: Vec<usize> = (0..self.deliveries.len()).collect();
                    BTreeSet::from([(self.last(), told(Ok::<_, usize>(outputs)))])
                }
                Some((when, places)) => {
                    places.iter().map(|&place| (when, self.ended(place, told(Err::<Vec<usize>, _>(place))))).collect()
                }
            },
            Call::First => match self.earliest(|_| true) {
                None => BTreeSet::from([(0, told(None::<Output>))]),
                Some((when, places)) => {
                    let output = |place: usize| told(Some(self.deliveries[place].output(place)));
                    places.iter().map(|&place| (when, self.ended(place, output(place)))).collect()
                }
            },
        }
    }

    /// How a call ends that ends with this delivery.
    fn ended(&self, place: usize, output: String) -> String {
        if self.deliveries[place].end == End::Panics { panicked(DROPPED) } else { output }
    }

    /// When the last has ended.
    fn last(&self) -> Seconds {
        self.deliveries.iter().map(|delivery| delivery.after).max().unwrap_or(0)
    }

    /// The first of these, and when.
    fn earliest(&self, counts: impl Fn(Delivery) -> bool) -> Option<(Seconds, Vec<usize>)> {
        let places = || (0..self.deliveries.len()).filter(|&place| counts(self.deliveries[place]));
        let when = places().map(|place| self.deliveries[place].after).min()?;
        Some((when, places().filter(|&place| self.deliveries[place].after == when).collect()))
    }

    /// All deliveries, where they start in this order, each as soon as there is a place.
    fn in_places(&self, order: &[usize], at_once: usize, limit: Seconds) -> BTreeSet<Seen> {
        let mut free = vec![0; at_once];
        let mut starts = vec![0; order.len()];
        for &place in order {
            free.sort_unstable();
            starts[place] = free[0];
            free[0] += self.deliveries[place].after.min(limit);
        }
        self.all(&starts, limit, NEVER)
    }

    /// All outputs, where each delivery starts at its time, has a limit of its own, and all have one together.
    fn all(&self, starts: &[Seconds], limit_of_each: Seconds, limit_of_all: Seconds) -> BTreeSet<Seen> {
        // What ends exactly with a limit may be on either side of it.
        let end = |place: usize| starts[place] + self.deliveries[place].after;
        let is_late = |place: usize| {
            let exactly = self.deliveries[place].after == limit_of_each || end(place) == limit_of_all;
            let late = self.deliveries[place].after > limit_of_each || end(place) > limit_of_all;
            (exactly || late, !late)
        };
        let places = || 0..self.deliveries.len();
        let panic = places().filter(|&place| self.deliveries[place].end == End::Panics && is_late(place).1);
        if let Some(when) = panic.map(end).min().filter(|_| self.call != Call::Contained) {
            return BTreeSet::from([(when, panicked(DROPPED))]);
        }
        let over = |place: usize| (starts[place] + self.deliveries[place].after.min(limit_of_each)).min(limit_of_all);
        let when = places().map(over).max().unwrap_or(0);
        let mut rows: Vec<Vec<Option<usize>>> = vec![Vec::new()];
        for place in places() {
            let (may_be_late, may_be_in_time) = is_late(place);
            let choices = [may_be_in_time.then_some(Some(place)), may_be_late.then_some(None)];
            rows = rows
                .iter()
                .flat_map(|row| choices.iter().flatten().map(|choice| [&row[..], &[*choice]].concat()))
                .collect();
        }
        rows.into_iter().map(|row| (when, self.row(&row))).collect()
    }

    /// The outputs of these, as the call gives them.
    fn row(&self, row: &[Option<usize>]) -> String {
        let outputs = row.iter().map(|place| place.map(|place| self.deliveries[place].output(place)));
        match self.call {
            Call::Gather => told(outputs.flatten().collect::<Vec<Output>>()),
            Call::Contained => {
                let contain = |(place, delivery): (usize, &Delivery)| match delivery.end {
                    End::Panics => Err(gather::Panicked(DROPPED.to_owned())),
                    _ => Ok(delivery.output(place)),
                };
                told(self.deliveries.iter().enumerate().map(contain).collect::<Vec<_>>())
            }
            _ => told(outputs.collect::<Vec<_>>()),
        }
    }

    /// Whether it shows what no other case does.
    fn is_new(&self) -> bool {
        let soonest = self.deliveries.iter().map(|delivery| delivery.after).min();
        let is_dropped = self.dropped_after.is_some();
        let panics = self.deliveries.iter().any(|delivery| delivery.end == End::Panics);
        let has_to_wait = match (self.call, self.deliveries.len()) {
            (Call::Bounded(_, 0) | Call::Bounded(_, FAR) | Call::Within(FAR), count) => count <= 1,
            // Where several are under way, each has a limit of its own, and so has who comes after one of them.
            (Call::Bounded(2.., limit), count) if limit != ENDLESS => count == 3 && soonest == Some(2) && !is_dropped,
            (Call::Bounded(at_once, limit), 0..=2) => at_once == 1 && (!is_dropped || limit == ENDLESS && !panics),
            (Call::Bounded(at_once, limit), _) => {
                limit == ENDLESS && !is_dropped && soonest == Some(1) && at_once == if panics { 1 } else { 2 }
            }
            (call, count) => count <= 2 || call == Call::Gather && !panics && soonest == Some(1),
        };
        // To all calls but one, an error is an output. Two that both take long show no more than one.
        let is_plain = self.deliveries.iter().all(|delivery| delivery.end != End::Fails);
        let is_short = self.deliveries.len() != 2 || soonest <= Some(1);
        // One that nobody drops must have an end, and one that is dropped must have none by then.
        let order: Vec<usize> = (0..self.deliveries.len()).collect();
        let ends = self.allowed(&order).iter().map(|(when, _)| *when).max().unwrap_or(NEVER);
        let in_time = self.dropped_after.map_or(ends < NEVER, |dropped| ends >= dropped);
        (is_plain || self.call == Call::Try) && has_to_wait && is_short && in_time
    }

    /// Whether the contract says what comes of it.
    fn is_clear(&self) -> bool {
        let panics: Vec<Seconds> = self
            .deliveries
            .iter()
            .filter(|delivery| delivery.end == End::Panics)
            .map(|delivery| delivery.after)
            .collect();
        let limit = match self.call {
            Call::Within(limit) | Call::Bounded(_, limit) => limit,
            _ => ENDLESS,
        };
        match panics[..] {
            [] => true,
            // A panic that nobody looks at any more, or that may come or not, is no test of the contract.
            [when] => {
                let alone = self.deliveries.iter().filter(|delivery| delivery.after == when).count() == 1;
                alone && when != limit && (self.dropped_after.is_none() || self.call != Call::Contained)
            }
            _ => false,
        }
    }
}

/// The cases for these calls: lists of up to two futures, and of three where that shows more.
pub(crate) fn cases(calls: &[Call]) -> Vec<Case> {
    use End::{Arrives, Fails, Panics};
    let delivery = |(end, after)| Delivery { end, after };
    let one = [(Arrives, 0), (Arrives, 1), (Arrives, 4), (Arrives, NEVER), (Fails, 1), (Panics, 1), (Panics, 4)]
        .map(delivery);
    let pairs =
        one.iter().enumerate().flat_map(|(last, second)| one[..=last].iter().map(|first| vec![*first, *second]));
    let mut lists: Vec<Vec<Delivery>> = vec![Vec::new()];
    lists.extend(one.map(|one| vec![one]));
    lists.push(vec![delivery((Arrives, LONG))]);
    lists.extend(pairs);
    // Not in the order of their ends.
    let others: [&[(End, Seconds)]; 5] = [
        &[(Arrives, 4), (Arrives, 1)],
        &[(Arrives, 4), (Arrives, 1), (Arrives, 2)],
        &[(Arrives, 1), (Arrives, 4), (Arrives, 2)],
        &[(Arrives, 2), (Arrives, LONG), (Arrives, 3)],
        &[(Panics, 1), (Arrives, 4), (Arrives, 4)],
    ];
    lists.extend(others.map(|list| list.iter().copied().map(delivery).collect()));
    let case = |deliveries: &Vec<Delivery>| {
        let with = |call: Call, dropped_after| Case { call, deliveries: deliveries.clone(), dropped_after };
        calls.iter().flat_map(|call| [None, Some(3)].map(|dropped| with(*call, dropped))).collect::<Vec<Case>>()
    };
    let mut cases: Vec<Case> = lists.iter().flat_map(case).collect();
    cases.retain(|case| case.is_clear() && case.is_new());
    cases
}

/// The same calls with more futures than a byte counts. They end in the order from last to first, a second after each other. Only
/// the last one takes the longest: it would come late if it had to wait for a place.
pub(crate) fn long_cases(calls: &[Call]) -> Vec<Case> {
    let deliveries: Vec<_> = (1..300).rev().chain([300]).map(|after| Delivery { end: End::Arrives, after }).collect();
    calls.iter().map(|call| Case { call: *call, deliveries: deliveries.clone(), dropped_after: None }).collect()
}

fn limit_in_words(limit: Seconds) -> String {
    if limit == ENDLESS { "no limit".to_owned() } else { format!("{limit} s") }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Gather => f.write_str("gather"),
            Call::Contained => f.write_str("gather_contained"),
            Call::Try => f.write_str("try_gather"),
            Call::First => f.write_str("first"),
            Call::Within(limit) => write!(f, "gather_within({})", limit_in_words(*limit)),
            Call::Bounded(at_once, limit) => {
                write!(f, "gather_bounded({at_once} at once, {})", limit_in_words(*limit))
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.call, counted(self.deliveries.len(), "future"))?;
        let told: Vec<String> = self.deliveries.iter().take(3).map(Delivery::to_string).collect();
        if !told.is_empty() {
            write!(f, " ({}{})", told.join("; "), if self.deliveries.len() > 3 { "; …" } else { "" })?;
        }
        match self.dropped_after {
            Some(after) => write!(f, ", dropped after {after} s"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            End::Arrives => "an output",
            End::Fails => "an error",
            End::Panics => "a panic",
        };
        match self.after {
            0 => write!(f, "{end} at once"),
            NEVER => write!(f, "nothing, ever"),
            after => write!(f, "{end} after {after} s"),
        }
    }
}
