//! Which system calls a confined program may make: seccomp.
//!
//! A list of what is refused, not of what is allowed: a kata may use whatever `std` and its crates use, and the kernel already
//! says no to most of what needs a privilege. What is listed here either reaches beyond the program itself, or is a large part
//! of the kernel that no kata needs. Calls that are newer than this list don't exist, as on an older kernel.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};

/// Reaches into other processes, or undoes what keeps this one in. A new session or process group would escape the one signal
/// that ends them all.
const OTHERS: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_tkill,
];

/// Large parts of the kernel that no kata needs.
const UNNEEDED: &[i64] = &[
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_personality,
    libc::SYS_lookup_dcookie,
    libc::SYS_vhangup,
    libc::SYS_remap_file_pages,
    libc::SYS_mbind,
    libc::SYS_set_mempolicy,
];

/// Memory that belongs to no process, and so escapes the watch over it.
const OWNERLESS_MEMORY: &[i64] = &[
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
];

/// Changes what a file is, not what is in it: Landlock lets that pass for every file that the user owns, and `std` can do it
/// without `unsafe`.
const FILES: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// Changes the machine, or who the program is. The kernel refuses most of it anyway: this holds when the grader is root.
const MACHINE: &[i64] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_nfsservctl,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
];

/// Calls that newer kinds of processors do without.
#[cfg(target_arch = "x86_64")]
const OLD: &[i64] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[i64] = &[];

/// The two calls that only ever start a process.
#[cfg(target_arch = "x86_64")]
const FORKS: &[i64] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FORKS: &[i64] = &[];

/// Signals by other means than `kill` and `tgkill`.
const OTHER_SIGNALS: &[i64] =
    &[libc::SYS_pidfd_send_signal, libc::SYS_pidfd_open, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo];

/// The first call that is newer than this list, with the same number on every kind of processor. On x86-64, the numbers of the
/// x32 interface are beyond it too: a second set of numbers for the same calls.
const NEWER: u32 = 453;

/// The options of `prctl` that would let a process outlive its supervisor, or hide from its watch.
const HIDING: [i32; 5] =
    [libc::PR_SET_PDEATHSIG, libc::PR_SET_CHILD_SUBREAPER, libc::PR_SET_DUMPABLE, libc::PR_SET_MM, libc::PR_SET_PTRACER];

/// Requests by `ioctl` that change attributes of a file which is open for reading only, or type on a terminal.
const REQUESTS: [u32; 4] = [0x4008_6602, 0x401c_5820, libc::TIOCSTI as u32, libc::TIOCLINUX as u32];

/// The namespaces that `clone` can make.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// Confines this process, and all that it will start, to what a program with these needs may ask the kernel for.
///
/// # Errors
/// The kernel has no seccomp filters, or this kind of processor is not known.
pub(crate) fn confine(network: bool, processes: bool) -> Result<(), String> {
    let filter = filter(network, processes, std::process::id())?;
    seccompiler::apply_filter(&filter).and_then(|()| seccompiler::apply_filter(&nothing_newer())).map_err(|error| {
        let cause = match &error {
            seccompiler::Error::Prctl(cause) | seccompiler::Error::Seccomp(cause) => cause.to_string(),
            other => other.to_string(),
        };
        format!("seccomp: {cause}")
    })
}

/// The filter for a process with this number.
fn filter(network: bool, processes: bool, own: u32) -> Result<BpfProgram, String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in [OTHERS, UNNEEDED, OWNERLESS_MEMORY, FILES, MACHINE, OLD].concat() {
        rules.insert(call, Vec::new());
    }
    // Other processes' limits; one's own are process 0.
    rules.insert(libc::SYS_prlimit64, vec![when([not(0, 0)])]);
    rules.insert(libc::SYS_prctl, HIDING.iter().map(|option| when([equal(0, *option as u32)])).collect());
    rules.insert(libc::SYS_ioctl, REQUESTS.iter().map(|request| when([equal(1, *request)])).collect());
    let sockets = match network {
        // Of all kinds of sockets only those of the Internet: none of the machine's services, such as Docker's, are asked.
        true => vec![when([not(0, libc::AF_INET as u32), not(0, libc::AF_INET6 as u32)])],
        false => Vec::new(),
    };
    rules.insert(libc::SYS_socket, sockets);
    let mut clones: Vec<SeccompRule> = bits(NAMESPACES).map(|bit| when([has(0, bit)])).collect();
    if !processes {
        clones.push(when([lacks(0, libc::CLONE_THREAD as u32)]));
        for call in [FORKS, OTHER_SIGNALS].concat() {
            rules.insert(call, Vec::new());
        }
        for call in [libc::SYS_kill, libc::SYS_tgkill] {
            rules.insert(call, vec![when([not(0, own)])]);
        }
    }
    rules.insert(libc::SYS_clone, clones);
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| format!("seccomp: {error:?}"))?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), architecture)
        .and_then(BpfProgram::try_from)
        .map_err(|error| format!("seccomp: {error}"))
}

/// All of these conditions together.
fn when<const N: usize>(conditions: [SeccompCondition; N]) -> SeccompRule {
    SeccompRule::new(conditions.into()).expect("a rule has a condition")
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u32) -> SeccompCondition {
    // The kernel itself looks at the lower half of each of these arguments only.
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value.into()).expect("a call has six arguments")
}

fn equal(argument: u8, value: u32) -> SeccompCondition {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn not(argument: u8, value: u32) -> SeccompCondition {
    condition(argument, SeccompCmpOp::Ne, value)
}

fn has(argument: u8, bit: u32) -> SeccompCondition {
    condition(argument, SeccompCmpOp::MaskedEq(bit.into()), bit)
}

fn lacks(argument: u8, bit: u32) -> SeccompCondition {
    condition(argument, SeccompCmpOp::MaskedEq(bit.into()), 0)
}

fn bits(flags: i32) -> impl Iterator<Item = u32> {
    (0..32).map(|bit| 1_u32 << bit).filter(move |bit| flags as u32 & bit != 0)
}

/// "No such call" to what is newer than our list. So is `clone3`, whose flags a filter can't see: libraries then use `clone`.
fn nothing_newer() -> BpfProgram {
    let step = |code: u32, jt, jf, k| sock_filter { code: code as u16, jt, jf, k };
    let no_such_call = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    vec![
        // The call's number is the first field of `struct seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 2, 0, NEWER),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, libc::SYS_clone3 as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, no_such_call),
    ]
}
