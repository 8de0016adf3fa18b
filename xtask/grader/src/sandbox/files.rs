//! Which files a confined program may use: Landlock.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};

use crate::sandbox::order::{Files, NotRun};

/// Programs and libraries of the system. Not all of `/usr`: people keep checkouts below `/usr/src` and `/usr/local/src`.
const LIBRARIES: [&str; 8] =
    ["/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/nix/store"];
/// Programs of the system.
const PROGRAMS: [&str; 6] = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/local/bin"];
/// What libraries of the system read when they start.
const SETTINGS: [&str; 16] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/ld-musl-x86_64.path",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/services",
    "/etc/protocols",
];
/// Devices that give bytes and take none.
const SOURCES: [&str; 3] = ["/dev/zero", "/dev/urandom", "/dev/random"];
/// What the kernel says: which tasks a process has, how many processors there are. Read only: whoever writes
/// `/proc/self/mem` can write anything.
const KERNEL: [&str; 3] = ["/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu"];

/// The newest version of Landlock whose rules were tried here.
const NEWEST: ABI = ABI::V7;

/// What a test process may use: its own program, the system's libraries, its working folder.
pub(crate) fn of_a_test(program: &Path, work: &Path, processes: bool) -> Files {
    let mut files = Files { run: paths(&LIBRARIES), ..Files::default() };
    files.run.push(program.to_path_buf());
    if processes {
        files.run.extend(paths(&PROGRAMS));
    }
    files.read = [&SETTINGS[..], &SOURCES, &KERNEL, &["/usr/share/zoneinfo", "/usr/share/locale"]]
        .concat()
        .iter()
        .map(PathBuf::from)
        .collect();
    files.write = vec![work.to_path_buf(), PathBuf::from("/dev/null")];
    files
}

/// What a compiler and its linker may use of the system.
pub(crate) fn of_a_compiler() -> Files {
    Files {
        run: [paths(&LIBRARIES), paths(&PROGRAMS)].concat(),
        read: paths(&SETTINGS[..6]),
        list: Vec::new(),
        write: vec![PathBuf::from("/dev/null")],
    }
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

/// Confines this process, and all that it will start, to these files. Without `network` also: no TCP.
///
/// # Errors
/// The kernel has no Landlock, or does not let us use it.
pub(crate) fn confine(files: &Files, network: bool) -> Result<(), NotRun> {
    let every = AccessFs::from_all(NEWEST);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = read | AccessFs::Execute;
    let write = every & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let restricted = || {
        let mut ruleset = Ruleset::default().handle_access(every)?.scope(Scope::from_all(NEWEST))?;
        if !network {
            ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
        }
        ruleset
            .create()?
            .add_rules(path_beneath_rules(&files.run, run))?
            .add_rules(path_beneath_rules(&files.read, read))?
            .add_rules(path_beneath_rules(&files.list, BitFlags::from(AccessFs::ReadDir)))?
            .add_rules(path_beneath_rules(&files.write, write))?
            .set_compatibility(landlock::CompatLevel::BestEffort)
            .restrict_self()
    };
    match restricted() {
        Ok(status) if status.ruleset != RulesetStatus::NotEnforced => Ok(()),
        Ok(_) => Err(NotRun::Lacking("the kernel has no Landlock".to_string())),
        Err(error) => {
            let error: RulesetError = error;
            Err(NotRun::without("Landlock", &error))
        }
    }
}
