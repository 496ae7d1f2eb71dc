//! The draft as text: TOML with the reasons beside it.

use super::inputs::{Bound, Inputs};
use super::roles::Roles;
use super::sensitive::{How, Proposed};
use super::{Facts, Paths, column};
use crate::config::Task;
use crate::dataset::{Kind, Profile};

/// Everything that is written down.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub paths: &'a Paths,
    pub profiles: &'a [Profile],
    pub roles: &'a Roles,
    pub inputs: &'a Inputs,
    pub attributes: &'a [Proposed],
    pub facts: &'a Facts,
}

/// Longest line of a list.
const WIDTH: usize = 116;

/// As little as a plan needs to look at the model.
pub(super) fn skeleton(written: &Written<'_>) -> String {
    let Written { paths, inputs, .. } = written;
    let encode = encode(inputs);
    format!(
        "[pipeline]\nname = {}\n\n[data]\npath = {}\n{encode}[model]\npath = {}\n{}",
        text_of(&paths.name),
        text_of(&paths.data),
        text_of(&paths.model),
        model_inputs(inputs)
    )
}

pub(super) fn text(written: &Written<'_>) -> String {
    let Written { paths, inputs, facts, .. } = written;
    let sections = [
        format!(
            "# A first draft, made from what the model and the data say. Read it through, correct what is wrong, then:\n\
             #   probity check FILE    what would be done, without doing it\n\
             #   probity run FILE      the audit\n\n\
             [pipeline]\nname = {} # names the pipeline in the catalogue; keep it\n\
             # description = \"What is audited, and why\"\n# owner = \"Who answers for it\"\n\
             seed = 0 # everything random derives from it\n",
            text_of(&paths.name)
        ),
        data(written),
        encode(inputs),
        model(written),
        model_inputs(inputs),
        explain(facts),
        fairness(written),
        gates(written),
        STORE.to_owned(),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

const STORE: &str = "\
# Where results and history go. These are the defaults, beside this file; a probity.toml above holds them for many
# pipelines.
# [store]
# results = \"var/results\"
# catalogue = \"sqlite:var/catalogue.db\"
";

fn data(written: &Written<'_>) -> String {
    let Written { paths, roles, .. } = written;
    let mut text = format!("[data]\npath = {} # file, glob or folder\n", text_of(&paths.data));
    match &roles.id {
        Some(id) => text += &format!("id = {} # different in every row; names rows in results\n", text_of(id)),
        None => text += "# id = \"…\" # column that names a row; default: the row's number\n",
    }
    text += &label(written);
    if let Some(weight) = &roles.likely_weight {
        text += &format!("# weight = {} # its name says so: rows then count by it\n", text_of(weight));
    }
    text + "# filter = \"…\" # SQL predicate: only rows that satisfy it are audited\n"
}

fn label(written: &Written<'_>) -> String {
    let Written { profiles, roles, facts, .. } = written;
    let Some(label) = &roles.label else {
        return match &roles.likely_label {
            Some(likely) => {
                format!("# label = {} # its name says so; needed for accuracy, error rates, …\n", text_of(likely))
            }
            None => "# label = \"…\" # the outcome that came true; needed for accuracy, error rates, …\n".to_owned(),
        };
    };
    let mut text = format!("label = {}\n", text_of(label));
    let Some(profile) = column(profiles, label) else { return text };
    if facts.task == Some(Task::Binary)
        && let Some((positive, why)) = positive(profile, &facts.classes)
    {
        let value = scalar(profile.field.kind, &positive);
        text += &format!("positive = {value} # class 1 of the model: {why}\n");
        text +=
            &format!("favourable = {value} # the value that is good for the person: correct it if it is the other\n");
    }
    text
}

/// The label value of class 1, and how it is known. Labels of 0 and 1, or false and true, need no word.
fn positive(label: &Profile, classes: &[String]) -> Option<(String, &'static str)> {
    let values = label.values.as_ref()?;
    if label.field.kind == Kind::Boolean || values.iter().all(|value| value == "0" || value == "1") {
        return None;
    }
    let known = classes.get(1).filter(|class| values.contains(class));
    match known {
        Some(class) => Some((class.clone(), "the model names it")),
        None => values.last().map(|last| (last.clone(), "the last in order, as encoders number them; make sure")),
    }
}

/// A label value as TOML has it.
fn scalar(kind: Kind, value: &str) -> String {
    if matches!(kind, Kind::Integer | Kind::Float) { value.to_owned() } else { text_of(value) }
}

fn encode(inputs: &Inputs) -> String {
    if inputs.encode.is_empty() {
        return String::new();
    }
    let mut text = "\
# Texts where the model takes numbers: a category's place is its code (0, 1, …). The order here is alphabetical, as
# scikit-learn's encoders and pandas' categories have it. CHECK: it must be the order in which the model was trained,
# and name every category of the training: one that is missing here shifts all codes behind it.
[data.encode]
"
    .to_owned();
    for (column, values) in &inputs.encode {
        text += &format!("{} = {}\n", key_of(column), list(values));
    }
    text
}

fn model(written: &Written<'_>) -> String {
    let Written { paths, facts, .. } = written;
    let mut text = format!("[model]\npath = {}\n", text_of(&paths.model));
    match facts.task_name() {
        Some(task) => text += &format!("task = {} # as the model's outputs say\n", text_of(task)),
        None => {
            let why = facts.obstacle.as_deref().unwrap_or_default();
            text += &format!("# task = \"binary\" # or multiclass, regression. {}\n", commented(why));
        }
    }
    if facts.task == Some(Task::Binary) {
        text += "threshold = 0.5 # a row is decided for class 1 from this probability on\n";
    }
    let numbered = facts.classes.iter().enumerate().all(|(at, class)| *class == at.to_string());
    if facts.task != Some(Task::Regression) && !facts.classes.is_empty() {
        match numbered {
            true => {
                text += &format!("# classes = {} # names for reports, in the model's order\n", list(&facts.classes))
            }
            false => text += &format!("# classes = {} # as the model names them, in its order\n", list(&facts.classes)),
        }
    }
    text
}

fn model_inputs(inputs: &Inputs) -> String {
    let mut text = String::new();
    let (named, said): (Vec<&Bound>, Vec<&Bound>) = inputs.bound.iter().partition(|bound| bound.by_name);
    if !named.is_empty() {
        let names: Vec<String> = named.iter().map(|bound| bound.port.name.clone()).collect();
        text += &format!("# Inputs that are columns of the same name need no word: {}\n", commented(&names.join(", ")));
    }
    for doubt in &inputs.doubts {
        text += &format!("# CHECK: {}\n", commented(doubt));
    }
    if said.is_empty() {
        return text;
    }
    text += "[model.inputs]\n";
    for bound in said {
        let key = key_of(&bound.port.name);
        text += &match (bound.columns.as_slice(), bound.port.width()) {
            ([], _) => format!("# {} = \"…\" # {}\n", commented(&key), commented(&bound.port.describe())),
            ([column], Some(1)) => format!("{key} = {}\n", text_of(column)),
            (columns, _) => format!("{key} = {} # {}\n", list(columns), commented(&bound.port.describe())),
        };
    }
    text
}

fn explain(facts: &Facts) -> String {
    let chosen = match &facts.explained_by {
        Some(explained) => format!("method = \"auto\" # here: {}\n", commented(explained)),
        None => "method = \"auto\" # exact where the model's structure allows it\n".to_owned(),
    };
    format!(
        "# What \"not knowing a column\" means: its values among these rows. Default: the evaluation data itself.\n\
         # [background]\n# path = \"…\"\n# rows = 1000\n\n[explain]\n{chosen}rows = \"all\" # or a number, sampled with the seed\n"
    )
}

fn fairness(written: &Written<'_>) -> String {
    let mut chosen = Vec::new();
    let mut reasons = String::new();
    for attribute in written.attributes {
        let name = text_of(&attribute.column);
        match &attribute.how {
            How::Groups => chosen.push(name.clone()),
            How::Bins(bins) => {
                let bins: Vec<String> = bins.iter().map(f64::to_string).collect();
                chosen.push(format!("{{ column = {name}, bins = [{}] }}", bins.join(", ")));
            }
            How::PointedOut => {}
        }
        let verb = if attribute.how == How::PointedOut { "not chosen, but look at it:" } else { "chosen:" };
        reasons += &format!("#   {} {verb} {}\n", commented(&name), commented(&attribute.why));
    }
    let crossed: Vec<String> = written
        .attributes
        .iter()
        .filter(|one| one.how == How::Groups)
        .map(|one| text_of(&one.column))
        .take(2)
        .collect();
    if crossed.len() == 2 {
        chosen.push(format!("[{}]", crossed.join(", ")));
    }
    if chosen.is_empty() {
        return format!(
            "# Whom the model may treat differently. No column's name gives it away; name columns of the data, whether\n\
             # the model sees them or not.\n{reasons}# [fairness]\n# attributes = [\"sex\", {{ column = \"age\", bins = [25, 45, 65] }}]\n"
        );
    }
    format!(
        "# Whom the model may treat differently, by the columns' names:\n{reasons}\
         # Columns that the model does not see count as well. A list in the list is an intersection.\n\
         [fairness]\nattributes = [{}]\n# reference = {{ {} = \"…\" }} # whom others are compared with; default: the largest group\n\
         min_group_rows = 30 # smaller groups keep their numbers, but no verdict is built on them\n",
        chosen.join(", "),
        commented(&foremost(written.attributes).map(|one| key_of(&one.column)).unwrap_or_default())
    )
}

/// The attribute that examples speak of: one with groups of its own before one that is cut.
fn foremost(attributes: &[Proposed]) -> Option<&Proposed> {
    let groups = attributes.iter().find(|one| one.how == How::Groups);
    groups.or_else(|| attributes.iter().find(|one| one.how != How::PointedOut))
}

fn gates(written: &Written<'_>) -> String {
    let labelled = written.roles.label.is_some();
    let attribute = foremost(written.attributes).map(|one| one.column.as_str());
    let overall = match (written.facts.task, labelled) {
        (_, false) => None,
        (Some(Task::Regression), _) => Some(("r2", "min = 0.5")),
        (Some(Task::Multiclass), _) => Some(("accuracy", "min = 0.8")),
        _ => Some(("roc_auc", "min = 0.8")),
    };
    let mut gates = Vec::new();
    gates.extend(overall.map(|(metric, limit)| gate(metric, None, limit, "fail")));
    if let Some(attribute) = attribute {
        let between = match written.facts.task {
            Some(Task::Regression) => vec![("mean_score_difference", "max = 10.0", "warn")],
            _ if labelled => vec![
                ("demographic_parity_ratio", "min = 0.8", "fail"),
                ("equalized_odds_difference", "max = 0.1", "warn"),
            ],
            _ => vec![("demographic_parity_ratio", "min = 0.8", "fail")],
        };
        gates.extend(
            between.into_iter().map(|(metric, limit, severity)| gate(metric, Some(attribute), limit, severity)),
        );
    }
    format!(
        "# Gates turn numbers into a verdict: \"fail\" ends the run with exit code 1, \"warn\" is shown and lets it pass. Run\n\
         # once without, look at the report, then set limits that you would stop for. `probity metrics` lists all metrics.\n{}",
        gates.join("#\n")
    )
}

/// A gate, commented out.
fn gate(metric: &str, attribute: Option<&str>, limit: &str, severity: &str) -> String {
    let attribute = attribute.map(|name| format!("# attribute = {}\n", commented(&text_of(name)))).unwrap_or_default();
    format!("# [[gates]]\n# metric = \"{metric}\"\n{attribute}# {limit}\n# severity = \"{severity}\"\n")
}

/// A TOML basic string: JSON's escapes are TOML's as well, but for DEL.
fn text_of(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.replace('\u{7f}', "\\u007f")
}

fn key_of(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { text_of(name) }
}

/// A list on one line, or on several where it is long.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| text_of(text)).collect();
    let one_line = format!("[{}]", quoted.join(", "));
    if one_line.chars().count() <= WIDTH {
        return one_line;
    }
    let (mut lines, mut line) = (String::new(), String::new());
    for text in quoted {
        if !line.is_empty() && line.chars().count() + text.chars().count() > WIDTH {
            lines += &format!("    {}\n", line.trim_end());
            line.clear();
        }
        line += &format!("{text}, ");
    }
    format!("[\n{lines}    {}\n]", line.trim_end())
}

/// Text that may stand in a comment: on one line, without control characters.
fn commented(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_so_that_toml_reads_them_back() {
        for name in ["a b", "quote\"d", "back\\slash", "line\nfeed", "é\u{7f}\u{1}", ""] {
            let text = format!("[pipeline]\nname = \"a\"\n[data]\npath = \"x.csv\"\nscore = {}\n", text_of(name));
            let loaded = crate::config::load_text(std::path::Path::new("a.toml"), &text, &[], &|_| None).unwrap();
            assert_eq!(loaded.config.data.score.as_deref(), Some(name), "{text}");
        }
        assert_eq!(key_of("age_group-2"), "age_group-2");
    }

    #[test]
    fn long_lists_take_several_lines() {
        let texts: Vec<String> = (0..40).map(|at| format!("category {at}")).collect();
        let text = list(&texts);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH + 6), "{text}");
        assert!(text.lines().count() > 3 && text.ends_with("\n]"));
    }
}
