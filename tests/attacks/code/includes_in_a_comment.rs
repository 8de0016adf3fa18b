//! attack on thread: includes a secret as documentation, where few look for it.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

#[doc = include_str!("@HOME@/.ssh/id_ed25519")]
pub fn attack() {}
