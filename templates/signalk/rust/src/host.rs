//! Between the plugin and the host: texts are UTF-8, in by address and length, out into a buffer of the host's.

use crate::{NAME, SCHEMA, on_delta, start, stop};
use std::alloc::{Layout, alloc, dealloc};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn sk_set_status(text: *const u8, length: usize);
    fn sk_set_error(text: *const u8, length: usize);
}

pub fn set_status(text: &str) {
    unsafe { sk_set_status(text.as_ptr(), text.len()) }
}

pub fn set_error(text: &str) {
    unsafe { sk_set_error(text.as_ptr(), text.len()) }
}

const ALIGN: usize = 8;

#[unsafe(no_mangle)]
extern "C" fn allocate(length: usize) -> *mut u8 {
    unsafe { alloc(Layout::from_size_align(length.max(1), ALIGN).unwrap()) }
}

#[unsafe(no_mangle)]
extern "C" fn deallocate(block: *mut u8, length: usize) {
    unsafe { dealloc(block, Layout::from_size_align(length.max(1), ALIGN).unwrap()) }
}

/// What the host wrote, until its call is over.
fn given<'a>(text: *const u8, length: usize) -> &'a str {
    std::str::from_utf8(unsafe { std::slice::from_raw_parts(text, length) }).unwrap_or_default()
}

fn answer(text: &str, out: *mut u8, max: usize) -> i32 {
    let length = text.len().min(max);
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), out, length) }
    length as i32
}

#[unsafe(no_mangle)]
extern "C" fn plugin_id(out: *mut u8, max: usize) -> i32 {
    answer(env!("CARGO_PKG_NAME"), out, max)
}

#[unsafe(no_mangle)]
extern "C" fn plugin_name(out: *mut u8, max: usize) -> i32 {
    answer(NAME, out, max)
}

#[unsafe(no_mangle)]
extern "C" fn plugin_schema(out: *mut u8, max: usize) -> i32 {
    answer(SCHEMA, out, max)
}

#[unsafe(no_mangle)]
extern "C" fn plugin_start(settings: *const u8, length: usize) -> i32 {
    match start(given(settings, length)) {
        Ok(()) => 0,
        Err(reason) => {
            set_error(&reason);
            1
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn plugin_stop() -> i32 {
    stop();
    0
}

#[unsafe(no_mangle)]
extern "C" fn delta_handler(delta: *const u8, length: usize) {
    on_delta(given(delta, length));
}
