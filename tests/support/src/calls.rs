//! What a sleeping thread waits for, as far as the system says: the call that it is in, and what is at the other end of its pipe or
//! socket.
//!
//! Linux has this in `/proc`, with the numbers of its calls, which differ by processor. Elsewhere, and where it may not be read, nothing
//! is said.

use std::collections::BTreeSet;
use std::fs;

use crate::tasks::{Task, told};

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// Input from the file of its first argument.
    Reads,
    /// Room in the file of its first argument.
    Writes,
    /// Somebody who connects to the socket of its first argument.
    Accepts,
    /// The other side of a new connection.
    Connects,
    /// The end of the child process of this argument.
    Child(usize),
    /// Another thread.
    Thread,
    /// The lock of a file.
    FileLock,
    /// Any of several files.
    Files,
    /// Time to pass.
    Time,
}

#[cfg(target_arch = "x86_64")]
const CALLS: &[(Call, &[u64])] = &[
    (Call::Reads, &[0, 19, 45, 47]),
    (Call::Writes, &[1, 20, 44, 46]),
    (Call::Accepts, &[43, 288]),
    (Call::Connects, &[42]),
    (Call::Child(0), &[61]),
    (Call::Child(1), &[247]),
    (Call::Thread, &[202]),
    (Call::FileLock, &[72, 73]),
    (Call::Files, &[7, 23, 232, 270, 271, 281]),
    (Call::Time, &[35, 230]),
];
#[cfg(target_arch = "aarch64")]
const CALLS: &[(Call, &[u64])] = &[
    (Call::Reads, &[63, 65, 207, 212]),
    (Call::Writes, &[64, 66, 206, 211]),
    (Call::Accepts, &[202, 242]),
    (Call::Connects, &[203]),
    (Call::Child(0), &[260]),
    (Call::Child(1), &[95]),
    (Call::Thread, &[98]),
    (Call::FileLock, &[25, 32]),
    (Call::Files, &[22, 72, 73]),
    (Call::Time, &[101, 115]),
];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const CALLS: &[(Call, &[u64])] = &[];

/// What a thread waits for, in words. `family` are all threads of the test, among them those at the other end of a pipe.
pub(crate) fn awaited(task: &Task, family: &[Task]) -> Option<String> {
    let text = told(format!("/proc/{}/task/{}/syscall", task.process, task.id))?;
    let (call, arguments) = parsed(&text)?;
    let file = || file(task, *arguments.first()?, family);
    Some(match call {
        Call::Reads => format!("waits for input from {}", file()?),
        Call::Writes => format!("waits for room in {}", file()?),
        Call::Accepts => format!("waits for somebody to connect to {}", file()?),
        Call::Connects => "waits for a connection".to_owned(),
        Call::Child(place) => match *arguments.get(place)? as u32 as i32 {
            child @ 1.. => format!("waits for process {child} to end"),
            _ => "waits for a child process to end".to_owned(),
        },
        Call::Thread => "waits for another thread".to_owned(),
        Call::FileLock => format!("waits for the lock of {}", file()?),
        Call::Files => "waits for input or room at one of its files".to_owned(),
        Call::Time => "sleeps until its time is over".to_owned(),
    })
}

/// `0 0x5 0x7ffc 0x2000 …`: the call's number, and its arguments.
fn parsed(text: &str) -> Option<(Call, Vec<u64>)> {
    let mut words = text.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    let (call, _) = CALLS.iter().find(|(_, numbers)| numbers.contains(&number))?;
    let arguments = words.map_while(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    Some((*call, arguments))
}

/// What a file of a process is: `a pipe that cat (process 7) has open`, `a socket from port 80 to port 4711`.
fn file(task: &Task, number: u64, family: &[Task]) -> Option<String> {
    let target = fs::read_link(format!("/proc/{}/fd/{number}", task.process)).ok()?.to_string_lossy().into_owned();
    if target.starts_with("pipe:") {
        let others: BTreeSet<(u32, &str)> = family
            .iter()
            .filter(|other| other.process != task.process && other.process == other.id)
            .filter(|other| has_open(other.process, &target))
            .map(|other| (other.process, &other.name[..]))
            .collect();
        let named: Vec<String> = others.iter().map(|(process, name)| format!("{name} (process {process})")).collect();
        return Some(match &named[..] {
            [] => "a pipe that no other process of the test has open".to_owned(),
            [one] => format!("a pipe that {one} has open, too"),
            several => format!("a pipe that {} have open, too", several.join(" and ")),
        });
    }
    match target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')) {
        Some(inode) => Some(socket(task.process, inode).unwrap_or_else(|| "a socket".to_owned())),
        None => Some(format!("the file {target}")),
    }
}

/// Whether a process has this file open.
fn has_open(process: u32, target: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|link| link.as_os_str() == target)
}

/// The ports of a connection, or of a socket that listens.
fn socket(process: u32, inode: &str) -> Option<String> {
    let tables = ["tcp", "tcp6"].map(|table| told(format!("/proc/{process}/net/{table}")).unwrap_or_default());
    let row = tables.iter().flat_map(|table| table.lines()).find(|row| row.split_whitespace().nth(9) == Some(inode))?;
    let mut fields = row.split_whitespace().skip(1);
    let mut port = || u16::from_str_radix(fields.next()?.rsplit_once(':')?.1, 16).ok();
    match (port()?, port()?) {
        (own, 0) => Some(format!("the socket of port {own}")),
        (own, other) => Some(format!("the connection from port {own} to port {other}")),
    }
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::process::{Command, Stdio};
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::tasks::{family, own_id};

    /// Looks until the thread waits for that. It may have to begin first, and a child is a copy of this process before it is `cat`.
    fn assert_awaits(id: u32, expected: &str) {
        let begun = Instant::now();
        let mut seen = None;
        while begun.elapsed() < Duration::from_secs(60) {
            let family = family().expect("Linux tells");
            seen = family.iter().find(|task| task.id == id).and_then(|task| awaited(task, &family));
            if seen.as_deref() == Some(expected) {
                return;
            }
            thread::yield_now();
        }
        panic!("it waits for {seen:?}, not for {expected}");
    }

    #[test]
    fn a_reader_waits_for_whoever_has_the_other_end() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (tell, begun) = channel();
        let reader = thread::spawn(move || {
            tell.send(own_id().unwrap()).unwrap();
            let _ = output.read(&mut [0]);
        });
        let other = format!("waits for input from a pipe that cat (process {}) has open, too", child.id());
        assert_awaits(begun.recv().unwrap(), &other);
        drop(child.stdin.take());
        reader.join().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_server_and_its_client_are_told_by_their_ports() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, begun) = channel();
        let server = thread::spawn(move || {
            tell.send(own_id().unwrap()).unwrap();
            let mut client = listener.accept().unwrap().0;
            let _ = client.read(&mut [0]);
        });
        let id = begun.recv().unwrap();
        assert_awaits(id, &format!("waits for somebody to connect to the socket of port {port}"));
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let other = client.local_addr().unwrap().port();
        assert_awaits(id, &format!("waits for input from the connection from port {port} to port {other}"));
        drop(client);
        server.join().unwrap();
    }

    #[test]
    fn a_call_is_known_by_its_number_and_what_is_none_is_not() {
        let reads = CALLS[0].1[0];
        assert_eq!(
            parsed(&format!("{reads} 0x5 0x10 0x7ffc 0x7f00")),
            Some((Call::Reads, vec![5, 16, 0x7ffc, 0x7f00]))
        );
        assert_eq!(parsed("running"), None);
        assert_eq!(parsed("-1 0x7ffc 0x7f00"), None);
    }
}
