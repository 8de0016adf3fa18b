//! accepted
//!
//! Whoever waits has a place with a condition variable of its own, in the order of coming. An item is handed over there, by whoever
//! brings it: it may never have been in the queue.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError<T> {
    Full(T),
    Closed(T),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetError {
    Empty,
    Closed,
}

pub struct Queue<T>(Mutex<Hall<T>>);

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

enum Seat<T> {
    /// A consumer, or a producer with its item, that waits.
    Waits(Option<T>),
    /// A consumer's item, or nothing for a producer whose item went in.
    Served(Option<T>),
    /// The queue was closed. A producer's item is still here.
    Closed(Option<T>),
}

struct Chair<T> {
    seat: Mutex<Seat<T>>,
    bell: Condvar,
}

impl<T> Chair<T> {
    fn new(item: Option<T>) -> Arc<Chair<T>> {
        Arc::new(Chair { seat: Mutex::new(Seat::Waits(item)), bell: Condvar::new() })
    }

    fn change(&self, change: impl FnOnce(Option<T>) -> Seat<T>) {
        let mut seat = self.seat.lock().unwrap();
        if let Seat::Waits(item) = &mut *seat {
            *seat = change(item.take());
        }
        self.bell.notify_one();
    }

    fn sit(&self) -> Seat<T> {
        let mut seat = self.bell.wait_while(self.seat.lock().unwrap(), |seat| matches!(seat, Seat::Waits(_))).unwrap();
        std::mem::replace(&mut *seat, Seat::Served(None))
    }
}

struct Hall<T> {
    capacity: usize,
    items: VecDeque<T>,
    closed: bool,
    unfinished: usize,
    getters: VecDeque<Arc<Chair<T>>>,
    putters: VecDeque<Arc<Chair<T>>>,
    joiners: Vec<Arc<Chair<T>>>,
}

impl<T> Hall<T> {
    fn put_now(&mut self, item: T) -> Result<(), PutError<T>> {
        if self.closed {
            return Err(PutError::Closed(item));
        }
        if let Some(getter) = self.getters.pop_front() {
            getter.change(|_| Seat::Served(Some(item)));
        } else if self.items.len() < self.capacity {
            self.items.push_back(item);
        } else {
            return Err(PutError::Full(item));
        }
        self.unfinished += 1;
        Ok(())
    }

    fn get_now(&mut self) -> Result<T, GetError> {
        let Some(item) = self.items.pop_front() else {
            return Err(if self.closed { GetError::Closed } else { GetError::Empty });
        };
        if let Some(putter) = self.putters.pop_front() {
            let Hall { items, unfinished, .. } = self;
            putter.change(|next| {
                items.push_back(next.expect("who waits for room has an item"));
                *unfinished += 1;
                Seat::Served(None)
            });
        }
        Ok(item)
    }
}

impl<T> Queue<T> {
    pub fn bounded(capacity: NonZeroUsize) -> Queue<T> {
        Queue(Mutex::new(Hall {
            capacity: capacity.get(),
            items: VecDeque::new(),
            closed: false,
            unfinished: 0,
            getters: VecDeque::new(),
            putters: VecDeque::new(),
            joiners: Vec::new(),
        }))
    }

    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        let chair = {
            let mut hall = self.0.lock().unwrap();
            match hall.put_now(item) {
                Err(PutError::Full(item)) => {
                    let chair = Chair::new(Some(item));
                    hall.putters.push_back(Arc::clone(&chair));
                    chair
                }
                other => return other,
            }
        };
        match chair.sit() {
            Seat::Closed(Some(item)) => Err(PutError::Closed(item)),
            _ => Ok(()),
        }
    }

    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.0.lock().unwrap().put_now(item)
    }

    pub fn get(&self) -> Result<T, GetError> {
        let chair = {
            let mut hall = self.0.lock().unwrap();
            match hall.get_now() {
                Err(GetError::Empty) => {
                    let chair = Chair::new(None);
                    hall.getters.push_back(Arc::clone(&chair));
                    chair
                }
                other => return other,
            }
        };
        match chair.sit() {
            Seat::Served(Some(item)) => Ok(item),
            _ => Err(GetError::Closed),
        }
    }

    pub fn try_get(&self) -> Result<T, GetError> {
        self.0.lock().unwrap().get_now()
    }

    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        let begin = Instant::now();
        let mut hall = self.0.lock().unwrap();
        let first = hall.get_now();
        if limit.is_zero() || !matches!(first, Err(GetError::Empty)) {
            return first;
        }
        let chair = Chair::new(None);
        hall.getters.push_back(Arc::clone(&chair));
        drop(hall);
        let left = limit.saturating_sub(begin.elapsed());
        let seat = chair.seat.lock().unwrap();
        drop(chair.bell.wait_timeout_while(seat, left, |seat| matches!(seat, Seat::Waits(_))).unwrap());
        // From here on nobody serves this chair any more, or somebody has.
        let mut hall = self.0.lock().unwrap();
        hall.getters.retain(|other| !Arc::ptr_eq(other, &chair));
        let mut seat = chair.seat.lock().unwrap();
        match &mut *seat {
            Seat::Waits(_) => Err(GetError::Empty),
            Seat::Served(item) => Ok(item.take().unwrap()),
            Seat::Closed(_) => Err(GetError::Closed),
        }
    }

    pub fn close(&self) {
        let mut hall = self.0.lock().unwrap();
        hall.closed = true;
        let Hall { getters, putters, .. } = &mut *hall;
        for chair in getters.drain(..).chain(putters.drain(..)) {
            chair.change(Seat::Closed);
        }
    }

    pub fn task_done(&self) {
        let mut hall = self.0.lock().unwrap();
        match hall.unfinished {
            0 => {
                drop(hall);
                panic!("all done already");
            }
            1 => {
                hall.unfinished = 0;
                hall.joiners.drain(..).for_each(|joiner| joiner.change(Seat::Served));
            }
            more => hall.unfinished = more - 1,
        }
    }

    pub fn join(&self) {
        let mut hall = self.0.lock().unwrap();
        if hall.unfinished > 0 {
            let chair = Chair::new(None);
            hall.joiners.push(Arc::clone(&chair));
            drop(hall);
            chair.sit();
        }
    }
}

pub fn pipeline<T: Send, R: Send>(
    source: impl Iterator<Item = T> + Send,
    workers: NonZeroUsize,
    capacity: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut collect: impl FnMut(R) -> ControlFlow<()>,
) {
    use crossbeam::channel::{Receiver, Sender, bounded};
    fn produce<T>(source: impl Iterator<Item = T>, tasks: Sender<T>) {
        for item in source {
            let Ok(()) = tasks.send(item) else { return };
        }
    }
    fn labour<T, R>(tasks: &Receiver<T>, work: &impl Fn(T) -> R, results: &Sender<R>) {
        while let Ok(task) = tasks.recv() {
            let Ok(()) = results.send(work(task)) else { return };
        }
    }
    let capacity = capacity.get();
    std::thread::scope(|scope| {
        let results = {
            let (task_sender, tasks) = bounded(capacity);
            let (result_sender, results) = bounded(capacity);
            scope.spawn(move || produce(source, task_sender));
            for _ in 1..workers.get() {
                let (tasks, results, work) = (tasks.clone(), result_sender.clone(), &work);
                scope.spawn(move || labour(&tasks, work, &results));
            }
            let work = &work;
            scope.spawn(move || labour(&tasks, work, &result_sender));
            results
        };
        while let Ok(result) = results.recv() {
            if let ControlFlow::Break(()) = collect(result) {
                break;
            }
        }
        drop(results);
    });
}
