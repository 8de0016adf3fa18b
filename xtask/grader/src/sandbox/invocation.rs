//! How cargo calls the compiler: what of its arguments matters to whoever confines it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

/// What cargo asks the compiler for, as far as it matters here.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// All arguments, but for the folders that it would write to.
    pub(crate) args: Vec<OsString>,
    /// The name of the crate.
    pub(crate) crate_name: String,
    /// What tells its files from those of other crates of that name.
    pub(crate) extra: String,
    /// The crate's first file.
    pub(crate) input: PathBuf,
    /// The folder in which cargo expects what the compiler makes.
    pub(crate) out: PathBuf,
    /// The libraries that the crate names.
    pub(crate) externs: Vec<PathBuf>,
    /// Folders with the libraries that those name.
    pub(crate) dependencies: Vec<PathBuf>,
}

/// Cargo asks for the version and for names of files, with nothing to compile.
pub(crate) fn asks_about_the_compiler(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "-" || arg == "-vV" || arg.to_string_lossy().starts_with("--print"))
}

/// Takes apart what cargo passes.
///
/// # Errors
/// It is not what cargo passes to compile a crate.
pub(crate) fn read_call(args: Vec<OsString>) -> io::Result<Call> {
    let mut call = Call::default();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_str().ok_or(io::ErrorKind::InvalidInput)?.to_string();
        let takes_value = matches!(text.as_str(), "--crate-name" | "--out-dir" | "--extern" | "-L" | "-C");
        let value = if takes_value { args.next().and_then(|value| value.into_string().ok()) } else { None };
        match (text.as_str(), value.as_deref()) {
            ("--crate-name", Some(name)) => call.crate_name = name.to_string(),
            ("--out-dir", Some(folder)) => {
                call.out = PathBuf::from(folder);
                // It is replaced.
                continue;
            }
            ("--extern", Some(value)) => call.externs.extend(value.split_once('=').map(|(_, path)| path.into())),
            ("-L", Some(value)) => {
                let folder = value.split_once('=').map_or(value, |(_, folder)| folder);
                call.dependencies.push(folder.into());
            }
            // It would be one more place to write to, and each answer is compiled once.
            ("-C", Some(option)) if option.starts_with("incremental=") => continue,
            ("-C", Some(option)) => {
                call.extra = option.strip_prefix("extra-filename=").unwrap_or(&call.extra).to_string();
            }
            (input, None) if !input.starts_with('-') && input.ends_with(".rs") => call.input = input.into(),
            _ => {}
        }
        call.args.push(arg);
        call.args.extend(value.map(OsString::from));
    }
    let complete =
        ![call.input.as_os_str(), call.out.as_os_str(), OsStr::new(&call.crate_name)].contains(&OsStr::new(""));
    if complete { Ok(call) } else { Err(io::Error::other("this call of the compiler is not understood")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn call() -> Call {
        let args = "--crate-name lock --edition=2024 a/threads/../src/lib.rs --crate-type lib -C debuginfo=1 \
            -C extra-filename=-1234 --out-dir /t/debug/deps -C incremental=/t/debug/incremental \
            -L dependency=/t/debug/deps --extern std=/t/debug/deps/libexplored_std-77.rmeta --error-format=json";
        read_call(args.split_whitespace().map(OsString::from).collect()).unwrap()
    }

    #[test]
    fn what_cargo_passes_is_understood_and_one_place_to_write_is_left() {
        let call = call();
        assert_eq!((call.crate_name.as_str(), call.extra.as_str()), ("lock", "-1234"));
        assert_eq!(call.input, Path::new("a/threads/../src/lib.rs"));
        assert_eq!(call.out, Path::new("/t/debug/deps"));
        assert_eq!(call.dependencies, [Path::new("/t/debug/deps")]);
        assert_eq!(call.externs, [Path::new("/t/debug/deps/libexplored_std-77.rmeta")]);
        let passed_on: Vec<&str> = call.args.iter().filter_map(|arg| arg.to_str()).collect();
        assert!(!passed_on.iter().any(|arg| arg.contains("incremental") || *arg == "--out-dir"), "{passed_on:?}");
        assert!(passed_on.windows(2).any(|two| two == ["-C", "debuginfo=1"]));
    }

    #[test]
    fn a_call_that_is_not_understood_is_refused() {
        let refused = |text: &str| read_call(text.split_whitespace().map(OsString::from).collect()).is_err();
        assert!(refused("--crate-name lock --out-dir /t"), "no input");
        assert!(refused("@arguments"));
        assert!(refused("--crate-name lock src/lib.rs"), "no place for what it makes");
    }
}
