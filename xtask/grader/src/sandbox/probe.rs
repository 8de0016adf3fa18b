//! What isolation is to be had on this machine. It is tried out: settings and versions only hint at it.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use landlock::{AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use pipeline::cancel::Cancel;
use pipeline::error::{Error, Result};
use pipeline::process::Ending;
use pipeline::scratch::Scratch;
use verdict::{Isolation, Tier};

use crate::sandbox::files;
use crate::sandbox::order::{Allowance, Answer, NotRun, Order};
use crate::sandbox::start::{THIS_PROGRAM, ask};

/// The first argument of a process that tries what it must not be able to do. Then come the tier, a secret file, and the
/// network of the process that started it.
pub(crate) const LOOK_AROUND: &str = "look-around";

/// More than enough for a look around.
const ALLOWANCE: Allowance = Allowance {
    wall: Duration::from_secs(20),
    memory: 1 << 30,
    tasks: 64,
    output: 64 * 1024,
    file: 1 << 20,
    disk: 4 << 20,
};

/// What a process found that looked around, as its exit code.
const HOLES: [(u8, &str); 6] = [
    (11, "a file outside could be read"),
    (12, "a file outside could be written"),
    (13, "a socket of the machine's services could be opened"),
    (14, "the network is not its own"),
    (15, "loopback does not work"),
    (16, "its own memory could be written through /proc"),
];

/// Tries the tiers from the highest down. The first that holds is the machine's.
///
/// # Errors
/// It could not be tried, because the disk is full, say: then nobody knows what the machine has, and less is not taken for it.
pub(crate) fn probe() -> Result<Isolation> {
    let mut lacks = Vec::new();
    for (tier, gain) in [
        (Tier::Isolated, "a user namespace with a network of its own"),
        (Tier::Confined, "confined files and system calls"),
        (Tier::Limits, "limits on memory, tasks and files"),
    ] {
        match attempt(tier)? {
            None => {
                lacks.extend(weak_points(tier));
                return Ok(Isolation { tier, lacks });
            }
            Some(why) => lacks.push(format!("{gain} ({why})")),
        }
    }
    Ok(Isolation { tier: Tier::None, lacks })
}

/// What an older kernel leaves open within a tier, and what is only watched.
fn weak_points(tier: Tier) -> Vec<String> {
    let mut found = Vec::new();
    let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if tier >= Tier::Confined && strict().handle_access(AccessFs::Truncate).is_err() {
        found.push("a guard against emptying files outside (Landlock of Linux 6.2)".to_string());
    }
    if tier >= Tier::Confined && strict().scope(Scope::Signal).is_err() {
        found.push("a guard against signals to the user's other processes (Landlock of Linux 6.12)".to_string());
    }
    found.push("a memory limit of the kernel's (a delegated cgroup): memory is watched instead".to_string());
    if tier < Tier::Isolated || rustix::process::geteuid().is_root() {
        found.push(
            "a task limit of the kernel's (a user namespace, and not root): tasks are watched instead".to_string(),
        );
    }
    found
}

/// Runs this program once in that tier, to look for holes. Says what the machine lacks for it, if it does.
fn attempt(tier: Tier) -> Result<Option<String>> {
    let folder = Scratch::new()?;
    let (work, secret) = (folder.path().join("work"), folder.path().join("secret"));
    fs::create_dir(&work).map_err(Error::io("create", &work))?;
    fs::write(&secret, "secret").map_err(Error::io("write", &secret))?;
    let program = PathBuf::from(THIS_PROGRAM);
    let network = fs::read_link("/proc/self/ns/net").unwrap_or_default();
    let order = Order {
        args: vec![
            LOOK_AROUND.into(),
            format!("{}", tier as u8).into(),
            secret.into_os_string(),
            network.into_os_string(),
        ],
        environment: Vec::new(),
        record: false,
        tier,
        files: files::of_a_test(&program, &work, false),
        folder: work,
        network: true,
        processes: false,
        allowance: ALLOWANCE,
        program,
    };
    match ask(&order, &Cancel::default())? {
        Answer::NotRun(NotRun::Lacking(what)) => Ok(Some(what)),
        Answer::NotRun(NotRun::Failed(what)) => Err(unknown(&what)),
        Answer::Ended(ended) if ended.ending == Ending::Exited(0) => Ok(None),
        Answer::Ended(ended) => {
            let hole = HOLES.iter().find(|(number, _)| ended.ending == Ending::Exited((*number).into()));
            let (_, hole) = hole.ok_or_else(|| unknown(&format!("{:?} {}", ended.ending, ended.stderr.trim())))?;
            Ok(Some((*hole).to_string()))
        }
    }
}

/// The look around did not come to its end.
fn unknown(why: &str) -> Error {
    Error::new(
        format!("cannot find out how far this machine keeps submissions apart: {why}"),
        "See whether it has memory, processes and room on the disk left, then run the command again.",
    )
}

/// Tries what a confined process must not be able to do. Its exit code is what it found.
pub(crate) fn look_around(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let tier = args.next().and_then(|tier| tier.to_str()?.parse::<u8>().ok());
    let (Some(tier), Some(secret), Some(network)) = (tier, args.next(), args.next()) else {
        return ExitCode::FAILURE;
    };
    let hole = if tier >= Tier::Confined as u8 { hole(Path::new(&secret)) } else { None };
    let hole = hole.or_else(|| if tier >= Tier::Isolated as u8 { network_hole(Path::new(&network)) } else { None });
    hole.map_or(ExitCode::SUCCESS, ExitCode::from)
}

fn hole(secret: &Path) -> Option<u8> {
    let refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    let writable = |path: &Path| fs::OpenOptions::new().write(true).open(path).is_ok();
    if fs::read(secret).is_ok() {
        return Some(11);
    }
    if writable(secret) || fs::write(secret.with_extension("new"), "").is_ok() {
        return Some(12);
    }
    if !UnixStream::connect("/nowhere").is_err_and(|error| refused(&error)) {
        return Some(13);
    }
    writable(Path::new("/proc/self/mem")).then_some(16)
}

fn network_hole(outside: &Path) -> Option<u8> {
    if fs::read_link("/proc/self/ns/net").is_ok_and(|own| own == outside) {
        return Some(14);
    }
    let connected = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| Ok((TcpStream::connect(listener.local_addr()?)?, listener.accept()?)));
    connected.is_err().then_some(15)
}
