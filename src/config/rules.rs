//! Keys that are right one by one and do not fit together.
//!
//! The rules read the tree, not the typed config, so that they find their mistakes beside all others of the file.
//! A value of the wrong type is passed over here: it has been reported already.

use super::error::{Findings, Problem};
use super::suggest::{nearest, one_of};
use super::tree::{Entry, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Notes every conflict between keys.
pub(super) fn conflicts(root: &Node, findings: &mut Findings) {
    something_to_audit(root, findings);
    threshold_of_a_binary_task(root, findings);
    image_divisors(root, findings);
    encoded_categories(root, findings);
    players(root, findings);
    further_methods(root, findings);
    attribution_importance_needs_attributions(root, findings);
    let attributes = attributes(root);
    attributes_are_distinct(&attributes, findings);
    bins_ascend(root, findings);
    references_name_attributes(root, &attributes, findings);
    gates(root, &attributes, findings);
    store_addresses(root, findings);
    webhook_address(root, findings);
    own_sections(root, findings);
}

fn conflict(at: &Node, message: String, label: &str, help: &str, findings: &mut Findings) {
    findings.add(at.place, Problem::Conflict(message), label, Some(help.to_owned()));
}

fn at<'n>(root: &'n Node, table: &str, key: &str) -> Option<&'n Node> {
    root.get(table)?.get(key)
}

fn something_to_audit(root: &Node, findings: &mut Findings) {
    let Some(data) = root.entry("data") else { return };
    if at(root, "model", "path").is_none() && data.node.get("score").is_none() {
        let message = "there is neither a model nor recorded scores to audit".to_owned();
        let help = "give `path` in [model], or in [data] the column of recorded scores as `score`".to_owned();
        let place = root.entry("model").unwrap_or(data).key;
        findings.add(place, Problem::Conflict(message), "no scores come from here", Some(help));
    }
}

fn threshold_of_a_binary_task(root: &Node, findings: &mut Findings) {
    let task = at(root, "model", "task").and_then(Node::text);
    if let (Some(task @ ("multiclass" | "regression")), Some(threshold)) = (task, at(root, "model", "threshold")) {
        let message = format!("`model.threshold` has no meaning for task = \"{task}\"");
        conflict(threshold, message, "only for binary tasks", "leave it out", findings);
    }
}

fn image_divisors(root: &Node, findings: &mut Findings) {
    for key in ["scale", "std"] {
        let Some(node) = at(root, "data", "image").and_then(|image| image.get(key)) else {
            continue;
        };
        let numbers = node.list().unwrap_or(std::slice::from_ref(node));
        for number in numbers.iter().filter(|number| number.number() == Some(0.0)) {
            conflict(number, format!("`data.image.{key}` must not be 0"), "0", "leave it out for no change", findings);
        }
    }
}

fn encoded_categories(root: &Node, findings: &mut Findings) {
    let Some(encode) = at(root, "data", "encode").and_then(Node::table) else {
        return;
    };
    for (column, entry) in encode {
        let items = entry.node.list().unwrap_or(&[]);
        let mut seen = BTreeMap::new();
        for (code, item) in items.iter().enumerate() {
            if let Some(first) = seen.get(&item.to_string()) {
                let message = format!("`data.encode.{column}` lists {item} twice");
                conflict(
                    item,
                    message,
                    &format!("has code {first} already"),
                    "list every category once, in code order",
                    findings,
                );
            }
            seen.entry(item.to_string()).or_insert(code);
        }
        if entry.node.list().is_some_and(<[Node]>::is_empty) {
            let help = "list its categories in code order, or leave the column out of [data.encode]";
            conflict(&entry.node, format!("`data.encode.{column}` lists no category"), "no entries", help, findings);
        }
    }
}

fn players(root: &Node, findings: &mut Findings) {
    let Some(explain) = root.get("explain") else { return };
    let (mut names, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for player in explain.items("players") {
        if let Some(name) = player.get("name")
            && !names.insert(name.text())
        {
            conflict(
                name,
                format!("two players are called {name}"),
                "used already",
                "give each its own name",
                findings,
            );
        }
        for column in player.items("columns") {
            if !columns.insert(column.text()) {
                let message = format!("column {column} stands in two places of `explain.players`");
                conflict(column, message, "used already", "a column belongs to one player", findings);
            }
        }
    }
}

fn further_methods(root: &Node, findings: &mut Findings) {
    let Some(explain) = root.get("explain") else { return };
    for further in explain.items("also") {
        if let Some(nested) = further.get("also") {
            let message = "a further method has no further methods of its own".to_owned();
            let help = "write each as its own [[explain.also]]";
            conflict(nested, message, "too deep", help, findings);
        }
        let nothing = further.get("method").filter(|method| method.text() == Some("none"));
        if let Some(nothing) = nothing {
            let message = "a further method that explains nothing has no meaning".to_owned();
            conflict(nothing, message, "nothing", "leave this [[explain.also]] out", findings);
        }
    }
}

fn attribution_importance_needs_attributions(root: &Node, findings: &mut Findings) {
    let Some(importance) = root.get("importance") else {
        return;
    };
    if at(root, "explain", "method").and_then(Node::text) != Some("none") {
        return;
    }
    for method in importance.items("methods").iter().filter(|method| method.text() == Some("attribution")) {
        let message = "importance by attribution needs attributions, and `explain.method` is \"none\"".to_owned();
        conflict(
            method,
            message,
            "nothing to average",
            "choose an explain method, or leave \"attribution\" out",
            findings,
        );
    }
}

/// The attributes' names in results, each with its node.
fn attributes(root: &Node) -> Vec<(String, &Node)> {
    let listed = root.get("fairness").map_or(&[][..], |fairness| fairness.items("attributes"));
    listed.iter().filter_map(|node| Some((attribute_name(node)?, node))).collect()
}

fn attribute_name(node: &Node) -> Option<String> {
    if let Some(columns) = node.list() {
        return Some(columns.iter().filter_map(Node::text).collect::<Vec<_>>().join(","));
    }
    node.text().or_else(|| node.get("column")?.text()).map(str::to_owned)
}

fn attributes_are_distinct(attributes: &[(String, &Node)], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (name, node) in attributes {
        if !seen.insert(name) {
            let message = format!("`fairness.attributes` lists `{name}` twice");
            conflict(node, message, "listed already", "list every attribute once", findings);
        }
        let columns = node.list().unwrap_or(&[]);
        let distinct: BTreeSet<_> = columns.iter().map(Node::text).collect();
        if distinct.len() < columns.len() {
            let message = format!("the intersection `{name}` names a column twice");
            conflict(node, message, "a column twice", "an intersection is made of different columns", findings);
        }
    }
}

fn bins_ascend(root: &Node, findings: &mut Findings) {
    let Some(fairness) = root.get("fairness") else { return };
    for bins in fairness.items("attributes").iter().filter_map(|attribute| attribute.get("bins")) {
        for pair in bins.list().unwrap_or(&[]).windows(2) {
            if let (Some(low), Some(high)) = (pair[0].number(), pair[1].number())
                && low >= high
            {
                let message = format!("`bins` must ascend, and {} comes after {}", pair[1], pair[0]);
                conflict(&pair[1], message, "not above the one before", "list the limits in ascending order", findings);
            }
        }
    }
}

fn references_name_attributes(root: &Node, attributes: &[(String, &Node)], findings: &mut Findings) {
    let Some(reference) = at(root, "fairness", "reference").and_then(Node::table) else {
        return;
    };
    for (name, Entry { key, .. }) in reference {
        if !attributes.iter().any(|(known, _)| known == name) {
            let message = format!("`fairness.reference` names `{name}`, which is not among the attributes");
            let help = help_for_attribute(name, attributes);
            findings.add(*key, Problem::Conflict(message), "not an attribute", Some(help));
        }
    }
}

fn help_for_attribute(typed: &str, attributes: &[(String, &Node)]) -> String {
    let sorted = |name: &str| name.split(',').map(|part| part.trim().to_owned()).collect::<BTreeSet<_>>();
    let names = || attributes.iter().map(|(name, _)| name.as_str());
    let same_columns = names().find(|name| sorted(name) == sorted(typed));
    match same_columns.or_else(|| nearest(typed, names())) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if attributes.is_empty() => "list it in [fairness] attributes".to_owned(),
        None => format!("`fairness.attributes` lists {}; add it there", one_of(names())),
    }
}

const LIMITS: [&str; 4] = ["min", "max", "max_change", "max_relative_change"];

fn gates(root: &Node, attributes: &[(String, &Node)], findings: &mut Findings) {
    for gate in root.items("gates") {
        if gate.table().is_some() && LIMITS.iter().all(|limit| gate.get(limit).is_none()) {
            let metric = gate.get("metric").map_or("…".to_owned(), ToString::to_string);
            let message = format!("the gate on {metric} has no limit");
            conflict(
                gate,
                message,
                "neither `min` nor `max`",
                "add `min = …`, `max = …`, `max_change = …` or several",
                findings,
            );
        }
        if let (Some(min), Some(max)) = (gate.get("min"), gate.get("max"))
            && let (Some(low), Some(high)) = (min.number(), max.number())
            && low > high
        {
            let message = format!("no value passes a gate with min = {min} and max = {max}");
            conflict(max, message, "below `min`", "exchange the two, or leave one out", findings);
        }
        if let Some(attribute) = gate.get("attribute")
            && let Some(name) = attribute.text()
            && !attributes.iter().any(|(known, _)| known == name)
        {
            let message = format!("the gate's attribute {attribute} is not among the attributes of [fairness]");
            let help = help_for_attribute(name, attributes);
            findings.add(attribute.place, Problem::Conflict(message), "not an attribute", Some(help));
        }
    }
}

fn store_addresses(root: &Node, findings: &mut Findings) {
    for (key, known) in [("results", &["s3"][..]), ("catalogue", &["sqlite", "postgres", "postgresql"])] {
        let Some(node) = at(root, "store", key) else { continue };
        let Some((scheme, _)) = node.text().and_then(|text| text.split_once("://")) else {
            continue;
        };
        if !known.contains(&scheme) {
            let message = format!("`store.{key}` = {node}: there is no store for {scheme}://");
            let help = match key {
                "results" => "give a folder, relative to this file",
                _ => "give sqlite: and a path relative to this file, such as sqlite:../var/catalogue.db",
            };
            conflict(node, message, "unknown kind of store", help, findings);
        }
    }
}

fn webhook_address(root: &Node, findings: &mut Findings) {
    let Some(node) = at(root, "notify", "webhook") else { return };
    let Some(typed) = node.text() else { return };
    let named = typed.strip_prefix("env:").is_some_and(|name| !name.is_empty());
    if !named && !typed.starts_with("http://") && !typed.starts_with("https://") {
        let help = "give env: and the name of an environment variable that holds the address, or http(s)://…";
        conflict(node, format!("`notify.webhook` = {node} is no address"), "not an address", help, findings);
    }
}

fn own_sections(root: &Node, findings: &mut Findings) {
    let Some(report) = root.get("report") else { return };
    for section in report.items("sections") {
        let message = match (section.get("file"), section.get("text")) {
            (Some(_), Some(_)) => "has both `file` and `text`",
            (None, None) if section.table().is_some() => "has neither `file` nor `text`",
            _ => continue,
        };
        let help = "give the Markdown as `text`, or the file that it stands in as `file`";
        conflict(section, format!("a section of `report.sections` {message}"), "one of them", help, findings);
    }
    if let (None, Some(alt)) = (report.get("logo"), report.get("logo_alt")) {
        let message = "`report.logo_alt` describes a logo, and there is none".to_owned();
        conflict(alt, message, "of what?", "give the picture's path as `logo`, or leave this out", findings);
    }
}
