//! attack on thread: the same, from where the grader has put it. The folder's name is a hash that anyone can work out.
//! inspected: rejected
//! uninspected: compile-error
//! says: Permission denied
//! needs: confined

include!("@STAGED@/src/lib.rs");
