//! Another test file of the same program, with a role of the same name.

use std::process::Command;

use kata::child::{Children, roles};

fn answer() -> i32 {
    43
}
roles!(answer);

pub(crate) fn in_the_role_of_answer(children: &Children) -> Command {
    children.command("answer")
}
