//! The help of the grader's commands, as a person at 80 columns sees it.

use crate::workshop::Workshop;

#[test]
fn every_command_of_the_grader_has_a_help() {
    insta::assert_snapshot!(Workshop::new().helps(&["time", "grade", "merge"]));
}
