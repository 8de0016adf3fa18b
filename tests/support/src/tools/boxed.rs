//! Futures of one type.

use std::future::Future;
use std::pin::Pin;

/// A future of any type, in a box. A runtime's `block_on` is some thousand lines for the compiler, and it is compiled once for each type of
/// future: in a test file whose bodies are boxed, once for each output.
pub fn boxed<'a, T>(future: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(future)
}
