//! `probity check`: the plan, and what it would cost; writes nothing.

use super::args::CheckArgs;
use super::{Done, opening, style};
use crate::ExitStatus;
use crate::dataset::Want;
use crate::model::NativeKind;
use crate::pipeline::{self, Asked, AttackCost, CurveCost, Foresight, GroupSizes, RunError};
use crate::plan::{ExplainPlan, Explained, Plan, PlannedLayer, Rows, task_name};

/// Groups listed by name; the rest is counted.
const MOST_GROUPS: usize = 8;

pub(super) fn run(args: &CheckArgs) -> Done {
    let threads = opening::threads(args.threads);
    opening::start_threads(threads);
    for path in &args.pipelines {
        let plan = opening::resolve(opening::load(path, &args.sets)?, threads, 16_384)?;
        let foresights = foresights(&plan).map_err(|error| opening::run_problem(path, error))?;
        let asked = pipeline::importance_asks(&plan).map_err(|error| opening::run_problem(path, error))?;
        let curves = pipeline::curves_foreseen(&plan).map_err(|error| opening::run_problem(path, error))?;
        let attacks = pipeline::attack_foreseen(&plan).map_err(|error| opening::run_problem(path, error))?;
        let sizes = pipeline::group_sizes(&plan).map_err(|error| opening::run_problem(path, error))?;
        style::print(&describe(&plan, &foresights, &asked, &curves, attacks.as_ref(), &sizes));
    }
    Ok(ExitStatus::Passed)
}

fn describe(
    plan: &Plan,
    foresights: &[Option<Foresight>],
    asked: &[Asked],
    curves: &[CurveCost],
    attacks: Option<&AttackCost>,
    sizes: &[GroupSizes],
) -> String {
    let config = plan.config();
    let mut text = format!("{}: a {} audit\n\n", config.pipeline.name, task_name(plan.task));
    let files = plan.source.files.len();
    text += &line(
        "data",
        &format!(
            "{} ({files} file{}), {} rows",
            config.data.path,
            if files == 1 { "" } else { "s" },
            style::thousands(plan.n_rows)
        ),
    );
    if let Some(filter) = &config.data.filter {
        text += &line("filter", filter);
    }
    text += &line("label", config.data.label.as_deref().unwrap_or("none: metrics of scores and decisions only"));
    text += &line("outputs", &plan.outputs.join(", "));
    if let Some(model) = &plan.model {
        text += &line("model", &format!("{}: {}", config.model.path.as_deref().unwrap_or(""), structure(plan)));
        text += &line("score", &model.scorer.reading().score.name);
    }
    text += &explanations(plan, foresights);
    text += &importance(asked);
    text += &self::curves(curves);
    text += &layers(plan);
    text += &attacks.map(self::attacks).unwrap_or_default();
    text += &groups(sizes);
    text += &line("gates", &plan.gates.len().to_string());
    text += &line("threads", &plan.threads.to_string());
    text + "\n" + &columns(plan)
}

fn line(name: &str, value: &str) -> String {
    format!("{name:<12} {value}\n")
}

fn structure(plan: &Plan) -> String {
    match plan.model.as_ref().and_then(|model| model.native.as_ref()).map(|native| &native.kind) {
        Some(NativeKind::Forest(forest, _)) => {
            let trees = style::thousands(forest.trees.len() as u64);
            format!("{trees} trees, {} leaves, depth {}", style::thousands(forest.n_leaves() as u64), forest.depth())
        }
        Some(NativeKind::Linear { weights, .. }) => format!("linear, {} features", weights.ncols()),
        None => "asked for scores only".to_owned(),
    }
}

/// Which tensors are looked at, and on how many rows.
fn layers(plan: &Plan) -> String {
    let Some(layers) = plan.model.as_ref().and_then(|model| model.layers.as_ref()) else { return String::new() };
    let rows = style::thousands(layers.n_rows);
    let probes = if layers.probes { "" } else { ", no probes" };
    let first = line("layers", &format!("{} on {rows} rows{probes}:", layers.layers.len()));
    let one = |layer: &PlannedLayer| line("", &format!("{} {} ({})", layer.tensor, layer.shape, layer.op));
    first + &layers.layers.iter().map(one).collect::<String>()
}

/// What the importance methods ask of the model.
fn importance(asked: &[Asked]) -> String {
    let one = |(at, asked): (usize, &Asked)| {
        let title = if at == 0 { "importance" } else { "" };
        line(title, &format!("{}: {}", asked.method, evaluations(asked.evaluations, Some(asked.seconds))))
    };
    asked.iter().enumerate().map(one).collect()
}

/// "up to 48,000 model evaluations, about 0.3 s on one core".
fn evaluations(n: u64, seconds: Option<f64>) -> String {
    let time = seconds.map(|seconds| format!(", {} on one core", duration(seconds)));
    format!("up to {} model evaluations{}", style::thousands(n), time.unwrap_or_default())
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.1 => "less than 0.1 s".to_owned(),
        s if s < 60.0 => format!("about {s:.1} s"),
        s if s < 7_200.0 => format!("about {:.0} min", s / 60.0),
        s => format!("about {:.0} h", s / 3_600.0),
    }
}

/// What dependence curves ask of the model, or of what was read from its file.
fn curves(costs: &[CurveCost]) -> String {
    let one = |(at, cost): (usize, &CurveCost)| {
        let mut text = format!("{}: {} model evaluations", cost.name, style::thousands(cost.evaluations));
        if cost.native_evaluations > 0 {
            text += &format!(", {} of the structure read from the file", style::thousands(cost.native_evaluations));
        }
        if cost.evaluations + cost.native_evaluations > 0 {
            text += &format!(", {} on one core", duration(cost.seconds));
        }
        if let Some((rows, points, seconds)) = cost.read {
            let (rows, points) = (style::thousands(rows), style::thousands(points));
            text +=
                &format!("; the trees tell {points} points over all {rows} rows, {} on one core", duration(seconds));
        }
        line(if at == 0 { "curves" } else { "" }, &text)
    };
    costs.iter().enumerate().map(one).collect()
}

/// "pgd on 200 rows: up to 38,800 model evaluations and 36,200 gradients, about 12.0 s on one core".
fn attacks(cost: &AttackCost) -> String {
    let (rows, scores, gradients) =
        (style::thousands(cost.rows), style::thousands(cost.scores), style::thousands(cost.gradients));
    let time = duration(cost.seconds);
    let passes = format!("up to {scores} model evaluations and {gradients} gradients, {time} on one core");
    line("robustness", &format!("{} on {rows} rows: {passes}", cost.method))
}

/// The main method and the further ones.
fn planned(plan: &Plan) -> impl Iterator<Item = &ExplainPlan> {
    plan.explain().into_iter().chain(plan.model.iter().flat_map(|model| &model.also))
}

fn foresights(plan: &Plan) -> Result<Vec<Option<Foresight>>, RunError> {
    planned(plan).map(|explain| pipeline::foresee(plan, explain)).collect()
}

/// Rows that faithfulness has each method explain besides.
fn on_trial(plan: &Plan) -> String {
    match pipeline::rows_on_trial(plan) {
        0 => String::new(),
        rows => line("", &format!("and {rows} rows on trial (faithfulness), at the same cost a row")),
    }
}

fn explanations(plan: &Plan, foresights: &[Option<Foresight>]) -> String {
    if plan.explain().is_none() {
        let why = plan.model.as_ref().and_then(|model| model.unexplained.as_deref()).unwrap_or("there is no model");
        return line("explain", &format!("nothing: {why}"));
    }
    let typed = &plan.config().explain;
    let groups = std::iter::once(typed).chain(&typed.also).map(|explain| explain.players.as_slice());
    let told = planned(plan).zip(foresights).zip(groups).enumerate();
    told.map(|(at, ((explain, foresight), groups))| {
        explanation(plan, explain, foresight.as_ref(), if at == 0 { "explain" } else { "also" })
            + &clusters(groups)
            + &on_trial(plan)
    })
    .collect()
}

fn explanation(plan: &Plan, explain: &ExplainPlan, foresight: Option<&Foresight>, title: &str) -> String {
    let rows = match explain.rows {
        Rows::All => plan.n_rows,
        Rows::Count(n) => n,
    };
    let outputs = match &explain.outputs {
        Explained::Predicted => "each row's decision".to_owned(),
        Explained::Fixed(outputs) => {
            outputs.iter().map(|output| plan.outputs[*output].as_str()).collect::<Vec<_>>().join(", ")
        }
    };
    let background = match foresight {
        _ if explain.zero_baseline => "zero in every column".to_owned(),
        Some(foresight) => format!("{} background rows", style::thousands(foresight.background_rows)),
        None => "all background rows".to_owned(),
    };
    let mut text =
        line(title, &format!("{} on the {} scale ({})", explain.method.name(), explain.scale.name(), explain.reason));
    text += &line("", &format!("{} rows for {outputs}, against {background}", style::thousands(rows)));
    if let Some(foresight) = foresight {
        text += &line("", &format!("engine: {}{}", foresight.engine, estimate(foresight)));
    }
    if let Some((n, seconds)) = foresight.and_then(|it| Some((it.evaluations?, it.seconds))) {
        text += &line("", &evaluations(n, seconds));
    }
    let players = explain.players.len();
    let stored = if explain.top_k > 0 { players.min(explain.top_k + 1) } else { players };
    text + &line("", &format!("about {} to write", size(rows * stored as u64 * 6)))
}

/// Columns that act together, and how their value is told.
fn clusters(groups: &[crate::config::Players]) -> String {
    let one = |group: &crate::config::Players| {
        let columns = group.columns.join(", ");
        line(
            "",
            &match group.split {
                true => format!("{columns} share the value of {} (Owen values)", group.name),
                false => format!("{columns} act as {}", group.name),
            },
        )
    };
    groups.iter().map(one).collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn estimate(foresight: &Foresight) -> String {
    let Some(estimate) = foresight.estimate else { return String::new() };
    format!(", {} on one core, {} of tables", duration(estimate.seconds), size(estimate.bytes as u64))
}

/// Every attribute with its groups, the largest first.
fn groups(sizes: &[GroupSizes]) -> String {
    if sizes.is_empty() {
        return line("groups", "none");
    }
    let one = |(at, (attribute, groups)): (usize, &GroupSizes)| {
        let shown = groups.iter().take(MOST_GROUPS).map(|(group, n)| format!("{group} {}", style::thousands(*n)));
        let more = groups.len().saturating_sub(MOST_GROUPS);
        let more = (more > 0).then(|| format!("{more} more"));
        let listed = shown.chain(more).collect::<Vec<_>>().join(", ");
        line(if at == 0 { "groups" } else { "" }, &format!("{attribute}: {listed}"))
    };
    sizes.iter().enumerate().map(one).collect()
}

/// How each raw column meets the model.
fn columns(plan: &Plan) -> String {
    let Some(model) = &plan.model else { return String::new() };
    let mut rows = Vec::new();
    for input in &model.scorer.feed().inputs {
        for at in &input.columns {
            let feature = &plan.selection.features[*at];
            let field = plan.source.field(&feature.column);
            let how = match (&feature.want, &feature.encode) {
                (_, Some(codes)) => format!("encoded, {} categories", codes.len()),
                (Want::Text, _) => "as text".to_owned(),
                (Want::Tensor { width, .. }, _) => format!("{width} numbers"),
                (Want::Number, None) => "as it is".to_owned(),
            };
            rows.push(vec![
                feature.column.clone(),
                field.map(|field| field.dtype.clone()).unwrap_or_default(),
                how,
                format!("{} {}", input.port.name, input.port.describe()),
            ]);
        }
    }
    style::table(&["column", "type", "read", "model input"], &rows, &[])
}
