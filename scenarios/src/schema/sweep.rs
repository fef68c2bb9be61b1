//! `[sweep]`: configurations to compare.

use super::{Field, Kind, Shape};

pub(super) static SWEEP: Shape =
    Shape { name: "[sweep]", fields: &[Field::required("axis", Kind::List(&Kind::Table(&AXIS)), "Axes; the first varies slowest.")] };

static AXIS: Shape = Shape {
    name: "[[sweep.axis]]",
    fields: &[
        Field::required("name", Kind::Text, "Name, for tables and JSON."),
        Field::computed("title", Kind::Text, "the name", "Title for charts.", ""),
        Field::optional("unit", Kind::Text, "Unit of the values, for charts."),
        Field::optional("path", Kind::Text, "Path that each plain value sets; without it every value has a `set` table."),
        Field::required("values", Kind::List(&Kind::Any), "Values: plain ones, or tables { value, label, set }."),
    ],
};
