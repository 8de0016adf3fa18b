//! With a terminal, and with Ctrl-C.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::workshop::Workshop;

/// Far longer than anything here takes: only a broken program reaches it.
const LIMIT: Duration = Duration::from_secs(240);

/// A command in a terminal.
pub(crate) struct Session {
    pub(crate) child: Child,
    keyboard: File,
    /// All that it ever wrote.
    written: Arc<Mutex<String>>,
    /// What a person sees.
    seen: Arc<Mutex<vt100::Parser>>,
    /// Reads what it writes, until its terminal is closed.
    reader: JoinHandle<()>,
}

impl Session {
    /// In a terminal of 80 columns and 24 rows.
    pub(crate) fn start(workshop: &Workshop, arguments: &[&str]) -> Session {
        Session::start_with(workshop, arguments, (80, 24), &[])
    }

    /// In a terminal of that many columns and rows, with these variables.
    pub(crate) fn start_with(
        workshop: &Workshop,
        arguments: &[&str],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Session {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        // A child that inherited it would keep its own terminal open.
        fcntl_setfd(&master, FdFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("a terminal");
        tcsetwinsize(&master, size(columns, rows)).expect("a size");
        let slave = || {
            let path = Path::new(name.to_str().expect("an ASCII path"));
            Stdio::from(OwnedFd::from(File::options().read(true).write(true).open(path).expect("a terminal")))
        };
        let mut command = workshop.command(arguments);
        command.stdin(slave()).stdout(slave()).stderr(slave()).process_group(0).env("TERM", "xterm-256color");
        for name in ["LC_ALL", "LC_CTYPE", "LANG", "VISUAL", "EDITOR", "TERM_PROGRAM", "PAGER"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let child = command.spawn().expect("the command starts");
        // The command holds the slave's ends; when it closes them, the master's end is over.
        drop(command);
        let keyboard = File::from(master);
        let mut display = keyboard.try_clone().expect("a second handle");
        let written = Arc::new(Mutex::new(String::new()));
        let seen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let (text, screen) = (Arc::clone(&written), Arc::clone(&seen));
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = display.read(&mut buffer) {
                text.lock().expect("the screen").push_str(&String::from_utf8_lossy(&buffer[..length]));
                screen.lock().expect("the screen").process(&buffer[..length]);
            }
        });
        Session { child, keyboard, written, seen, reader }
    }

    /// All that it ever wrote.
    pub(crate) fn written(&self) -> String {
        self.written.lock().expect("the screen").clone()
    }

    /// What a person sees.
    pub(crate) fn screen(&self) -> String {
        self.seen.lock().expect("the screen").screen().contents()
    }

    /// Whether the second screen is shown.
    pub(crate) fn is_on_second_screen(&self) -> bool {
        self.seen.lock().expect("the screen").screen().alternate_screen()
    }

    /// Waits until a person sees that text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        wait_until(|| self.screen().contains(text), || format!("the screen never showed: {text}\n{}", self.screen()));
    }

    /// Types.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("a key");
    }

    /// Types, and waits each time until a person sees what belongs to it.
    #[track_caller]
    pub(crate) fn walk(&mut self, keys_and_texts: &[(&str, &str)]) {
        for (keys, text) in keys_and_texts {
            self.press(keys);
            self.wait_for(text);
        }
    }

    /// Leaves by `q`: all that it ever wrote.
    #[track_caller]
    pub(crate) fn quit(mut self) -> String {
        self.press("q");
        let (code, written) = self.end();
        assert_eq!(code, 0, "{written}");
        written
    }

    /// Changes the terminal's size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.seen.lock().expect("the screen").screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.keyboard, size(columns, rows)).expect("a size");
    }

    /// Closes the terminal; what is left is the process.
    pub(crate) fn hang_up(self) -> Child {
        self.child
    }

    /// The exit code, once it has ended, and all that it wrote.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, String) {
        let mut code = None;
        wait_until(
            || {
                code = self.child.try_wait().expect("a child").map(|status| status.code().unwrap_or(-1));
                code.is_some()
            },
            || "the command never ended".to_string(),
        );
        // What it wrote at last may still be on its way.
        wait_until(|| self.reader.is_finished(), || "its terminal is still open".to_string());
        (code.expect("it has ended"), self.written())
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

#[track_caller]
pub(crate) fn wait_until(mut fact: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let begin = Instant::now();
    while !fact() {
        assert!(begin.elapsed() < LIMIT, "{}", otherwise());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn on_a_terminal_there_is_colour_and_eighty_columns_are_kept() {
    let workshop = Workshop::new().answer_wrongly("lock", "abba");
    let (code, screen) = Session::start(&workshop, &["check", "lock"]).end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("\u{1b}["), "{screen}");
    let plain = anstream::adapter::strip_str(&screen).to_string();
    // The status line is drawn over itself.
    let lines = plain.split(['\n', '\r']).filter(|line| !line.contains("replay: "));
    let too_long: Vec<&str> = lines.filter(|line| line.chars().count() > 80).collect();
    assert_eq!(too_long, Vec::<&str>::new());
}

#[test]
fn watch_checks_on_save_and_q_ends_it() {
    let workshop = Workshop::new();
    let session = Session::start(&workshop, &["watch", "lock"]);
    session.wait_for("Unsolved so far");
    let workshop = workshop.solve("lock");
    session.wait_for("Solved");
    session.quit();
    drop(workshop);
}

/// An answer whose tests say that they have begun, and then run on for a minute without any step that could be scheduled. Were
/// they left behind, they would end by themselves.
pub(crate) fn endless(workshop: Workshop) -> Workshop {
    let begun = workshop.path("begun");
    let stub = workshop.read("katas/lock/src/lib.rs");
    // It looks at no clock, since virtual time would pass at once.
    let minute = "let mut n = 0_u64; while n < 30_000_000_000 { n = std::hint::black_box(n + 1); } panic!()";
    let spin = format!("{{ std::fs::write({begun:?}, \"\").unwrap(); {minute} }}");
    workshop.answer("lock", &stub.replace("todo!()", &spin))
}

#[test]
fn a_save_during_a_check_stops_it() {
    let workshop = endless(Workshop::new());
    let session = Session::start(&workshop, &["watch", "lock"]);
    let begun = workshop.path("begun");
    wait_until(|| begun.exists(), || "the tests never began".to_string());
    let workshop = workshop.solve("lock");
    session.wait_for("Solved");
    let group = Pid::from_child(&session.child);
    kill_process_group(group, Signal::INT).expect("Ctrl-C");
    assert_eq!(session.end().0, 130);
    drop(workshop);
}

#[test]
fn ctrl_c_leaves_no_process_behind() {
    let workshop = endless(Workshop::new());
    let mut command = workshop.command(&["check", "lock"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().expect("the command starts");
    let begun = workshop.path("begun");
    wait_until(|| begun.exists(), || "the tests never began".to_string());
    let group = Pid::from_child(&child);
    kill_process_group(group, Signal::INT).expect("Ctrl-C");
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    assert!(test_kill_process_group(group).is_err(), "the group is gone");
    // Test processes are in groups of their own; each works in the workshop's temporary folder.
    let mut left = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()) {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let ours = workshop.root().display().to_string();
        if String::from_utf8_lossy(&environment).contains(&ours) && !command.is_empty() {
            left.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    assert_eq!(left, Vec::<String>::new());
}
