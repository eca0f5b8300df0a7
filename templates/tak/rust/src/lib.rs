//! Passes what is inside an area and blocks what is outside. Change it to what your plugin is for.

use exports::omnitak::plugin::filter::{CotMessage, FilterMetadata, FilterResult, Guest};

wit_bindgen::generate!({ world: "omnitak:plugin/filter-plugin", path: "wit" });

struct Plugin;

impl Guest for Plugin {
    fn evaluate(message: CotMessage) -> FilterResult {
        let is_inside = (51.9..52.2).contains(&message.lat) && (4.1..4.5).contains(&message.lon);
        if is_inside { FilterResult::Pass } else { FilterResult::Block }
    }

    fn describe() -> String {
        "Passes what is inside the area".into()
    }

    fn get_metadata() -> FilterMetadata {
        FilterMetadata {
            id: env!("CARGO_PKG_NAME").into(),
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            author: "The authors of my-plugin".into(),
            description: Self::describe(),
            max_execution_time_us: 100,
        }
    }
}

export!(Plugin);
