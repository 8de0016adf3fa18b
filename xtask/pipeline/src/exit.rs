//! Exit codes, which scripts rely on.

use std::process::ExitCode;

use crate::error::{Error, Result};
use crate::render;

/// The command ran, and everything passed.
const PASSED: u8 = 0;
/// The command ran, and something did not pass.
const NOT_PASSED: u8 = 1;
/// The command line or the environment is wrong.
const WRONG_USE: u8 = 2;
/// Ended by Ctrl-C: 128 and the number of the signal, as shells count.
const INTERRUPTED: u8 = 130;

/// How a program ends whose command came to this: whether everything passed, or what stopped it, which is printed.
pub fn code(ended: Result<bool>) -> ExitCode {
    ExitCode::from(match ended {
        Ok(true) => PASSED,
        Ok(false) => NOT_PASSED,
        Err(error) => {
            render::error(&error);
            if matches!(error, Error::Interrupted) { INTERRUPTED } else { WRONG_USE }
        }
    })
}
