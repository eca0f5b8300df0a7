//! Clocks, sleeping and randomness.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant, SystemTime};

fn main() {
    let years = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 31_556_952;
    assert!((55..200).contains(&years));
    let before = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    let slept = before.elapsed();
    assert!(slept >= Duration::from_millis(20) && slept < Duration::from_secs(5), "{slept:?}");
    let seeds: Vec<u64> = (0..4).map(|_| RandomState::new().hash_one(1)).collect();
    assert!(seeds.windows(2).all(|pair| pair[0] != pair[1]));
    println!("time: all as it should be");
}
