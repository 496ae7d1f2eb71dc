//! `probity inspect`: what is in an ONNX file.

use super::args::{InspectArgs, TextOrJson};
use super::{Done, Problem, style};
use crate::ExitStatus;
use crate::model::onnx::{Graph, Summary, summary};

pub(super) fn run(args: &InspectArgs) -> Done {
    let name = args.model.display();
    let bytes = std::fs::read(&args.model).map_err(|error| Problem::unacceptable(format!("{name}: {error}")))?;
    let graph = Graph::decode(&bytes).map_err(|error| Problem::unacceptable(format!("{name}: {error}")))?;
    let summary = summary(&graph);
    let text = match args.format {
        TextOrJson::Text => text(&name.to_string(), bytes.len(), &summary),
        TextOrJson::Json => serde_json::to_string_pretty(&summary).map_err(Problem::unacceptable)? + "\n",
    };
    style::print(&text);
    Ok(ExitStatus::Passed)
}

fn text(name: &str, bytes: usize, summary: &Summary) -> String {
    let opsets: Vec<String> = summary.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    let operators: Vec<String> = summary.operators.iter().map(|(operator, n)| format!("{operator} × {n}")).collect();
    let mut text = format!("{name}\n\n");
    let mut line = |name: &str, value: &str| text += &format!("{name:<12} {value}\n");
    line("structure", &summary.structure);
    line("parameters", &style::thousands(summary.parameters));
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
            vec![layer.name.clone(), layer.op.clone(), layer.shape.clone(), style::thousands(layer.parameters)]
        })
        .collect();
    text + "\n" + &style::table(&["layer", "operator", "shape", "parameters"], &layers, &[false, false, false, true])
}
