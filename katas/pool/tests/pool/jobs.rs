//! Real jobs, which note what happens to them.

use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kata::panic_on_purpose;
use kata::scenarios::Scene;
use pool::{Lost, Pool, ShutDown};

use super::state::{
    ACCEPTED_IN_A_JOB, Act, CHILDREN, DONE_ELSEWHERE, DROPPED_IN_A_JOB, Elsewhere, PANICKED_IN_A_JOB, REFUSED_IN_A_JOB,
    RESULT_IN_A_JOB, SHUT_DOWN_IN_A_JOB, SHUT_DOWN_NOW_IN_A_JOB, inner,
};

/// Shares the pool. Which handle goes before which other one is an order that the scheduler sees.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(super) pool: Arc<Pool>,
    pub(super) gone: Arc<AtomicUsize>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.gone.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) fn submit(handle: &Handle, act: Act, id: usize, scene: &Scene) -> Result<(), ShutDown> {
    let job = RealJob::new(act, id, handle, scene);
    handle.pool.submit(move || {
        job.run();
    })
}

/// A job that notes what happens to it.
pub(super) struct RealJob {
    id: usize,
    act: Act,
    scene: Scene,
    has_begun: bool,
    handle: Option<Handle>,
}

impl RealJob {
    pub(super) fn new(act: Act, id: usize, handle: &Handle, scene: &Scene) -> RealJob {
        let handle = act.uses_its_pool().then(|| handle.clone());
        RealJob { id, act, scene: scene.clone(), has_begun: false, handle }
    }

    pub(super) fn run(mut self) -> usize {
        enter_as_worker(self.id, &self.scene);
        self.has_begun = true;
        self.scene.note("job {} begins", self.id);
        match (self.act, &self.handle) {
            (Act::Panics, _) => panic_on_purpose(self.id),
            (Act::Waits, _) => self.scene.gate().pass(),
            (Act::Elsewhere(call), _) => self.call_elsewhere(call),
            (_, Some(handle)) => self.use_its_pool(handle),
            (_, None) => {}
        }
        self.id
    }

    fn use_its_pool(&self, handle: &Handle) {
        let (children, note) = ([inner(self.id, 0), inner(self.id, 1)], |what, id| self.scene.note(what, id));
        match self.act {
            Act::Submits => {
                for (id, act) in children.into_iter().zip(CHILDREN) {
                    let answer = submit(handle, act, id, &self.scene);
                    note(answer.map_or(REFUSED_IN_A_JOB, |()| ACCEPTED_IN_A_JOB), id);
                }
            }
            Act::Maps => {
                let items = children.into_iter().zip(CHILDREN);
                let items = items.map(|(id, act)| RealJob::new(act, id, handle, &self.scene));
                for (place, result) in handle.pool.map(items, RealJob::run).into_iter().enumerate() {
                    let id = inner(self.id, place);
                    let what = match &result {
                        Ok(result) if *result == id => RESULT_IN_A_JOB,
                        Err(Lost::Panicked(payload)) if payload.downcast_ref() == Some(&id) => PANICKED_IN_A_JOB,
                        Err(Lost::Dropped) => DROPPED_IN_A_JOB,
                        _ => "map in a job has something else for {}",
                    };
                    note(what, id);
                }
            }
            Act::ShutsDown => {
                handle.pool.shutdown();
                note(SHUT_DOWN_IN_A_JOB, self.id);
            }
            Act::ShutsDownNow => {
                let dropped = handle.pool.shutdown_now();
                note(SHUT_DOWN_NOW_IN_A_JOB[dropped.min(SHUT_DOWN_NOW_IN_A_JOB.len() - 1)], self.id);
            }
            Act::Returns | Act::Panics | Act::Waits | Act::Elsewhere(_) => {}
        }
    }

    fn call_elsewhere(&self, call: Elsewhere) {
        let other = Pool::new(size(1), size(1));
        for _ in 0..2 {
            let gate = self.scene.gate().clone();
            assert_eq!(other.submit(move || gate.pass()), Ok(()), "nobody has shut it down");
        }
        match call {
            Elsewhere::Submits => drop(other.submit(|| ())),
            Elsewhere::Maps => drop(other.map([()], |()| ())),
            Elsewhere::ShutsDown => other.shutdown(),
            Elsewhere::Drops => {
                let _dropped_here = other;
            }
        }
        self.scene.note(DONE_ELSEWHERE, self.id);
    }
}

impl Drop for RealJob {
    fn drop(&mut self) {
        drop(self.handle.take());
        self.scene.note(if self.has_begun { "job {} ends" } else { "job {} is dropped" }, self.id);
    }
}

/// Whose thread this is.
enum Role {
    /// It makes a scenario's calls, or prepares them.
    Caller,
    /// It runs jobs, of which the first has this number.
    Worker(usize, Scene),
}

thread_local! {
    static ROLE: OnceCell<Role> = const { OnceCell::new() };
}

pub(super) fn enter_as_caller() {
    ROLE.with(|role| {
        role.get_or_init(|| Role::Caller);
    });
}

fn enter_as_worker(job: usize, scene: &Scene) {
    ROLE.with(|role| {
        let new = || {
            scene.note("worker {} begins", job);
            Role::Worker(job, scene.clone())
        };
        if let Role::Caller = role.get_or_init(new) {
            scene.note("job {} runs on a thread that is no worker", job);
        }
    });
}

impl Drop for Role {
    fn drop(&mut self) {
        if let Role::Worker(job, scene) = self {
            scene.note("worker {} ends", *job);
        }
    }
}

pub(super) fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("sizes are not zero")
}
