//! attack on thread: its last words are markup, terminal commands, commands to the CI system, and a formula.
//! inspected: failed panic
//! says: alert

pub fn attack() {
    let words = "\u{1b}]0;owned\u{7}\u{1b}[2J<script>alert(1)</script><img src=x onerror=alert(1)>\n::error file=x::owned\n\
                 ::stop-commands::owned\n##vso[task.complete result=Succeeded]\n=cmd|' /C calc'!A0\n]]>\u{0}\u{8}\u{202e}\
                 [click](javascript:alert(1)) | `x` | @everyone\nsection_start:0:owned\r\u{1b}[0K";
    println!("{words}");
    eprintln!("{words}");
    panic!("{words}");
}
