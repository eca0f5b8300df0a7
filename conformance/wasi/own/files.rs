//! What Rust's standard library does with files, and what it must not be able to do.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

fn main() -> std::io::Result<()> {
    fs::create_dir_all("/a/b")?;
    fs::write("/a/b/text", "one\ntwo\n")?;
    assert_eq!(fs::read_to_string("/a/b/text")?, "one\ntwo\n");
    positions()?;
    names()?;
    errors();
    outside();
    println!("files: all as it should be");
    Ok(())
}

fn positions() -> std::io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open("/a/seek")?;
    file.write_all(b"0123456789")?;
    assert_eq!(file.seek(SeekFrom::End(-3))?, 7);
    let mut rest = String::new();
    file.read_to_string(&mut rest)?;
    assert_eq!(rest, "789");
    file.seek(SeekFrom::Start(20))?;
    file.write_all(b"x")?;
    assert_eq!(file.metadata()?.len(), 21);
    file.set_len(4)?;
    drop(file);
    let mut file = OpenOptions::new().append(true).open("/a/seek")?;
    file.write_all(b"end")?;
    file.sync_all()?;
    assert_eq!(fs::read("/a/seek")?, b"0123end");
    let large = vec![7u8; 3_000_000];
    fs::write("/a/large", &large)?;
    assert!(fs::read("/a/large")? == large);
    fs::remove_file("/a/large")
}

fn names() -> std::io::Result<()> {
    fs::rename("/a/seek", "/a/b/moved")?;
    fs::hard_link("/a/b/moved", "/a/second")?;
    assert_eq!(fs::read("/a/second")?, b"0123end");
    fs::copy("/a/second", "/a/third")?;
    let mut found: Vec<String> =
        fs::read_dir("/a")?.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, ["b", "second", "third"]);
    assert!(fs::metadata("/a/b")?.is_dir());
    assert!(fs::metadata("/a/third")?.modified()? > std::time::SystemTime::UNIX_EPOCH);
    fs::remove_file("/a/third")?;
    for index in 0..300 {
        fs::write(format!("/a/b/{index}"), "x")?;
    }
    assert_eq!(fs::read_dir("/a/b")?.count(), 302);
    fs::remove_dir_all("/a")
}

fn errors() {
    let kind = |result: std::io::Result<()>| result.unwrap_err().kind();
    assert_eq!(kind(File::open("/none").map(drop)), ErrorKind::NotFound);
    fs::create_dir("/full").unwrap();
    fs::write("/full/file", "x").unwrap();
    assert_eq!(kind(fs::create_dir("/full")), ErrorKind::AlreadyExists);
    // Rust has no kinds for these on WASI.
    assert!(fs::remove_dir("/full").is_err());
    assert!(fs::read_dir("/full/file").is_err());
    assert!(File::create("/full").is_err());
    assert_eq!(kind(File::create_new("/full/file").map(drop)), ErrorKind::AlreadyExists);
    fs::remove_dir_all("/full").unwrap();
}

fn outside() {
    for path in ["/../outside", "../outside", "/etc/passwd", "/proc/self/environ", "x/../../../outside"] {
        assert!(fs::read(path).is_err(), "{path}");
        assert!(fs::write(path, "x").is_err(), "{path}");
    }
}
