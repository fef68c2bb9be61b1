use crate::{NamedFigure, SweepReport};
pub fn index(_r: &SweepReport, _f: &[NamedFigure]) -> String {
    String::new()
}
