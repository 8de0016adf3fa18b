//! TODO: what it is, in one sentence. The lesson is in `README.md`.

/// TODO: a number that threads count up. They share it by reference.
#[derive(Debug)]
pub struct Example {
    // The fields are yours to choose.
}

impl Example {
    /// The number to begin with.
    pub fn starting_at(number: usize) -> Example {
        todo!()
    }

    /// Adds 1.
    pub fn add(&self) {
        todo!()
    }

    /// The number now.
    pub fn number(&self) -> usize {
        todo!()
    }
}
