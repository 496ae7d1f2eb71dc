//! Notes, methods, limits, and what the numbers were made of.

use super::scope::{code, fact};
use crate::audit::{Audit, Proof};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::text::say;
use crate::report::view::{Fact, Note, Part, Section};
use crate::report::words;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let audit = lookup.audit;
    let notes = audit.notes.iter().map(|note| Note { about: note.about.clone(), text: note.text.clone() }).collect();
    let parts = vec![
        Part { notes, ..Part::titled(say!("provenance.notes")) },
        Part { facts: explanation(audit), ..Part::titled(say!("provenance.explanation")) },
        Part { facts: run(audit), ..Part::titled(say!("provenance.run")) },
        Part { sentences: limits(lookup), ..Part::titled(say!("provenance.limits")) },
    ];
    Section::of("provenance", say!("provenance.title"), parts)
}

fn explanation(audit: &Audit) -> Vec<Fact> {
    let proof = &audit.proof;
    if matches!(proof.method.as_str(), "" | "none") {
        return Vec::new();
    }
    let native = proof
        .native_difference
        .map(|d| say!("provenance.native", difference = number::tiny(d), rows = words::rows(proof.native_rows)));
    let gap = proof.additivity_gap.map(|gap| {
        let (largest, rows) = (number::tiny(gap), words::rows(proof.n_explained));
        match proof.additivity_gap_mean.map(number::tiny) {
            Some(mean) => say!("provenance.gap_with_mean", largest = largest, mean = mean, rows = rows),
            None => say!("provenance.gap", largest = largest, rows = rows),
        }
    });
    let batch = proof.batch_difference.map(number::tiny);
    [
        fact(say!("fact.method"), method(proof)),
        fact(say!("fact.why_this_one"), &proof.reason),
        fact(say!("fact.scale"), words::scale(&proof.scale, &audit.scope.task)),
        fact(say!("fact.rows_explained"), number::count(proof.n_explained)),
        fact(say!("fact.background"), background(proof)),
        fact(say!("fact.cover"), proof.cover_source.as_deref().unwrap_or_default()),
        fact(say!("fact.native_against_runtime"), native.unwrap_or_default()),
        fact(say!("fact.additivity_gap"), gap.unwrap_or_default()),
        fact(say!("fact.change_with_the_batch"), batch.unwrap_or_default()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn method(proof: &Proof) -> String {
    if proof.engine.is_empty() { proof.method.clone() } else { format!("{}, {}", proof.method, proof.engine) }
}

fn background(proof: &Proof) -> String {
    if proof.background_rows == 0 {
        return proof.background_source.clone();
    }
    format!("{}, {}", words::rows(proof.background_rows), proof.background_source)
}

fn run(audit: &Audit) -> Vec<Fact> {
    let run = &audit.run;
    let mut stages: Vec<(&String, &f64)> = audit.timings.iter().collect();
    stages.sort_by_key(|(stage, _)| *stage == "total");
    let timings: Vec<String> = stages.iter().map(|(stage, s)| format!("{stage} {}", number::seconds(**s))).collect();
    [
        code(say!("fact.run"), &run.run_id),
        code(say!("fact.previous_run"), run.prev_run_id.as_deref().unwrap_or_default()),
        fact(say!("fact.started"), &run.started_at),
        fact(say!("fact.finished"), &run.finished_at),
        fact(say!("fact.tool"), format!("probity {}", run.tool_version)),
        fact(say!("fact.seed"), run.seed.to_string()),
        code(say!("fact.key_of_the_pseudonyms"), audit.scope.privacy.key_id.as_deref().unwrap_or_default()),
        fact(say!("fact.columns_never_stored"), audit.scope.privacy.dropped.join(", ")),
        code(say!("fact.configuration_sha_256"), &run.config_sha256),
        code(say!("fact.model_sha_256"), &run.model_sha256),
        code(say!("fact.data_sha_256"), &run.data_sha256),
        fact(say!("fact.timings"), timings.join(", ")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn limits(lookup: &Lookup) -> Vec<String> {
    let mut limits = vec![
        say!("provenance.limit_rows"),
        say!("provenance.limit_intervals", confidence = words::confidence(Some(lookup.audit.scope.confidence))),
    ];
    if !lookup.audit.importance.is_empty() {
        limits.push(say!("provenance.limit_attributions"));
    }
    limits.push(say!("provenance.limit_informs"));
    limits
}
