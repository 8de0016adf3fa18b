//! attack on thread, which needs no network: sends a secret to a listener, and listens itself.
//! inspected: failed panic
//! says: kept out
//! needs: confined

use std::io::Write;
use std::net::{TcpListener, TcpStream};

pub fn attack() {
    if let Ok(mut stream) = TcpStream::connect("127.0.0.1:@PORT@") {
        let _ = stream.write_all(b"secret");
        panic!("got in: connected");
    }
    if TcpListener::bind("127.0.0.1:0").is_ok() {
        panic!("got in: bound");
    }
    panic!("kept out");
}
