//! Sockets of Rust's standard library, which wait: a listener, connections to it, datagrams, names, and what is denied.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

fn main() -> std::io::Result<()> {
    streams()?;
    datagrams()?;
    let found: Vec<_> = ("granted.example", 80).to_socket_addrs()?.collect();
    assert_eq!(found.len(), 1);
    assert!(("other.example", 80).to_socket_addrs().is_err());
    for address in ["169.254.169.254:80", "10.0.0.1:22", "[::1]:80"] {
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::PermissionDenied, "{address}");
    }
    assert!(TcpListener::bind("0.0.0.0:0").is_err());
    println!("net: all as it should be");
    Ok(())
}

fn streams() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, peer) = listener.accept()?;
    assert_eq!(peer, client.local_addr()?);
    client.write_all(b"question")?;
    client.shutdown(Shutdown::Write)?;
    let mut question = String::new();
    server.read_to_string(&mut question)?;
    assert_eq!(question, "question");
    let large = vec![7u8; 300_000];
    let mut received = Vec::new();
    for part in large.chunks(30_000) {
        server.write_all(part)?;
        let mut into = vec![0; part.len()];
        client.read_exact(&mut into)?;
        received.extend(into);
    }
    drop(server);
    assert!(received == large);
    assert_eq!(client.read(&mut [0; 8])?, 0);
    Ok(())
}

fn datagrams() -> std::io::Result<()> {
    let one = UdpSocket::bind("127.0.0.1:0")?;
    let two = UdpSocket::bind("127.0.0.1:0")?;
    one.send_to(b"ping", two.local_addr()?)?;
    let mut into = [0; 16];
    let (length, from) = two.recv_from(&mut into)?;
    assert_eq!((&into[..length], from), (&b"ping"[..], one.local_addr()?));
    Ok(())
}
