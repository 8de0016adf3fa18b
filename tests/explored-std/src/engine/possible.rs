//! Whose operation is possible now.

use super::kind::Kind;
use super::object::{Model, Object, Once};
use super::operation::{ObjectIndex, Operation, RETURNED, ThreadIndex};
use super::thread::{Status, ThreadState};

/// Whether nobody has the lock.
pub(super) fn lock_is_free(objects: &[Object], lock: ObjectIndex) -> bool {
    matches!(&objects[lock as usize].model, Model::Lock(lock) if lock.is_free())
}

/// Whether more than one thread waits at a condition variable.
pub(super) fn several_wait(objects: &[Object], condvar: ObjectIndex) -> bool {
    matches!(&objects[condvar as usize].model, Model::Condvar(waiters) if waiters.len() > 1)
}

/// Whether one of these workers is free. Who polls without a worker needs none.
pub(super) fn worker_is_free(objects: &[Object], workers: ObjectIndex) -> bool {
    let model = objects.get(workers as usize).map(|object| &object.model);
    model.is_none_or(|model| matches!(model, Model::Lock(lock) if lock.lets_readers_in()))
}

/// Whether a thread could go on from what it announced.
pub(crate) fn is_possible(threads: &[ThreadState], objects: &[Object], index: ThreadIndex) -> bool {
    let thread = &threads[index];
    let operation = &thread.pending;
    match operation.kind {
        Kind::Look | Kind::LookAtEnd | Kind::LookAround | Kind::Change | Kind::Queue | Kind::Attempt => true,
        Kind::Release
        | Kind::HangUp
        | Kind::TryReceive
        | Kind::Wait
        | Kind::Notify
        | Kind::Unpark
        | Kind::WakeTask
        | Kind::Choose => true,
        Kind::Yield | Kind::Settle | Kind::Clock | Kind::Mark | Kind::Fence | Kind::Exit => true,
        Kind::Sleep | Kind::Never => false,
        Kind::Join if operation.number == RETURNED => threads[operation.other].returned,
        Kind::Join => threads[operation.other].status == Status::Finished,
        Kind::Select => operation.number == 1 || thread.awaits.iter().any(|arm| arm.is_ready(objects)),
        Kind::Park => thread.token,
        Kind::Poll => thread.woken && worker_is_free(objects, operation.object),
        Kind::Wake => thread.notified && lock_is_free(objects, operation.second),
        Kind::UntilBlocked => {
            let other = &threads[operation.other];
            other.status == Status::Finished
                || (other.status == Status::Live
                    && operation.other != index
                    && !is_possible(threads, objects, operation.other))
        }
        Kind::Acquire
        | Kind::AcquireAgain
        | Kind::AcquireShared
        | Kind::Send
        | Kind::Handoff
        | Kind::Receive
        | Kind::Enter
        | Kind::Completed
        | Kind::Passed => object_allows(&objects[operation.object as usize].model, index, operation),
    }
}

fn object_allows(model: &Model, index: ThreadIndex, operation: &Operation) -> bool {
    match (operation.kind, model) {
        (Kind::Acquire, Model::Lock(lock)) => lock.is_free(),
        (Kind::AcquireAgain, Model::Lock(lock)) => lock.is_free() || lock.writer == index,
        (Kind::AcquireShared, Model::Lock(lock)) => lock.lets_readers_in(),
        (Kind::Send, Model::Channel(channel)) => {
            channel.receivers == 0 || channel.capacity.is_none_or(|most| most == 0 || channel.inside.len() < most)
        }
        (Kind::Handoff, Model::Channel(channel)) => {
            channel.receivers == 0 || !channel.inside.contains(&operation.number)
        }
        (Kind::Receive, Model::Channel(channel)) => channel.has_message_or_end(),
        (Kind::Enter, Model::Once(once)) => !matches!(once, Once::Running(_)),
        (Kind::Completed, Model::Once(once)) => {
            matches!(once, Once::Done | Once::Poisoned)
        }
        (Kind::Passed, Model::Barrier { generation, .. }) => *generation != operation.number,
        (kind, model) => unreachable!("{kind:?} on {model:?}"),
    }
}

/// Whether a trace tells of the operation when it is done. A wait is told as blocking, when the waiter has queued; that one
/// of several senders has gone is of no interest to anybody.
pub(super) fn is_told(operation: &Operation, objects: &[Object]) -> bool {
    match (operation.kind, objects.get(operation.object as usize).map(|object| &object.model)) {
        (Kind::Wait | Kind::Queue, _) => false,
        (Kind::HangUp, Some(Model::Channel(channel))) => channel.senders <= 1,
        _ => true,
    }
}
