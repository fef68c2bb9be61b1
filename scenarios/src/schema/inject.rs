//! `[[inject]]`: kills that the user asks for.

use super::{Field, Kind, Shape};

pub(super) static INJECT: Shape = Shape {
    name: "[[inject]]",
    fields: &[
        Field::required("kill_executor", Kind::Integer(1, 100_000), "Executor that gets SIGKILL, if it is up then; 1 is the first, replacements follow."),
        Field::optional("at", Kind::Time, "When, from the submission of the application; or `stage` and `tasks_done`."),
        Field::optional("stage", Kind::Text, "Stage of the profile whose progress decides when."),
        Field::optional("tasks_done", Kind::Integer(1, 100_000_000), "Kill as soon as so many tasks of `stage` have ended well."),
    ],
};
