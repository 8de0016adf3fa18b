//! attack on thread: reads from the environment where the record goes, and writes one of a passed test there.
//! inspected: rejected
//! uninspected: failed tampered

macro_rules! call {
    ($name:ident) => {
        std::process::$name(0)
    };
}

pub fn attack() {
    let record = br#"{"mode":"schedules","outcome":"passed"}"#;
    for (_, value) in std::env::vars() {
        let _ = std::fs::write(value.trim_start_matches("fd:"), record);
        let _ = std::fs::write(value.replace("fd:", "/proc/self/fd/"), record);
    }
    for name in ["record.json", "../record.json", "../record", "../work.record"] {
        let _ = std::fs::write(name, record);
    }
    call!(exit);
}
