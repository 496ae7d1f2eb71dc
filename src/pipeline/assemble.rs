//! From everything computed to the audit.

use super::{Computed, Request, RunError, agreeing, letterhead, players};
use crate::audit::{
    AttributeScope, Audit, Decision, Documents, Importance, ModelFacts, Note, Privacy, Run, SCHEMA_VERSION, Scope,
    Status, Structure,
};
use crate::config::{ImportanceMethod, Scale, Task};
use crate::model::structure;
use crate::plan::{Plan, task_name};
use crate::store::{self, Pseudonyms, TOOL_VERSION};
use std::collections::BTreeMap;

/// What a run was made from.
pub struct Provenance {
    pub run_id: String,
    pub as_of: String,
    pub started_at: String,
    pub config_sha256: String,
    pub model_sha256: String,
    pub data_sha256: String,
}

impl Provenance {
    pub fn of(plan: &Plan, request: &Request) -> Result<Self, RunError> {
        Ok(Self {
            run_id: request.run_id.map_or_else(store::new_run_id, str::to_owned),
            as_of: request.as_of.to_owned(),
            started_at: store::now(),
            config_sha256: config_sha256(plan),
            model_sha256: plan.model.as_ref().map(|model| store::sha256_of(&model.model.bytes)).unwrap_or_default(),
            data_sha256: store::sha256_of_files(&plan.source.files)?,
        })
    }

    fn run(&self, plan: &Plan) -> Run {
        Run {
            run_id: self.run_id.clone(),
            pipeline: plan.config().pipeline.name.clone(),
            as_of: self.as_of.clone(),
            started_at: self.started_at.clone(),
            finished_at: store::now(),
            status: Status::Succeeded,
            verdict: Decision::Pass,
            tool_version: TOOL_VERSION.to_owned(),
            config_sha256: self.config_sha256.clone(),
            model_sha256: self.model_sha256.clone(),
            data_sha256: self.data_sha256.clone(),
            prev_run_id: None,
            seed: plan.config().pipeline.seed,
            n_rows: plan.n_rows,
            explain_method: plan.explain().map_or("none", |explain| explain.method.name()).to_owned(),
            explain_scale: plan.explain().map_or("", |explain| explain.scale.name()).to_owned(),
        }
    }

    /// The record of a run that broke.
    pub fn failed(&self, plan: &Plan) -> Run {
        Run { status: Status::Failed, verdict: Decision::Insufficient, ..self.run(plan) }
    }
}

/// The key of pseudonyms decides results too, so its id counts; so does what stands in the files of the house.
fn config_sha256(plan: &Plan) -> String {
    let key_id = pseudonyms(plan).map(|pseudonyms| pseudonyms.key_id()).unwrap_or_default();
    let typed = format!("{}{key_id}", plan.loaded.sha256_input);
    store::sha256_of(&[typed.into_bytes(), plan.own.fingerprint()].concat())
}

pub fn pseudonyms(plan: &Plan) -> Option<Pseudonyms> {
    plan.loaded.pseudonym_key.as_ref().map(|key| Pseudonyms::new(key.bytes()))
}

/// The audit of this run alone; its gates are decided when it is compared with earlier ones.
pub fn audit(plan: &Plan, provenance: Provenance, computed: Computed) -> Audit {
    let notes = notes(plan, &computed);
    let scope = scope(plan, &computed);
    let mut run = provenance.run(plan);
    run.n_rows = computed.tally.n_rows;
    let mut audit = Audit {
        schema_version: SCHEMA_VERSION,
        run,
        scope,
        proof: computed.proof,
        metrics: computed.fairness.metrics,
        group_counts: computed.fairness.group_counts,
        importance: Vec::new(),
        group_attributions: Vec::new(),
        attribution_gaps: Vec::new(),
        proxies: computed.proxies,
        layers: computed.inside.activities,
        layer_probes: computed.inside.probes,
        feature_maps: computed.inside.feature_maps,
        gates: Vec::new(),
        drift: Vec::new(),
        baseline: None,
        history: Vec::new(),
        curves: computed.fairness.curves,
        sample: Default::default(),
        cases: Vec::new(),
        also: Vec::new(),
        surrogate: computed.simplicity.surrogate,
        adverse: None,
        structure: structure(plan),
        confusion: computed.confusion.all,
        confusion_by_group: computed.confusion.by_group,
        pictures: None,
        notes,
        timings: computed.timings,
    };
    if let Some(explained) = computed.explained {
        let asked = plan.config().importance.methods.as_ref();
        if asked.is_none_or(|methods| methods.contains(&ImportanceMethod::Attribution)) {
            audit.importance.extend(explained.summary.importance);
        }
        audit.group_attributions = explained.summary.groups;
        audit.adverse = explained.adverse;
        audit.pictures = explained.pictures.map(|exhibited| exhibited.pictures);
        audit.attribution_gaps = explained.summary.gaps;
        audit.scope.explained_outputs = explained.outputs;
        audit.sample = explained.sample;
        audit.cases = explained.cases.into_iter().map(|picked| picked.case).collect();
    }
    for further in computed.further {
        audit.importance.extend(further.importance);
        audit.also.push(further.told);
    }
    share_attributions(&mut audit);
    audit.curves.extend(computed.curves);
    audit.importance.extend(computed.permutation.into_iter().flat_map(|permutation| permutation.importance));
    audit.importance.extend(computed.global.importance);
    audit.curves.extend(computed.global.curves);
    audit.metrics.extend(computed.global.metrics);
    audit.metrics.extend(computed.attacked.metrics);
    audit.curves.extend(computed.attacked.curves);
    audit.metrics.extend(computed.simplicity.metrics);
    audit.metrics.extend(agreeing::agreements(&audit.importance, &audit.scope.explained_outputs));
    audit
}

/// Beside how well a feature tells the groups stands how much it counts.
fn share_attributions(audit: &mut Audit) {
    let Some(output) = audit.scope.explained_outputs.first() else { return };
    let of_output = |i: &&Importance| i.method == "attribution" && i.output == *output;
    let values: BTreeMap<&str, f64> =
        audit.importance.iter().filter(of_output).map(|i| (i.feature.as_str(), i.value)).collect();
    let total: f64 = values.values().sum();
    for proxy in &mut audit.proxies {
        proxy.attribution_share = values.get(proxy.feature.as_str()).filter(|_| total > 0.0).map(|value| value / total);
    }
}

fn scope(plan: &Plan, computed: &Computed) -> Scope {
    let config = plan.config();
    let (pipeline, data) = (&config.pipeline, &config.data);
    let binary = plan.task == Task::Binary;
    let positive = binary.then(|| plan.classes.last().cloned()).flatten();
    Scope {
        title: config.report.title.clone().unwrap_or_else(|| pipeline.name.clone()),
        description: pipeline.description.clone(),
        owner: pipeline.owner.clone(),
        version: pipeline.version.clone(),
        tags: pipeline.tags.clone(),
        task: task_name(plan.task).to_owned(),
        data_path: data.path.clone(),
        filter: data.filter.clone(),
        label: data.label.clone(),
        favourable: data.favourable.as_ref().map(ToString::to_string).or_else(|| positive.clone()),
        positive,
        threshold: binary.then_some(plan.threshold),
        weight: data.weight.clone(),
        outputs: plan.outputs.clone(),
        explained_outputs: Vec::new(),
        features: players::described(config, &plan.source, &plan.selection.features, &computed.tally),
        attributes: attributes(plan, computed),
        confidence: plan.groups.confidence,
        min_group_rows: plan.groups.min_group_rows,
        model: model_facts(plan),
        privacy: privacy(plan),
        documents: documents(plan),
    }
}

fn documents(plan: &Plan) -> Documents {
    let report = &plan.config().report;
    let provided = report.fields.all().into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.to_owned())));
    Documents {
        fields: provided.collect(),
        reasons: report.reasons.clone(),
        reasons_version: report.reasons_version.clone(),
        least_share: report.least_share,
        favourable_is_positive: super::favourable_is_positive(plan),
        logo: letterhead::logo(&plan.own),
        sections: letterhead::sections(&plan.own),
    }
}

fn privacy(plan: &Plan) -> Privacy {
    let typed = plan.config().privacy.clone().unwrap_or_default();
    Privacy {
        suppress_below: typed.suppress_below,
        key_id: pseudonyms(plan).map(|pseudonyms| pseudonyms.key_id()),
        dropped: typed.drop,
    }
}

fn attributes(plan: &Plan, computed: &Computed) -> Vec<AttributeScope> {
    match plan.config().fairness {
        Some(_) => computed.fairness.attributes.clone(),
        None => Vec::new(),
    }
}

fn model_facts(plan: &Plan) -> Option<ModelFacts> {
    let model = &plan.model.as_ref()?.model;
    let summary = model.summary();
    Some(ModelFacts {
        path: plan.config().model.path.clone()?,
        producer: model.graph.producer.clone(),
        opset: model.graph.opset("").unwrap_or(0),
        structure: summary.structure.clone(),
        parameters: summary.parameters,
        n_inputs: model.signature.inputs.len() as u64,
        operators: summary.operators.clone(),
    })
}

fn structure(plan: &Plan) -> Option<Structure> {
    let model = &plan.model.as_ref()?.model;
    Some(structure::structure(model.summary(), &model.graph, &model.shapes()))
}

/// What a reader must know beside the numbers.
fn notes(plan: &Plan, computed: &Computed) -> Vec<Note> {
    let note = |about: &str, text: String| Note { about: about.to_owned(), text };
    let tally = &computed.tally;
    let mut notes = computed.notes.clone();
    notes.extend(computed.inside.notes.iter().cloned());
    notes.extend(computed.attacked.notes.iter().cloned());
    for (feature, n) in plan.selection.features.iter().zip(&tally.unlisted).filter(|(_, n)| **n > 0) {
        notes.push(note(
            "data",
            format!("{n} values of `{}` are not listed in [data.encode] and were read as missing.", feature.column),
        ));
    }
    for (feature, n) in
        plan.selection.features.iter().zip(&tally.missing).filter(|(_, n)| **n == tally.n_rows && tally.n_rows > 0)
    {
        notes.push(note(
            "data",
            format!("`{}` is missing in all {n} rows: the model saw nothing of it.", feature.column),
        ));
    }
    if tally.unlabelled > 0 {
        notes.push(note(
            "data",
            format!("{} rows have no label: they count for scores and selection rates only.", tally.unlabelled),
        ));
    }
    if let Some(difference) = computed.proof.batch_difference.filter(|difference| *difference > 1e-6) {
        notes.push(note("model", format!(
            "A row's score depends on the batch it is scored in (by up to {difference:.2e} on a sample), as with dynamic \
             quantisation. Rows were scored in fixed blocks of {} in data order; in production the same row may score differently.",
            crate::dataset::BLOCK_ROWS
        )));
    }
    if plan.config().explain.scale == Some(Scale::Probability) && computed.proof.method == "tree" {
        notes.push(note("explanation", "Attributions on the probability scale are margin values rescaled against each background row, as \
            the shap library does: they add up to the probability, but are not its Shapley values. method = \"exact\" gives those.".to_owned()));
    }
    if computed.explained.is_some() {
        for cluster in plan.config().explain.players.iter().filter(|group| group.split) {
            notes.push(note("explanation", format!(
                "{} share the value of `{}`: their attributions are Owen values, which add up to its value as one player.",
                cluster.columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", "),
                cluster.name
            )));
        }
    }
    for undefined in computed.permutation.iter().flat_map(|permutation| &permutation.undefined) {
        notes.push(note(
            "explanation",
            format!("Permutation importance by {} is undefined: {}.", undefined.metric.name(), undefined.reason),
        ));
    }
    notes.extend(computed.global.notes.iter().cloned());
    if plan.gates.is_empty() {
        notes.push(note("gates", "No gates are configured: nothing was required of this model.".to_owned()));
    }
    notes
}
