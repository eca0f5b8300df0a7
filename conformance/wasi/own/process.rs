//! What a program gets when it starts, and how it ends: arguments, variables, streams, exit code.

use std::io::{BufRead, Write};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    assert_eq!(arguments[1..], ["first", "with space", "ünïcode"]);
    assert_eq!(std::env::var("GRANTED").as_deref(), Ok("a=b\nc"));
    assert_eq!(std::env::vars().count(), 1);
    for line in std::io::stdin().lock().lines() {
        println!("read: {}", line.unwrap());
    }
    print!("no line end");
    std::io::stdout().flush().unwrap();
    eprintln!("to stderr \u{1b}[31mred");
    std::process::exit(7);
}
