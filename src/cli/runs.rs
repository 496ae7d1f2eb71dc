//! `probity runs` and `probity show`.

use super::args::{RunsArgs, ShowArgs, TextOrJson};
use super::run::{additivity, gates_text, verdict_words};
use super::{Done, Problem, opening, style};
use crate::ExitStatus;
use crate::audit::{Audit, LayerActivity, Metric, Surrogate};
use crate::privacy::{self, Published};
use crate::report::rules;
use crate::store::{RunFilter, RunSummary};

pub(super) fn list(args: &RunsArgs) -> Done {
    let store = opening::history(&args.history)?;
    let filter = RunFilter {
        pipeline: args.pipeline.as_deref(),
        limit: Some(args.limit.min(u32::MAX as usize) as u32),
        ..Default::default()
    };
    let runs = store.runs(filter)?;
    let text = match args.format {
        TextOrJson::Json => serde_json::to_string_pretty(&runs).map_err(Problem::unacceptable)? + "\n",
        TextOrJson::Text if runs.is_empty() => "no runs yet\n".to_owned(),
        TextOrJson::Text => {
            let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
            style::table(
                &["as of", "pipeline", "status", "verdict", "rows", "explained by", "run"],
                &rows,
                &[false, false, false, false, true],
            )
        }
    };
    style::print(&text);
    Ok(ExitStatus::Passed)
}

fn status(run: &RunSummary) -> String {
    serde_json::to_value(run.status).ok().and_then(|status| status.as_str().map(str::to_owned)).unwrap_or_default()
}

fn row(run: &RunSummary) -> Vec<String> {
    vec![
        run.as_of.clone(),
        run.pipeline.clone(),
        status(run),
        run.verdict.map(verdict_words).unwrap_or("").to_lowercase(),
        style::thousands(run.n_rows),
        run.explain_method.clone(),
        run.run_id.clone(),
    ]
}

pub(super) fn show(args: &ShowArgs) -> Done {
    let store = opening::history(&args.history)?;
    let run = store.run(&args.run)?;
    let published = privacy::published(&store.audit(&run)?);
    let audit = &published.audit;
    let text = match args.format {
        TextOrJson::Json => json(&published)?,
        TextOrJson::Text => {
            let mut text = described(audit, args.all);
            for artifact in store.artifacts(&run)? {
                text += &format!("{:<14} {}\n", artifact.kind, opening::shown(&store.artifact_path(&run, &artifact)));
            }
            text
        }
    };
    style::print(&text);
    Ok(ExitStatus::Passed)
}

/// The audit as it may be shown, with the log of what is withheld where anything may be.
fn json(published: &Published) -> Result<String, Problem> {
    let mut audit = serde_json::to_value(&published.audit).map_err(Problem::unacceptable)?;
    if published.audit.scope.privacy.suppress_below > 0 {
        audit["withheld"] = serde_json::to_value(&published.log).map_err(Problem::unacceptable)?;
    }
    Ok(format!("{audit:#}\n"))
}

fn described(audit: &Audit, all: bool) -> String {
    let run = &audit.run;
    let mut text = format!("{}  {}  as of {}\n\n", run.pipeline, verdict_words(run.verdict), run.as_of);
    text += &format!("{:<14} {}\n", "run", run.run_id);
    text += &format!("{:<14} {} to {}\n", "time", run.started_at, run.finished_at);
    text += &format!("{:<14} {}\n", "rows", style::thousands(run.n_rows));
    text += &format!("{:<14} {} {} ({})\n", "explained by", run.explain_method, run.explain_scale, audit.proof.reason);
    if let Some(gap) = additivity(&audit.proof) {
        text += &format!("{:<14} {gap}\n", "adding up");
    }
    text.push('\n');
    text += &gates_text(&audit.gates);
    text.push('\n');
    let rows: Vec<Vec<String>> =
        audit.metrics.iter().filter(|metric| all || is_headline(metric)).map(metric_row).collect();
    text += &style::table(
        &["metric", "attribute", "group", "value", "interval", "n"],
        &rows,
        &[false, false, false, true, false, true],
    );
    text.push('\n');
    text + &layers(audit) + &audit.surrogate.as_ref().map(stand_in).unwrap_or_default()
}

/// What a network's layers do over all rows, and how well label and attributes can be told from them.
fn layers(audit: &Audit) -> String {
    let all: Vec<&LayerActivity> = audit.layers.iter().filter(|layer| layer.attribute.is_empty()).collect();
    if all.is_empty() {
        return String::new();
    }
    let mut told: Vec<&str> = audit.layer_probes.iter().map(|probe| probe.attribute.as_str()).collect();
    told.sort_unstable();
    told.dedup();
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let separability = |layer: &LayerActivity, attribute: &str| {
        let of =
            |it: &&LayerActivity| it.layer == layer.layer && it.attribute == attribute && it.group_value.is_empty();
        number(audit.layers.iter().find(of).and_then(|it| it.separability))
    };
    let row = |layer: &&LayerActivity| {
        let dead = layer.dead_units.map_or_else(|| "–".to_owned(), |dead| format!("{dead} of {}", layer.units));
        let mut row =
            vec![layer.layer.clone(), number(layer.mean), number(layer.std), number(layer.zero_fraction), dead];
        row.extend(told.iter().map(|attribute| separability(layer, attribute)));
        row
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let title =
        |attribute: &&str| if attribute.is_empty() { "tells label".to_owned() } else { format!("tells {attribute}") };
    let told: Vec<String> = told.iter().map(title).collect();
    let mut columns = vec!["layer", "mean", "std", "zeros", "dead units"];
    columns.extend(told.iter().map(String::as_str));
    let is_number: Vec<bool> = (0..columns.len()).map(|at| at > 0).collect();
    style::table(&columns, &rows, &is_number) + "\n"
}

/// The small tree that stands in for the model, a line for each node.
fn stand_in(tree: &Surrogate) -> String {
    let rows = style::thousands(tree.n_fitted);
    let mut text = format!("{:<14} fitted to the model's scores of {rows} rows\n", "tree");
    for (at, node) in tree.nodes.iter().enumerate() {
        let path = rules::path(tree, at);
        let condition = path.last().map_or("all rows", String::as_str);
        let values = node.values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(" ");
        let decision = node.decision.as_deref().map(|decision| format!(" {decision}")).unwrap_or_default();
        let indent = "  ".repeat(path.len());
        text += &format!("{:<14} {indent}{condition}: {values}{decision} ({:.1} %)\n", "", 100.0 * node.share);
    }
    text + "\n"
}

/// Overall and across groups; single groups are shown with `--all`.
fn is_headline(metric: &Metric) -> bool {
    metric.group_value.is_empty() && metric.stratum.is_empty() && metric.value.is_some()
}

fn metric_row(metric: &Metric) -> Vec<String> {
    let interval = match (metric.ci_low, metric.ci_high) {
        (Some(low), Some(high)) => format!("{low:.4} – {high:.4}"),
        _ => String::new(),
    };
    let value = match (metric.value, &metric.undefined_reason) {
        (Some(value), _) => format!("{value:.4}"),
        (None, reason) => reason.clone().unwrap_or_default(),
    };
    vec![
        metric.metric.clone(),
        metric.attribute.clone(),
        metric.group_value.clone(),
        value,
        interval,
        style::thousands(metric.n),
    ]
}
