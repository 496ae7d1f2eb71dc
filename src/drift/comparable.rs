//! Whether comparing two runs means something.

use crate::audit::{Audit, Scope, Status};
use std::collections::BTreeSet;

/// Names listed in a reason; the rest is counted.
const MOST_NAMES: usize = 5;

/// Why `now` cannot be compared with `before`; empty if it can. Numbers of runs that differ in what they measure
/// (task, classes, columns, scale) would look like change and be none.
pub fn obstacles(before: &Audit, now: &Audit) -> Vec<String> {
    let (a, b) = (&before.scope, &now.scope);
    let ended = |audit: &Audit| match audit.run.status {
        Status::Succeeded | Status::Superseded => None,
        status => Some(format!("run {} {}", audit.run.run_id, format!("{status:?}").to_lowercase())),
    };
    let mut reasons: Vec<String> = [before, now].into_iter().filter_map(ended).collect();
    if a.task != b.task {
        // What follows differs because of this.
        reasons.push(format!("another task: {} before, {} now", a.task, b.task));
        return reasons;
    }
    reasons.extend(differ("other classes", &a.outputs.join(", "), &b.outputs.join(", ")));
    reasons.extend(differ("another favourable class", named(&a.favourable), named(&b.favourable)));
    reasons.extend(differ("another label column", named(&a.label), named(&b.label)));
    reasons.extend(schema(a, b));
    let (scale_before, scale_now) = (before.run.explain_scale.as_str(), now.run.explain_scale.as_str());
    // Where one of them explained nothing there are no attributions to confuse.
    if !scale_before.is_empty() && !scale_now.is_empty() {
        reasons.extend(differ("another scale of attributions", scale_before, scale_now));
    }
    reasons
}

fn named(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or("none")
}

fn differ(what: &str, before: &str, now: &str) -> Option<String> {
    (before != now).then(|| format!("{what}: {before} before, {now} now"))
}

/// Columns that feed the model, by name and kind.
fn schema(before: &Scope, now: &Scope) -> Option<String> {
    let columns = |scope: &Scope| -> BTreeSet<(String, String)> {
        scope.features.iter().map(|feature| (feature.name.clone(), feature.kind.clone())).collect()
    };
    let (before, now) = (columns(before), columns(now));
    let list = |these: &BTreeSet<(String, String)>, those: &BTreeSet<(String, String)>| -> Option<String> {
        let apart: Vec<String> = these.difference(those).map(|(name, kind)| format!("{name} ({kind})")).collect();
        let more = apart.len().saturating_sub(MOST_NAMES);
        let shown = apart[..apart.len() - more].join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!apart.is_empty()).then(|| format!("{shown}{rest}"))
    };
    let gone = list(&before, &now).map(|names| format!("only before {names}"));
    let come = list(&now, &before).map(|names| format!("only now {names}"));
    let found: Vec<String> = [gone, come].into_iter().flatten().collect();
    (!found.is_empty()).then(|| format!("another data schema: {}", found.join("; ")))
}
