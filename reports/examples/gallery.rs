//! Writes every chart, table and page from reports made by hand, to look at: `cargo run -p reports --example gallery -- DIR`.

use std::path::PathBuf;
use std::{env, fs, io};

use reports::table::{self, Style};

#[path = "../tests/common/mod.rs"]
mod common;

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/gallery".into()));
    let samples = [
        ("factorial", common::factorial()),
        ("rising", common::rising()),
        ("plane", common::plane()),
        ("named", common::named()),
        ("crowded", common::crowded()),
        ("run", common::run(980)),
        ("safe", common::run(0)),
        ("starved", common::starved()),
    ];
    for (name, report) in samples {
        let directory = root.join(name);
        fs::create_dir_all(&directory)?;
        for file in reports::files(&report) {
            fs::write(directory.join(file.name), file.contents)?;
        }
        for width in [40, 80, 120] {
            let style = Style { color: false };
            let text = if report.axes.is_empty() { table::run(&report.header, &report.points[0], width, style) } else { table::sweep(&report, width, style) };
            fs::write(directory.join(format!("table-{width}.txt")), text)?;
        }
    }
    Ok(())
}
