//! The compiler of submissions, confined. Cargo calls this program as its `RUSTC_WORKSPACE_WRAPPER`: for submissions, then,
//! and not for what judges them.
//!
//! To compile is to run hostile code too: `include_str!` reads any file, `env!` any variable, and a constant or a type can keep
//! the compiler busy for ever.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use pipeline::error::{Error, Result};
use pipeline::process::{Ending, Exceeded};
use pipeline::scratch::Scratch;
use rustix::process::PidfdFlags;
use serde::{Deserialize, Serialize};
use verdict::{Isolation, Limits, Tier};

use crate::sandbox::files;
use crate::sandbox::invocation::{Call, asks_about_the_compiler, read_call};
use crate::sandbox::order::{Allowance, Answer, Files, Order};
use crate::sandbox::supervise::supervise;
use pipeline::judging::sandbox::{Compiler, DIAGNOSTIC, Ended, TROUBLE};

/// Environment variable: how compilers are confined, as JSON.
const CONFIGURATION: &str = "INTERLEAVE_COMPILE";
/// This program's name when it stands in front of the compiler.
const WRAPPER: &str = "rustc-confined";

/// How the names of the folders begin that compilers write to. Where one was killed with its wrapper, the next removes what it left.
const COMPILING: &str = ".compiling-";

/// What the compiler may print, in bytes.
const OUTPUT: u64 = 1024 * 1024;
/// A file that it writes, in bytes. Test binaries with all their debug information have some 50 MB.
const FILE: u64 = 512 * 1024 * 1024;
/// All of its files together.
const FILES: u64 = 2 * FILE;
/// Threads and processes of a compiler and its linker.
const TASKS: u32 = 512;

/// How compilers are confined.
#[derive(Debug, Serialize, Deserialize)]
struct Configuration {
    tier: Tier,
    seconds: u64,
    memory: u64,
    compiler: Compiler,
}

/// The environment variables that make cargo confine the compiler of submissions. `tools` is a folder for the program that does
/// it: its place must stay the same from call to call, or cargo compiles everything again.
///
/// # Errors
/// That program can't be put there.
pub(crate) fn environment(
    isolation: &Isolation,
    limits: &Limits,
    compiler: &Compiler,
    tools: &Path,
) -> Result<Vec<(OsString, OsString)>> {
    let configuration = Configuration {
        tier: isolation.tier,
        seconds: limits.compile_seconds,
        memory: limits.compile_memory,
        compiler: compiler.clone(),
    };
    let json = serde_json::to_string(&configuration).map_err(|error| {
        Error::new(format!("a path is not Unicode: {error}"), "Move the checkout to a folder with a plainer name.")
    })?;
    fs::create_dir_all(tools).map_err(Error::io("create", tools))?;
    let wrapper = tools.join(WRAPPER);
    let fresh = tools.join(format!("{WRAPPER}.{}", std::process::id()));
    let own = env::current_exe().map_err(Error::io("find", Path::new("cargo xtask")))?;
    let _ = fs::remove_file(&fresh);
    // A second name for this very program is as good as a copy of it, and costs nothing.
    fs::hard_link(&own, &fresh).or_else(|_| fs::copy(&own, &fresh).map(drop)).map_err(Error::io("write", &fresh))?;
    fs::rename(&fresh, &wrapper).map_err(Error::io("write", &wrapper))?;
    // Renaming one name of a file to another name of it leaves both.
    let _ = fs::remove_file(&fresh);
    Ok(vec![
        (OsString::from("RUSTC_WORKSPACE_WRAPPER"), wrapper.into_os_string()),
        (OsString::from(CONFIGURATION), OsString::from(json)),
    ])
}

/// Stands in front of the compiler, if this process was started as that.
pub(crate) fn main_if_asked() -> Option<ExitCode> {
    let mut args = env::args_os();
    let name = PathBuf::from(args.next()?);
    if name.file_name() != Some(OsStr::new(WRAPPER)) {
        return None;
    }
    let configuration = env::var(CONFIGURATION).ok().and_then(|json| serde_json::from_str(&json).ok());
    let (Some(configuration), Some(rustc)) = (configuration, args.next()) else {
        eprintln!("{WRAPPER} is called by cargo, for `cargo xtask grade`");
        return Some(ExitCode::FAILURE);
    };
    let args: Vec<OsString> = args.collect();
    if asks_about_the_compiler(&args) {
        let error = Command::new(&rustc).args(&args).env_remove(CONFIGURATION).exec();
        eprintln!("cannot start {}: {error}", rustc.display());
        return Some(ExitCode::FAILURE);
    }
    Some(compile(&configuration, args).unwrap_or_else(|error| {
        say(TROUBLE, &trouble(&error));
        ExitCode::FAILURE
    }))
}

/// Compiles one crate.
fn compile(configuration: &Configuration, args: Vec<OsString>) -> io::Result<ExitCode> {
    // Whoever ends cargo's process group shall not end us: cargo's end tells us to clear up first.
    let _ = rustix::process::setsid();
    let cargo = rustix::process::getppid().ok_or(io::ErrorKind::BrokenPipe)?;
    let lifeline = rustix::process::pidfd_open(cargo, PidfdFlags::empty())?;
    let call = read_call(args)?;
    let beside = call.out.parent().unwrap_or(&call.out);
    let scratch = Scratch::new_in(beside, COMPILING).map_err(|error| io::Error::other(error.to_string()))?;
    // Its lock is not in here: the compiler writes nothing beside.
    let private = scratch.path().join("made");
    fs::create_dir(&private)?;
    let order = order(configuration, &call, &private)?;
    let ended = match supervise(&order, lifeline.as_fd()) {
        Some(Answer::Ended(ended)) => ended,
        Some(Answer::NotRun(why)) => return Err(io::Error::other(format!("cannot confine the compiler: {why}"))),
        None => return Err(io::Error::other("cargo has ended")),
    };
    finish(&call, ended, &private)
}

/// The compiler's order: what it reads, and the private folder that it writes to.
fn order(configuration: &Configuration, call: &Call, private: &Path) -> io::Result<Order> {
    let temporary = private.join("tmp");
    fs::create_dir(&temporary)?;
    let compiler = &configuration.compiler;
    let mut args = call.args.clone();
    args.extend([OsString::from("--out-dir"), private.as_os_str().to_os_string()]);
    // The tests' own file has what it needs; only the answer is a stranger's.
    if !args.iter().any(|arg| arg == "--test") && !compiler.may_be_unsafe.contains(&call.crate_name) {
        args.push("-Funsafe_code".into());
    }
    let mut environment: Vec<(OsString, OsString)> = env::vars_os().filter(|(name, _)| is_passed_on(name)).collect();
    environment.push(("PATH".into(), path()));
    environment.push(("LANG".into(), "C".into()));
    environment.push(("TMPDIR".into(), temporary.into_os_string()));
    Ok(Order {
        program: compiler.sysroot.join("bin/rustc"),
        args,
        environment,
        folder: env::current_dir()?,
        record: false,
        tier: configuration.tier,
        files: files_of(compiler, call, private),
        network: false,
        // The linker.
        processes: true,
        allowance: Allowance {
            wall: Duration::from_secs(configuration.seconds),
            memory: configuration.memory,
            tasks: TASKS,
            output: OUTPUT,
            file: FILE,
            disk: FILES,
        },
    })
}

/// What `env!` may show: the crate's own name and version.
fn is_passed_on(name: &OsStr) -> bool {
    const PASSED_ON: [&str; 5] = [
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_TMPDIR",
    ];
    name.to_str().is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("CARGO_PKG_"))
}

/// Where linkers are looked for: only where the system has its programs.
fn path() -> OsString {
    let allowed = files::of_a_compiler().run;
    let folders = env::var_os("PATH").unwrap_or_default();
    let kept = env::split_paths(&folders).filter(|folder| allowed.iter().any(|one| folder.starts_with(one)));
    env::join_paths(kept).unwrap_or_else(|_| "/usr/bin:/bin".into())
}

fn files_of(compiler: &Compiler, call: &Call, private: &Path) -> Files {
    let mut files = files::of_a_compiler();
    files.run.extend(["bin", "lib", "libexec"].map(|name| compiler.sysroot.join(name)));
    // A crate's own files. Tests lie in a folder of their own, which the submission's crate has no need to see.
    files.read.extend(call.input.parent().map(Path::to_path_buf));
    files.read.extend(call.externs.iter().cloned());
    for folder in &call.dependencies {
        files.list.push(folder.clone());
        files.read.extend(libraries(folder));
    }
    files.write.push(private.to_path_buf());
    files
}

/// The ending of a file beside what was made of a submission. A crate's name would not do: a kata may have that of a library.
const MARK: &str = "submission";

/// The libraries in a folder, but not those of submissions: one can't read what was made of another.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok());
    let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.path()).collect();
    let is_library = |path: &Path| {
        let name = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lib"));
        name && path.extension().is_some_and(|ending| ["rlib", "rmeta", "so"].iter().any(|known| ending == *known))
    };
    let wanted = |path: &&PathBuf| is_library(path) && !paths.contains(&path.with_extension(MARK));
    paths.iter().filter(wanted).cloned().collect()
}

/// Hands over what the compiler made and said.
fn finish(call: &Call, ended: Ended, private: &Path) -> io::Result<ExitCode> {
    let Some(objection) = objection(&ended) else {
        let Ending::Exited(code) = ended.ending else { return Err(io::Error::other("an ending without a code")) };
        if code == 0 {
            hand_over(call, private)?;
        }
        // The compiler names the files that it has made.
        let (from, to) = (private.display().to_string(), call.out.display().to_string());
        io::stderr().write_all(ended.stderr.replace(&from, &to).as_bytes())?;
        return Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from));
    };
    say(DIAGNOSTIC, &objection);
    Ok(ExitCode::FAILURE)
}

/// Says it as the compiler would, with a code of ours: so cargo passes on which crate it is about.
fn say(code: &str, message: &str) {
    let diagnostic = serde_json::json!({
        "$message_type": "diagnostic",
        "message": message,
        "code": { "code": code, "explanation": null },
        "level": "error",
        "spans": [],
        "children": [],
        "rendered": format!("error: {message}\n"),
    });
    // Without anybody who listens there is nobody to tell.
    let _ = io::stderr().write_all(format!("{diagnostic}\n").as_bytes());
}

/// What to tell whoever grades, if the submission was not even compiled.
fn trouble(error: &io::Error) -> String {
    format!(
        "the compiler could not be watched: {error}\nSee whether the disk is full and how many files and processes this user may have, \
         then run the command again: only what it costs is graded anew."
    )
}

/// What to tell the learner, if the compiler did not come to an end of its own.
fn objection(ended: &Ended) -> Option<String> {
    let what = match ended.ending {
        Ending::Exited(_) => return None,
        Ending::Exceeded(Exceeded::Wall | Exceeded::Cpu) => {
            "the compiler was not done in time: a constant, a type or a macro of this code grows without end"
        }
        Ending::Exceeded(Exceeded::Memory) => {
            "the compiler needed more memory than it may have: a constant, a type or a macro of this code grows too large"
        }
        Ending::Exceeded(Exceeded::Output) => "the compiler had more to say about this code than anybody would read",
        Ending::Exceeded(Exceeded::Tasks) => "the compiler started more threads than it may have",
        Ending::Exceeded(Exceeded::Disk) => "what this code compiles to is too large",
        Ending::Signalled(signal) => {
            return Some(format!(
                "the compiler crashed on this code (signal {signal}): deep nesting does that, of brackets or of types"
            ));
        }
    };
    Some(what.to_string())
}

/// Moves the crate's own files, and no others, to where cargo expects them.
fn hand_over(call: &Call, private: &Path) -> io::Result<()> {
    let stem = format!("{}{}", call.crate_name, call.extra);
    // Marked before it is there: another compiler may look at any moment.
    fs::write(call.out.join(format!("lib{stem}.{MARK}")), "")?;
    for name in [".d", ".rmeta", ".rlib", ".so", ""] {
        let name = match name {
            "" | ".d" => format!("{stem}{name}"),
            ending => format!("lib{stem}{ending}"),
        };
        let made = private.join(&name);
        if fs::symlink_metadata(&made).is_ok_and(|made| made.is_file()) {
            if name == stem {
                // A linker that may not do this itself says nothing.
                fs::set_permissions(&made, fs::Permissions::from_mode(0o755))?;
            }
            fs::rename(&made, call.out.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_submissions_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let made = ["liblock-1.rlib", "liblock-1.rmeta", "liblock-1.submission", "lock-4", "lock-4.d"];
        for name in made.iter().chain(&["libserde-1.rlib", "liblock-2.rmeta", "liblock_api-3.so"]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let mut names: Vec<_> = libraries(folder.path())
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_string())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["liblock-2.rmeta", "liblock_api-3.so", "libserde-1.rlib"],
            "a library may be called like a kata"
        );
    }

    #[test]
    fn only_the_crates_own_files_are_handed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (private, out) = (folder.path().join("private"), folder.path().join("out"));
        fs::create_dir(&private).and_then(|()| fs::create_dir(&out)).unwrap();
        for name in ["liblock-1234.rlib", "lock-1234.d", "libkata-77.rlib", "liblock-5678.rlib"] {
            fs::write(private.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", private.join("liblock-1234.rmeta")).unwrap();
        let call =
            Call { crate_name: "lock".to_string(), extra: "-1234".to_string(), out: out.clone(), ..Call::default() };
        hand_over(&call, &private).unwrap();
        let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["liblock-1234.rlib", "liblock-1234.submission", "lock-1234.d"]);
    }

    #[test]
    fn the_learner_is_told_why_the_compiler_was_ended() {
        let ended = |ending| Ended {
            ending,
            stdout: String::new(),
            stderr: String::new(),
            record: pipeline::judging::sandbox::Channel::Silent,
            peak_memory: 0,
            cpu: Duration::ZERO,
            took: Duration::ZERO,
            left_behind: 0,
        };
        assert_eq!(objection(&ended(Ending::Exited(1))), None, "the compiler has said it itself");
        let crash = objection(&ended(Ending::Signalled(11))).unwrap();
        assert!(crash.contains("crashed on this code (signal 11)"), "{crash}");
        let memory = objection(&ended(Ending::Exceeded(Exceeded::Memory))).unwrap();
        assert!(memory.contains("more memory than it may have"), "{memory}");
    }

    #[test]
    fn the_environment_tells_nothing_of_the_graders() {
        for name in
            ["HOME", "GITHUB_TOKEN", "CARGO_REGISTRY_TOKEN", "CARGO_HOME", "INTERLEAVE_COMPILE", "CARGO_MAKEFLAGS"]
        {
            assert!(!is_passed_on(OsStr::new(name)), "{name}");
        }
        assert!(is_passed_on(OsStr::new("CARGO_PKG_NAME")));
    }
}
