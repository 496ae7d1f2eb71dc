//! `probity inspect`: what is in an ONNX file.

use super::args::{InspectArgs, TextOrJson};
use super::{Done, Problem, style};
use crate::ExitStatus;
use crate::audit::{Cost, Structure};
use crate::model::Shapes;
use crate::model::backward::Types;
use crate::model::onnx::{Graph, Summary, summary};
use crate::model::structure::{detailed, structure};
use crate::report::structure::svg;
use crate::whole_file;
use serde::Serialize;
use std::path::Path;

/// What `--format json` prints.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    #[serde(flatten)]
    cost: Cost,
}

pub(super) fn run(args: &InspectArgs) -> Done {
    let name = args.model.display();
    let bytes = std::fs::read(&args.model).map_err(|error| Problem::unacceptable(format!("{name}: {error}")))?;
    let graph = Graph::decode(&bytes).map_err(|error| Problem::unacceptable(format!("{name}: {error}")))?;
    let shapes = Shapes::inferred(&graph, || Types::infer(&bytes, &graph));
    let summary = summary(&graph);
    let structure = structure(&summary, &graph, &shapes);
    let summary = detailed(summary, &graph, &shapes);
    if let Some(path) = &args.svg {
        draw(&args.model, &structure, path)?;
    }
    let text = match args.format {
        TextOrJson::Text => text(&name.to_string(), bytes.len(), &summary, structure.cost),
        TextOrJson::Json => {
            let inspected = Inspected { summary: &summary, cost: structure.cost };
            serde_json::to_string_pretty(&inspected).map_err(Problem::unacceptable)? + "\n"
        }
    };
    style::print(&text);
    Ok(ExitStatus::Passed)
}

fn draw(model: &Path, structure: &Structure, path: &Path) -> Result<(), Problem> {
    let title = model.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let drawing = svg(structure, &title).map_err(Problem::unacceptable)?;
    let failed = |error: std::io::Error| Problem::unacceptable(format!("--svg {}: {error}", path.display()));
    whole_file::write(path, drawing.as_bytes()).map_err(failed)
}
fn text(name: &str, bytes: usize, summary: &Summary, cost: Cost) -> String {
    let opsets: Vec<String> = summary.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    let operators: Vec<String> = summary.operators.iter().map(|(operator, n)| format!("{operator} × {n}")).collect();
    let mut text = format!("{name}\n\n");
    let mut line = |name: &str, value: &str| text += &format!("{name:<12} {value}\n");
    line("structure", &summary.structure);
    line("parameters", &style::thousands(summary.parameters));
    if let Some(n) = cost.multiply_adds.filter(|n| *n > 0) {
        line("cost", &format!("{} multiply-adds a row", style::thousands(n)));
    }
    if let Some(n) = cost.activation_bytes.filter(|_| cost.weight_bytes > 0) {
        let (weights, row) = (style::thousands(cost.weight_bytes), style::thousands(n));
        line("memory", &format!("{weights} bytes of constants, {row} bytes a row at most"));
    }
    if let Some(used) = summary.complexity.features_used {
        line("features", &format!("{} used", style::thousands(used)));
    }
    line("bytes", &style::thousands(bytes as u64));
    line("made by", &summary.producer);
    line("operators", &opsets.join(", "));
    line("", &operators.join(", "));
    summary.inputs.iter().for_each(|port| line("input", &format!("{}  {}", port.name, port.r#type)));
    summary.outputs.iter().for_each(|port| line("output", &format!("{}  {}", port.name, port.r#type)));
    summary.warnings.iter().for_each(|warning| line("warning", warning));
    let layers: Vec<Vec<String>> = summary
        .layers
        .iter()
        .map(|layer| {
            let multiply_adds = layer.multiply_adds.map_or_else(|| "?".to_owned(), style::thousands);
            let parameters = style::thousands(layer.parameters);
            vec![layer.name.clone(), layer.op.clone(), layer.shape.clone(), parameters, multiply_adds]
        })
        .collect();
    let heads = ["layer", "operator", "shape", "parameters", "multiply-adds"];
    text + "\n" + &style::table(&heads, &layers, &[false, false, false, true, true])
}
