//! attack on process: panics in the words of a `todo!()`, as if nothing were wrong yet.
//! inspected: failed panic

pub fn attack() {
    panic!("not yet implemented");
}
