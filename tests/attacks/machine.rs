//! The machine around the grader: what attacks reach for, and whether they got there.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A process of the same user that has nothing to do with the grader, and listeners on this machine that must hear nothing.
pub(crate) struct Machine {
    victim: Child,
    /// What the kernel says about the victim: its priority, its limits, its cores.
    victim_is: String,
    tcp: TcpListener,
    udp: UdpSocket,
    by_path: UnixListener,
    by_name: UnixListener,
}

impl Machine {
    /// Everything ready. `socket` is the path, `name` the abstract name of a service of this machine.
    pub(crate) fn ready(socket: &Path, name: &str) -> Machine {
        // It waits for the end of its input, which comes with our own end at the latest.
        let victim = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("a victim");
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let by_path = UnixListener::bind(socket).expect("a listener");
        let abstract_name = SocketAddr::from_abstract_name(name).expect("a name");
        let by_name = UnixListener::bind_addr(&abstract_name).expect("a listener");
        tcp.set_nonblocking(true).expect("a mode");
        udp.set_nonblocking(true).expect("a mode");
        by_path.set_nonblocking(true).expect("a mode");
        by_name.set_nonblocking(true).expect("a mode");
        let victim_is = state(victim.id());
        Machine { victim, victim_is, tcp, udp, by_path, by_name }
    }

    /// The number of the process that nobody may touch.
    pub(crate) fn victim(&self) -> u32 {
        self.victim.id()
    }

    /// The ports of the listeners: TCP, UDP.
    pub(crate) fn ports(&self) -> [u16; 2] {
        [self.tcp.local_addr().expect("an address").port(), self.udp.local_addr().expect("an address").port()]
    }

    /// What attacks have achieved here.
    pub(crate) fn harm(&mut self) -> Vec<String> {
        let mut harm = Vec::new();
        match self.victim.try_wait().expect("it is our own child") {
            Some(status) => harm.push(format!("a stranger's process was ended: {status}")),
            None if state(self.victim.id()) != self.victim_is => {
                harm.push(format!("a stranger's process was {}, and is {}", self.victim_is, state(self.victim.id())));
            }
            None => {}
        }
        let mut byte = [0; 1];
        let heard = [
            ("TCP", self.tcp.accept().err()),
            ("UDP", self.udp.recv(&mut byte).err()),
            ("a socket with a path", self.by_path.accept().err()),
            ("a socket with a name", self.by_name.accept().err()),
        ];
        for (who, error) in heard {
            if error.map(|error| error.kind()) != Some(ErrorKind::WouldBlock) {
                harm.push(format!("a listener was spoken to by {who}"));
            }
        }
        harm
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

/// What others can change about a process: its priority, its limits, the cores it runs on.
fn state(id: u32) -> String {
    let told =
        |file: &str| String::from_utf8_lossy(&fs::read(format!("/proc/{id}/{file}")).unwrap_or_default()).into_owned();
    let stat = told("stat");
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let nice = after_name.split_whitespace().nth(16).unwrap_or_default();
    let limits = told("limits");
    let status = told("status");
    let cores = status.lines().find(|line| line.starts_with("Cpus_allowed_list")).unwrap_or_default();
    let kept: Vec<&str> =
        limits.lines().filter(|line| line.contains("cpu time") || line.contains("open files")).collect();
    format!("nice {nice}, {cores}, {}", kept.join(", "))
}

/// Ends processes that attacks have left: those that were started in this folder or know it from their environment, and those
/// whose command has this word. Says which.
pub(crate) fn end_left_over(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let folder = folder.display().to_string();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let place = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let read =
            |name: &str| String::from_utf8_lossy(&fs::read(entry.path().join(name)).unwrap_or_default()).into_owned();
        let (command, environment) = (read("cmdline").replace('\0', " "), read("environ"));
        let known = [&command, &environment].iter().any(|text| text.contains(&folder));
        if known || place.starts_with(&folder) || command.contains(word) {
            found.push(format!("process {id} is left: {command}"));
            if let Some(process) = Pid::from_raw(id) {
                let _ = kill_process(process, Signal::KILL);
            }
        }
    }
    found
}
