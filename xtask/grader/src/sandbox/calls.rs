//! Which system calls a confined program may make: seccomp.
//!
//! A list of what is refused, not of what is allowed: a kata may use whatever `std` and its crates use, and the kernel already
//! says no to most of what needs a privilege. What is listed here either reaches beyond the program itself, or is a large part
//! of the kernel that no kata needs. Calls that are newer than this list don't exist, as on an older kernel.

use std::collections::BTreeMap;

use crate::sandbox::order::NotRun;
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
const HIDING: [i32; 5] = [
    libc::PR_SET_PDEATHSIG,
    libc::PR_SET_CHILD_SUBREAPER,
    libc::PR_SET_DUMPABLE,
    libc::PR_SET_MM,
    libc::PR_SET_PTRACER,
];

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
pub(crate) fn confine(network: bool, processes: bool) -> Result<(), NotRun> {
    let filter = filter(network, processes, std::process::id()).map_err(NotRun::Lacking)?;
    let applied = seccompiler::apply_filter(&filter).and_then(|()| seccompiler::apply_filter(&nothing_newer()));
    applied.map_err(|error| match &error {
        seccompiler::Error::Prctl(cause) | seccompiler::Error::Seccomp(cause) => NotRun::without("seccomp", cause),
        other => NotRun::without("seccomp", other),
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

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 4711;

    /// What the kernel would answer to this call: 0 if it is allowed, otherwise the error's number.
    fn answer(program: &[sock_filter], call: i64, args: &[u64]) -> u32 {
        let architecture = if cfg!(target_arch = "aarch64") { 0xC000_00B7 } else { 0xC000_003E };
        let mut data = [call as u32, architecture, 0, 0].to_vec();
        for argument in 0..6 {
            let value = args.get(argument).copied().unwrap_or_default();
            data.extend([value as u32, (value >> 32) as u32]);
        }
        let (mut accumulator, mut at) = (0_u32, 0_usize);
        loop {
            let step = &program[at];
            let jump = |yes: bool| if yes { step.jt as usize } else { step.jf as usize };
            at += 1;
            match u32::from(step.code) {
                code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => accumulator = data[step.k as usize / 4],
                code if code == libc::BPF_ALU | libc::BPF_AND | libc::BPF_K => accumulator &= step.k,
                code if code == libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K => at += jump(accumulator == step.k),
                code if code == libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K => at += jump(accumulator >= step.k),
                code if code == libc::BPF_JMP | libc::BPF_JA => at += step.k as usize,
                code if code == libc::BPF_RET | libc::BPF_K => {
                    return match step.k {
                        libc::SECCOMP_RET_ALLOW => 0,
                        errno => errno & libc::SECCOMP_RET_DATA,
                    };
                }
                code => panic!("a step that this test does not know: {code:#x}"),
            }
        }
    }

    /// Whether a program with these needs may make the call.
    fn may(network: bool, processes: bool, call: i64, args: &[u64]) -> bool {
        match answer(&filter(network, processes, OWN).unwrap(), call, args) {
            0 => true,
            error => {
                assert_eq!(error, libc::EPERM as u32);
                false
            }
        }
    }

    #[test]
    fn what_reaches_beyond_the_program_is_refused() {
        let tools = [libc::SYS_ptrace, libc::SYS_process_vm_writev, libc::SYS_setsid, libc::SYS_setpgid];
        let machine = [libc::SYS_mount, libc::SYS_unshare, libc::SYS_bpf, libc::SYS_io_uring_setup, libc::SYS_keyctl];
        let hidden = [libc::SYS_memfd_create, libc::SYS_shmget, libc::SYS_mq_open];
        let attributes = [libc::SYS_fchmod, libc::SYS_fchmodat, libc::SYS_fchownat, libc::SYS_utimensat];
        for call in [&tools[..], &machine, &hidden, &attributes].concat() {
            assert!(!may(true, true, call, &[]), "call {call}");
        }
        assert!(!may(true, true, libc::SYS_prlimit64, &[1]), "another's limits");
        assert!(may(true, true, libc::SYS_prlimit64, &[0]), "one's own limits");
        assert!(!may(true, true, libc::SYS_prctl, &[libc::PR_SET_PDEATHSIG as u64]));
        assert!(may(true, true, libc::SYS_prctl, &[libc::PR_SET_NAME as u64]));
        for call in [libc::SYS_read, libc::SYS_openat, libc::SYS_futex, libc::SYS_execve, libc::SYS_exit_group] {
            assert!(may(false, false, call, &[]), "call {call}");
        }
    }

    #[test]
    fn sockets_are_for_those_who_need_them_and_only_of_the_internet() {
        let socket = |network, family: i32| may(network, true, libc::SYS_socket, &[family as u64]);
        assert!(socket(true, libc::AF_INET) && socket(true, libc::AF_INET6));
        for family in [libc::AF_UNIX, libc::AF_NETLINK, libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG] {
            assert!(!socket(true, family), "family {family}");
        }
        assert!(!socket(false, libc::AF_INET) && !socket(false, libc::AF_UNIX));
        assert!(may(false, false, libc::SYS_socketpair, &[libc::AF_UNIX as u64]), "a pair reaches nobody else");
    }

    #[test]
    fn processes_are_for_those_who_need_them_and_namespaces_for_nobody() {
        let clone = |processes, flags: i32| may(false, processes, libc::SYS_clone, &[flags as u32 as u64]);
        let thread = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_THREAD;
        assert!(clone(false, thread) && clone(true, thread));
        assert!(clone(true, libc::SIGCHLD) && !clone(false, libc::SIGCHLD));
        assert!(bits(NAMESPACES).count() == 7 && bits(NAMESPACES).all(|bit| !clone(true, bit as i32 | libc::SIGCHLD)));
        let kill = |processes, who: u32| may(false, processes, libc::SYS_kill, &[who.into()]);
        assert!(kill(false, OWN) && !kill(false, 1) && !kill(false, u32::MAX));
        assert!(kill(true, 1), "whom it may reach is decided by Landlock");
    }

    #[test]
    fn what_is_newer_than_the_list_does_not_exist() {
        let answer = |call| answer(&nothing_newer(), call, &[]);
        assert_eq!(answer(libc::SYS_clone3), libc::ENOSYS as u32);
        assert_eq!(answer(NEWER.into()), libc::ENOSYS as u32);
        assert_eq!(answer(0x4000_0000 + libc::SYS_ptrace), libc::ENOSYS as u32, "by its number for x32");
        assert_eq!(answer(i64::from(NEWER) - 1), 0);
    }
}
