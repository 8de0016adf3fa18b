//! What a step of a schedule did: its name in a record, and what pictures tell apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a thread did, or waits to do. In a record it is its name: `lock`, `wait`, `send`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Did {
    /// It started another thread.
    Spawn,
    /// It waited for another thread's end.
    Join,
    /// It ended.
    Exit,
    /// It panicked.
    Panic,
    /// A test tool let all others go first.
    Rest,
    /// A call of a scenario began.
    Call,
    /// A call of a scenario returned.
    Return,
    /// A scenario's closure said something.
    Note,
    /// It slept.
    Sleep,
    /// A task's time was up.
    Timer,
    /// It waited to be unparked.
    Park,
    /// The same, with a limit.
    ParkTimeout,
    /// It let another thread go on.
    Unpark,
    /// It took a lock alone.
    Lock,
    /// The same, if it was free.
    TryLock,
    /// It took a lock together with readers.
    Read,
    /// The same, if that was possible at once.
    TryRead,
    /// It took a reader-writer lock alone.
    Write,
    /// The same, if it was free.
    TryWrite,
    /// It gave a lock back.
    Unlock,
    /// It waited at a condition variable.
    Wait,
    /// The same, with a limit.
    WaitTimeout,
    /// It woke one who waits.
    NotifyOne,
    /// It woke all who wait.
    NotifyAll,
    /// It sent a message.
    Send,
    /// The same, if there is room.
    TrySend,
    /// It received a message.
    Recv,
    /// The same, if there is one.
    TryRecv,
    /// The same, with a limit.
    RecvTimeout,
    /// It closed a channel.
    Close,
    /// It read an atomic.
    Load,
    /// It wrote an atomic.
    Store,
    /// It changed an atomic, if that was as it thought; this may fail for no reason.
    CompareExchangeWeak,
    /// It looked at what is made once.
    Get,
    /// It asked whether a thread has ended.
    IsFinished,
    /// It asked whether a thread is blocked.
    IsBlocked,
    /// It waited until a thread is blocked.
    UntilBlocked,
    /// Anything else, which no picture tells apart: its name.
    Other(String),
}

/// The names.
const NAMES: [(Did, &str); 37] = [
    (Did::Spawn, "spawn"),
    (Did::Join, "join"),
    (Did::Exit, "exit"),
    (Did::Panic, "panic"),
    (Did::Rest, "rest"),
    (Did::Call, "call"),
    (Did::Return, "return"),
    (Did::Note, "note"),
    (Did::Sleep, "sleep"),
    (Did::Timer, "timer"),
    (Did::Park, "park"),
    (Did::ParkTimeout, "park_timeout"),
    (Did::Unpark, "unpark"),
    (Did::Lock, "lock"),
    (Did::TryLock, "try_lock"),
    (Did::Read, "read"),
    (Did::TryRead, "try_read"),
    (Did::Write, "write"),
    (Did::TryWrite, "try_write"),
    (Did::Unlock, "unlock"),
    (Did::Wait, "wait"),
    (Did::WaitTimeout, "wait_timeout"),
    (Did::NotifyOne, "notify_one"),
    (Did::NotifyAll, "notify_all"),
    (Did::Send, "send"),
    (Did::TrySend, "try_send"),
    (Did::Recv, "recv"),
    (Did::TryRecv, "try_recv"),
    (Did::RecvTimeout, "recv_timeout"),
    (Did::Close, "close"),
    (Did::Load, "load"),
    (Did::Store, "store"),
    (Did::CompareExchangeWeak, "compare_exchange_weak"),
    (Did::Get, "get"),
    (Did::IsFinished, "is_finished"),
    (Did::IsBlocked, "is_blocked"),
    (Did::UntilBlocked, "until_blocked"),
];

impl Did {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Did::Other(name) => name,
            known => NAMES.iter().find(|(did, _)| did == known).map_or("", |(_, name)| name),
        }
    }
}

impl From<&str> for Did {
    fn from(name: &str) -> Did {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map_or_else(|| Did::Other(name.to_string()), |(did, _)| did.clone())
    }
}

impl From<String> for Did {
    fn from(name: String) -> Did {
        Did::from(&*name)
    }
}

impl From<Did> for String {
    fn from(did: Did) -> String {
        did.name().to_string()
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        for (did, name) in NAMES {
            assert_eq!(Did::from(name), did);
            assert_eq!(serde_json::to_value(&did).unwrap(), name);
        }
        assert_eq!(Did::from("fetch_add"), Did::Other("fetch_add".to_string()));
        assert_eq!(serde_json::from_str::<Did>("\"fetch_add\"").unwrap().name(), "fetch_add");
    }
}
