//! Notes, methods, limits, and what the numbers were made of.

use super::scope::{code, fact};
use crate::audit::{Audit, Proof};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::view::{Fact, Note, Part, Section};
use crate::report::words;

pub fn section(lookup: &Lookup) -> Option<Section> {
    let audit = lookup.audit;
    let notes = audit.notes.iter().map(|note| Note { about: note.about.clone(), text: note.text.clone() }).collect();
    let parts = vec![
        Part { notes, ..Part::titled("What to know beside the numbers") },
        Part { facts: explanation(audit), ..Part::titled("Explanation") },
        Part { facts: run(audit), ..Part::titled("Run") },
        Part { sentences: limits(lookup), ..Part::titled("Limits") },
    ];
    Section::of("provenance", "Methods, limits and provenance", parts)
}

fn explanation(audit: &Audit) -> Vec<Fact> {
    let proof = &audit.proof;
    if matches!(proof.method.as_str(), "" | "none") {
        return Vec::new();
    }
    let rows = |n: u64| words::counted(n, "row", "rows");
    let native = proof.native_difference.map(|d| format!("{} over {}", number::tiny(d), rows(proof.native_rows)));
    let gap = proof.additivity_gap.map(|gap| {
        let mean = proof.additivity_gap_mean.map(|mean| format!(", {} on average", number::tiny(mean)));
        format!("{} at most{} over {}", number::tiny(gap), mean.unwrap_or_default(), rows(proof.n_explained))
    });
    let batch = proof.batch_difference.map(number::tiny);
    [
        fact("Method", method(proof)),
        fact("Why this one", &proof.reason),
        fact("Scale", words::scale(&proof.scale, &audit.scope.task)),
        fact("Rows explained", number::count(proof.n_explained)),
        fact("Background", background(proof)),
        fact("Cover", proof.cover_source.as_deref().unwrap_or_default()),
        fact("Native against runtime", native.unwrap_or_default()),
        fact("Additivity gap", gap.unwrap_or_default()),
        fact("Change with the batch", batch.unwrap_or_default()),
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
    format!("{}, {}", words::counted(proof.background_rows, "row", "rows"), proof.background_source)
}

fn run(audit: &Audit) -> Vec<Fact> {
    let run = &audit.run;
    let mut stages: Vec<(&String, &f64)> = audit.timings.iter().collect();
    stages.sort_by_key(|(stage, _)| *stage == "total");
    let timings: Vec<String> = stages.iter().map(|(stage, s)| format!("{stage} {}", number::seconds(**s))).collect();
    [
        code("Run", &run.run_id),
        code("Previous run", run.prev_run_id.as_deref().unwrap_or_default()),
        fact("Started", &run.started_at),
        fact("Finished", &run.finished_at),
        fact("Tool", format!("probity {}", run.tool_version)),
        fact("Seed", run.seed.to_string()),
        code("Key of the pseudonyms", audit.scope.privacy.key_id.as_deref().unwrap_or_default()),
        fact("Columns never stored", audit.scope.privacy.dropped.join(", ")),
        code("Configuration SHA-256", &run.config_sha256),
        code("Model SHA-256", &run.model_sha256),
        code("Data SHA-256", &run.data_sha256),
        fact("Timings", timings.join(", ")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn limits(lookup: &Lookup) -> Vec<String> {
    let mut limits = vec![
        "The numbers describe the rows audited under the stated filter, threshold and label; they say nothing about other \
         rows."
            .to_owned(),
        format!(
            "Intervals are {} intervals for sampling error alone; wrong labels, selection of the data and the choice of \
             groups are not in them.",
            words::confidence(Some(lookup.audit.scope.confidence))
        ),
    ];
    if !lookup.audit.importance.is_empty() {
        limits.push(
            "Attributions describe the model, not the world: a large attribution does not show that a feature causes the \
             outcome, and a small one does not show that a group is treated alike."
                .to_owned(),
        );
    }
    limits.push("This report informs; it is not legal advice and certifies nothing.".to_owned());
    limits
}
