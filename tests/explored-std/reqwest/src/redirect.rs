//! Whether redirections are followed. No site of the model redirects, so all policies are the same here.

/// The model of `reqwest::redirect::Policy`.
#[derive(Debug, Default)]
pub struct Policy(());

impl Policy {
    /// Follows up to so many redirections.
    pub fn limited(_max: usize) -> Policy {
        Policy(())
    }

    /// Follows none.
    pub fn none() -> Policy {
        Policy(())
    }
}
