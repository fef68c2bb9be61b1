//! `explain`: what a key means, what it is here, and where that came from.

use anstyle::Style;
use scenarios::Explanation;
use serde_json::{Map, Value, json};

use super::load;
use crate::args::{ExplainArgs, InfoFormat};
use crate::exit::{Exit, Failure};
use crate::printer::{self, Printer};
use crate::report;
use crate::settings;
use crate::wrap;

/// Explains one key.
pub(super) fn explain(args: ExplainArgs, printer: &Printer) -> Result<Exit, Failure> {
    let scenario = match args.scenario {
        Some(scenario) => Some(load(&settings::request(scenario, args.changes), printer)?),
        None => None,
    };
    let explanation = scenarios::explain(&args.key, scenario.as_ref())?;
    let text = match args.format.format {
        InfoFormat::Table => table(&explanation, printer::width()),
        InfoFormat::Json => report::pretty(&object(&explanation)),
    };
    printer.result(&text)?;
    Ok(Exit::Done)
}

/// The documented object; derived sizes stand beside the value, as numbers where they are numbers.
fn object(explanation: &Explanation) -> Value {
    let Explanation { key, meaning, default, value, origin, modelled, source, derived } = explanation;
    let mut object: Map<String, Value> = Map::new();
    object.insert("schema_version".to_owned(), json!(1));
    let texts = [("key", json!(key)), ("meaning", json!(meaning)), ("default", json!(default)), ("value", json!(value)), ("origin", json!(origin))];
    object.extend(texts.map(|(name, value)| (name.to_owned(), value)));
    object.insert("modelled".to_owned(), json!(modelled));
    object.insert("source".to_owned(), json!(source));
    for (name, value) in derived {
        object.insert(name.clone(), value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)));
    }
    Value::Object(object)
}

fn table(explanation: &Explanation, width: usize) -> String {
    let Explanation { key, meaning, default, value, origin, modelled, source, derived } = explanation;
    let mut rows: Vec<(&str, String)> = vec![("meaning", meaning.clone()), ("default", default.clone())];
    rows.extend(value.as_ref().map(|value| ("value", value.clone())));
    rows.extend(origin.as_ref().map(|origin| ("set by", origin.clone())));
    rows.extend(derived.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let modelled = if *modelled { "yes" } else { "no: it is read and named in a warning, but it changes nothing" };
    rows.extend([("modelled", modelled.to_owned()), ("source", source.clone())]);
    let names = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let bold = Style::new().bold();
    let mut text = format!("{bold}{key}{bold:#}\n");
    text.extend(rows.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| wrap::beside(name, names, value, width)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Explanation {
        Explanation {
            key: "spark.executor.memory".to_owned(),
            meaning: "Heap of an executor (`-Xmx`), from which unified memory and user memory are cut.".to_owned(),
            default: "1g".to_owned(),
            value: Some("8g".to_owned()),
            origin: Some("x.toml:3".to_owned()),
            modelled: true,
            source: "POD-4".to_owned(),
            derived: vec![("pod_memory_mib".to_owned(), "9011".to_owned()), ("note".to_owned(), "1.2".to_owned())],
        }
    }

    #[test]
    fn derived_sizes_are_numbers_beside_the_value() {
        let object = object(&sample());
        assert_eq!(object["pod_memory_mib"], json!(9011));
        assert_eq!(object["note"], json!("1.2"));
        assert_eq!(object["modelled"], json!(true));
        assert_eq!(object["value"], json!("8g"));
    }

    #[test]
    fn the_table_fits_its_width() {
        let text = anstream::adapter::strip_str(&table(&sample(), 50)).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 50), "{text}");
        assert!(text.contains("set by") && text.contains("9011"));
    }
}
