//! `[limits]`: when one run is cut off, and whether its books are checked.

use super::{Field, Kind, Shape};

pub(super) static LIMITS: Shape = Shape {
    name: "[limits]",
    fields: &[
        Field::default("horizon", Kind::Time, "\"6h\"", "Simulated time after which a run is cut off.", "a batch window"),
        Field::default(
            "max_events",
            Kind::Integer(1, 1_000_000_000_000),
            "20000000",
            "Events after which a run is cut off.",
            "bounds a livelock to seconds of computing",
        ),
        Field::default("paranoid", Kind::Bool, "false", "Whether the books are checked after every event.", ""),
    ],
};
