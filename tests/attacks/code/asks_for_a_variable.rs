//! attack on thread: takes a secret of the grader's environment into the program.
//! inspected: rejected
//! uninspected: failed panic
//! says: kept out

pub fn attack() {
    match option_env!("INTERLEAVE_ATTACK_SECRET") {
        Some(secret) => panic!("got in: {secret}"),
        None => panic!("kept out"),
    }
}
