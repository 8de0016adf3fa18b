//! Workers that do as they are asked, and start workers of their own. A stop is for one worker only: after each step, each worker that
//! runs is asked whether it has been told.

use std::fmt;
use std::panic;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use daemon::{StopSignal, Worker};

/// What a worker does, by the number of the other one. Each is the owner of those that it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Starts(usize),
    Stops(usize),
    Joins(usize),
    Drops(usize),
    /// Its work returns. It joins those that it still owns.
    Ends,
    /// Its work panics, and drops those that it still owns.
    Panics,
}

/// Who does what, one after the other. Worker 0 is there from the beginning, and is never told to stop.
#[derive(Clone, Copy)]
pub(crate) struct Steps(pub(crate) &'static [(usize, Step)]);

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (who, step)) in self.0.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { ", " })?;
            match step {
                Step::Starts(other) => write!(f, "{who} starts {other}"),
                Step::Stops(other) => write!(f, "{who} stops {other}"),
                Step::Joins(other) => write!(f, "{who} joins {other}"),
                Step::Drops(other) => write!(f, "{who} drops {other}"),
                Step::Ends => write!(f, "{who} ends"),
                Step::Panics => write!(f, "{who} panics"),
            }?;
        }
        Ok(())
    }
}

impl Steps {
    /// Takes the steps, and gives the first worker, which ends soon, as all of them do.
    pub(crate) fn run(&self) -> Worker<()> {
        let (orders, for_root) = mpsc::channel();
        let root = Worker::start("worker", move |stop| work(&for_root, stop));
        let mut family = vec![Member { orders: Some(orders), told: false }];
        for (done, &(who, step)) in (1..).zip(self.0) {
            take(&mut family, who, step);
            for (number, member) in family.iter().enumerate().filter(|(_, member)| member.orders.is_some()) {
                let said = member.ask(|stop, _| [stop.is_set(), stop.sleep(Duration::ZERO)]);
                let said = said.expect("it waits for orders");
                assert_eq!(
                    said,
                    [member.told; 2],
                    "whether {number} was told to stop, after: {}",
                    Steps(&self.0[..done])
                );
            }
        }
        // The youngest ends first, since its owner joins it.
        while family.pop().is_some() {}
        root
    }
}

/// A worker of the family, as the test knows it.
struct Member {
    /// `None` once it has ended.
    orders: Option<Sender<Order>>,
    told: bool,
}

/// What the test asks of a worker, which is handed those that it owns.
type Order = Box<dyn FnOnce(&StopSignal, &mut Own) + Send>;

/// The workers that one owns, by number.
type Own = Vec<(usize, Worker<()>)>;

impl Member {
    /// Lets the worker do this, and waits for the answer. There is none if it panics.
    fn ask<R: Send + 'static>(&self, order: impl FnOnce(&StopSignal, &mut Own) -> R + Send + 'static) -> Option<R> {
        let (tell, told) = mpsc::channel();
        let order: Order = Box::new(move |stop, own| {
            let _ = tell.send(order(stop, own));
        });
        self.orders.as_ref().expect("who has ended takes no orders").send(order).expect("it waits for orders");
        told.recv().ok()
    }
}

/// Lets this one do this.
fn take(family: &mut Vec<Member>, who: usize, step: Step) {
    let owner = &family[who];
    match step {
        Step::Starts(number) => {
            assert_eq!(number, family.len(), "workers are numbered as they are started");
            let (orders, for_worker) = mpsc::channel();
            owner.ask(move |_, own| own.push((number, Worker::start("worker", move |stop| work(&for_worker, stop)))));
            family.push(Member { orders: Some(orders), told: false });
        }
        Step::Stops(number) => {
            owner.ask(move |_, own| own.iter().find(|one| one.0 == number).expect("it owns that").1.stop());
            family[number].told = true;
        }
        Step::Joins(number) => _ = owner.ask(move |_, own| _ = taken(own, number).join()),
        Step::Drops(number) => _ = owner.ask(move |_, own| drop(taken(own, number))),
        Step::Ends => family[who].orders = None,
        Step::Panics => {
            owner.ask(|_, _| panic::resume_unwind(Box::new("enough of this")));
            family[who].orders = None;
        }
    }
}

fn taken(own: &mut Own, number: usize) -> Worker<()> {
    let place = own.iter().position(|one| one.0 == number);
    own.remove(place.expect("it owns that")).1
}

/// The work of each.
fn work(orders: &Receiver<Order>, stop: &StopSignal) {
    let mut own = Own::new();
    for order in orders {
        order(stop, &mut own);
    }
    for (_, worker) in own {
        let _ = worker.join();
    }
}
