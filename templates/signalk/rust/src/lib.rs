//! Shows the depth below the transducer as its status. Change it to what your plugin is for.

mod host;

const DEPTH: &str = "\"path\":\"environment.depth.belowTransducer\"";

pub const NAME: &str = "my-plugin";

/// What an operator may set, as JSON Schema; the settings come to `start` as JSON.
pub const SCHEMA: &str = r#"{"type":"object","properties":{}}"#;

pub fn start(_settings: &str) -> Result<(), String> {
    host::set_status("Waiting for a depth");
    Ok(())
}

pub fn stop() {}

/// Gets every delta, as JSON; most are about something else.
pub fn on_delta(delta: &str) {
    let Some((_, after)) = delta.split_once(DEPTH) else { return };
    let Some((_, value)) = after.split_once("\"value\":") else { return };
    let number = value.split([',', '}']).next().unwrap_or_default();
    if let Ok(depth) = number.trim().parse::<f64>() {
        host::set_status(&format!("Depth is {depth} m"));
    }
}
