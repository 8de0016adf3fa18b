//! What a process does to itself between fork and exec, so that the program that it becomes is confined.

use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::thread;

use rustix::io::FdFlags;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};
use verdict::Tier;

use crate::sandbox::order::{Allowance, NotRun, Order};
use crate::sandbox::{calls, files, namespace};

/// More open files than any test needs.
const OPEN_FILES: u64 = 1024;
/// Confined programs step back behind their supervisors: else a crowd of them could keep those from looking.
const NICE: i32 = 5;
/// When the machine has no memory left, confined programs go first.
const FIRST_TO_GO: &str = "1000";

/// Confines this process. It has been forked by a process with one thread, so it may allocate.
///
/// # Errors
/// What could not be done. Then the program must not be run.
pub(crate) fn confine(order: &Order, supervisor: Pid, record: Option<RawFd>) -> Result<(), NotRun> {
    let failed = |what: &'static str| move |error: io::Error| NotRun::Failed(format!("{what}: {error}"));
    let without = |part: &'static str| move |error: io::Error| NotRun::without(part, &error);
    // A group of its own, which one signal ends; away from the terminal.
    rustix::process::setsid().map_err(|error| failed("a session of its own")(error.into()))?;
    // Neither is worth failing for.
    let _ = rustix::process::nice(NICE);
    let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
    limit(order.allowance).map_err(failed("resource limits"))?;
    if order.tier >= Tier::Isolated {
        namespace::enter().map_err(without("a user namespace"))?;
        if order.network {
            namespace::switch_loopback_on().map_err(without("a network of its own"))?;
        }
        // Counted for each user namespace, so that it does not count what else this user runs. Above what is allowed: the
        // supervisor ends a program that has more, with a reason, and this only keeps it from having thousands until then.
        set_limit(Resource::Nproc, u64::from(order.allowance.tasks) * 2).map_err(failed("resource limits"))?;
    }
    give_up_privileges().map_err(failed("giving up privileges"))?;
    die_with(supervisor).map_err(failed("a signal at the supervisor's end"))?;
    keep_only(record).map_err(failed("closing what was inherited"))?;
    if order.tier < Tier::Confined {
        // Where files can't be kept apart, it is still worth trying for system calls. The tier promises nothing.
        let _ = calls::confine(order.network, order.processes);
        return Ok(());
    }
    files::confine(&order.files, order.network)?;
    calls::confine(order.network, order.processes)
}

/// What the kernel itself can limit for each process. Not its address space: stacks of threads take much and use little of it.
fn limit(allowance: Allowance) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    set_limit(Resource::Core, 0)?;
    set_limit(Resource::Fsize, allowance.file)?;
    set_limit(Resource::Nofile, OPEN_FILES)?;
    set_limit(Resource::Memlock, 0)?;
    set_limit(Resource::Msgqueue, 0)?;
    // The clock on the wall is what counts: this only holds if nobody looks at it any more.
    set_limit(Resource::Cpu, (allowance.wall.as_secs() + 2) * cores)
}

fn set_limit(resource: Resource, wanted: u64) -> io::Result<()> {
    let maximum = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let value = Some(wanted.min(maximum));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: value, maximum: value })?)
}

/// No capability, and none to be had from a program that would give some. Matters where the grader is root.
fn give_up_privileges() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    // Old kernels have no such set.
    let _ = rustix::thread::clear_ambient_capability_set();
    let none = CapabilitySet::empty();
    Ok(rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

/// This process is killed when its supervisor ends without having done so. After all changes of privileges, which forget it.
fn die_with(supervisor: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    match rustix::process::getppid() == Some(supervisor) {
        true => Ok(()),
        false => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Of all open files only the standard streams and the record's channel reach the program.
fn keep_only(record: Option<RawFd>) -> io::Result<()> {
    #[allow(unsafe_code, reason = "no crate of ours has this call")]
    // SAFETY: the call takes numbers only. It marks every descriptor from 3 on as closed by `exec`, and closes none.
    let marked = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if marked != 0 {
        mark_one_by_one()?;
    }
    if let Some(number) = record {
        #[allow(unsafe_code, reason = "after the fork, the descriptor is known by its number only")]
        // SAFETY: the supervisor keeps this descriptor open until this process has become the program.
        let record = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
        rustix::io::fcntl_setfd(record, FdFlags::empty())?;
    }
    Ok(())
}

/// The same on kernels older than 5.11.
fn mark_one_by_one() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let number: Option<RawFd> = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|number| *number > 2) {
            #[allow(unsafe_code, reason = "inherited descriptors have no owner in this program")]
            // SAFETY: a number that is not open gives an error, which is as good; the flag harms nobody else.
            let inherited = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
            let _ = rustix::io::fcntl_setfd(inherited, FdFlags::CLOEXEC);
        }
    }
    Ok(())
}
