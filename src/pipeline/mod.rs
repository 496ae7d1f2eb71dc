//! Plan + ports → audit: the only orchestration.
//!
//! One pass over the batches: score, explain, measure, write. Then what needs all rows: intervals, permutation
//! importance, gates. At last the audit is assembled, the report rendered, and all of it committed at once.

mod additivity;
mod adverse;
mod agreeing;
mod assemble;
mod attack_cost;
mod attacked;
mod attacking;
mod confusing;
mod curves;
mod drifting;
mod error;
mod exhibition;
mod explainer;
mod explaining;
mod explanation;
mod feature_maps;
mod fitting;
mod foresight;
mod further;
mod gallery;
mod global;
mod history;
mod individual;
mod layers;
mod letterhead;
mod maps;
mod measured;
mod meetings;
mod membership;
mod nights;
mod pace;
mod painting;
mod part;
mod permuting;
mod players;
mod predictions;
mod proof;
mod reference;
mod request;
mod scoring;
mod simplicity;
mod surrogate;
mod thumbnails;
mod trial;
mod turn;

pub use attack_cost::{AttackCost, foreseen as attack_foreseen};
pub use curves::{CurveCost, foreseen as curves_foreseen};
pub use error::{Cause, RunError};
pub use explainer::Explainer;
pub use foresight::{Asked, Foresight, GroupSizes, foresee, group_sizes, importance_asks};
pub use request::{Finished, Outcome, Progress, Request};
pub use trial::rows_on_trial;

use crate::audit::{Distribution, Note};
use crate::config::{ImportanceMethod, Template};
use crate::dataset::Reader;
use crate::fairness::{FairnessAccumulator, FairnessResult};
use crate::importance::{self, PeopleSample, Reservoir};
use crate::model::NativePredictor;
use crate::model::predictor::Predictor;
use crate::plan::{Background, Plan};
use crate::report;
use crate::stats::GroupLevels;
use crate::store::{Inputs, Report, RunWriter, Store, TOOL_VERSION};
use attacking::Attacked;
use confusing::{Confused, Confusing};
use drifting::Drifting;
use explaining::{ExplainedRun, Explaining};
use further::FurtherRun;
use global::Global;
use individual::individual;
pub use measured::favourable_is_positive;
use measured::{rows, spec};
use permuting::permutation;
use reference::background;
use scoring::Agreement;
use simplicity::{Simplicity, simplicity};
use std::collections::BTreeMap;
use std::time::Instant;
use trial::{Trial, Tried};

/// Runs a plan and stores the result.
pub fn run(plan: &Plan, store: &Store, request: &Request, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let lock = turn::turn(store, &plan.config().pipeline.name, request.patience)?;
    let provenance = assemble::Provenance::of(plan, request)?;
    let same = store.find_same(Inputs {
        pipeline: &plan.config().pipeline.name,
        as_of: request.as_of,
        config_sha256: &provenance.config_sha256,
        model_sha256: &provenance.model_sha256,
        data_sha256: &provenance.data_sha256,
        tool_version: TOOL_VERSION,
    })?;
    if let Some(same) = same.as_ref().filter(|_| !request.force) {
        return Ok(Outcome::Same(Box::new(same.clone())));
    }
    let name = plan.config().pipeline.name.as_str();
    tracing::info!(
        pipeline = name,
        run_id = provenance.run_id,
        as_of = request.as_of,
        rows = plan.n_rows,
        "run begins"
    );
    let mut writer = store.begin(&lock, &provenance.run_id, request.as_of)?;
    for recovered in writer.recovered() {
        tracing::warn!(pipeline = name, run_id = recovered.run_id, "a run that was killed is recorded as aborted");
    }
    let computed = Computation::new(plan, progress).run(&mut writer);
    progress.finished();
    let computed = match computed {
        Ok(computed) => computed,
        Err(error) => {
            if error.status == crate::ExitStatus::Broken {
                writer.fail(&provenance.failed(plan), &error.to_string())?;
            }
            return Err(error);
        }
    };
    let supersedes = same.as_ref().map(|run| run.run_id.as_str());
    let distributions = computed.distributions.clone();
    let mut audit = assemble::audit(plan, provenance, computed);
    // Reports are drawn before the run is recorded, and drawn again from the record.
    audit.run.prev_run_id = writer.previous().map(|run| run.run_id.clone());
    history::compare(plan, store, &mut audit, &distributions, supersedes)?;
    let mut rendered = Vec::new();
    if request.report {
        for template in &plan.config().report.templates {
            let html = report::render(&audit, template.name(), None).map_err(RunError::broken)?;
            rendered.push((template.name(), html));
            if *template == Template::ModelCard {
                let json = report::json(&audit, template.name(), None).map_err(RunError::broken)?;
                rendered.push(("model-card.json", json));
            }
        }
    }
    let reports: Vec<Report> =
        rendered.iter().map(|(template, html)| Report { template, html: html.as_bytes() }).collect();
    let committed = writer.commit(&mut audit, &reports, supersedes)?;
    let seconds = audit.timings.get("total").copied().unwrap_or(0.0);
    tracing::info!(pipeline = name, run_id = audit.run.run_id, verdict = ?audit.run.verdict, seconds, "run is stored");
    Ok(Outcome::Ran(Box::new(Finished { audit, committed })))
}

/// Everything computed over the rows.
pub struct Computed {
    pub fairness: FairnessResult,
    pub explained: Option<ExplainedRun>,
    pub further: Vec<FurtherRun>,
    pub permutation: Option<importance::PermutationImportance>,
    pub global: Global,
    pub simplicity: Simplicity,
    /// Dependence curves.
    pub curves: Vec<crate::audit::CurvePoint>,
    pub distributions: Vec<Distribution>,
    pub confusion: Confused,
    /// How well features tell groups.
    pub proxies: Vec<crate::audit::Proxy>,
    /// What the network does inside.
    pub inside: layers::Inside,
    pub attacked: Attacked,
    pub notes: Vec<crate::audit::Note>,
    pub tally: crate::dataset::Tally,
    pub proof: crate::audit::Proof,
    pub timings: BTreeMap<String, f64>,
}

struct Computation<'a> {
    plan: &'a Plan,
    progress: &'a dyn Progress,
    timings: BTreeMap<String, f64>,
}

impl<'a> Computation<'a> {
    fn new(plan: &'a Plan, progress: &'a dyn Progress) -> Self {
        Self { plan, progress, timings: BTreeMap::new() }
    }

    fn add(&mut self, stage: &str, seconds: f64) {
        *self.timings.entry(stage.to_owned()).or_default() += seconds;
    }

    /// Measures `work` into a stage.
    fn timed<T>(&mut self, stage: &str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.add(stage, started.elapsed().as_secs_f64());
        result
    }

    fn run(mut self, writer: &mut RunWriter) -> Result<Computed, RunError> {
        let started = Instant::now();
        let plan = self.plan;
        self.progress.stage("preparing");
        let background = self.timed("read", || plan.explain().map(|explain| background(plan, explain)).transpose())?;
        let native = plan.model.as_ref().and_then(|model| model.native.as_ref()?.predictor());
        let explainer = self.explainer(background.as_ref(), native.as_ref())?;
        let mut explaining = match (&plan.model, plan.explain(), &explainer) {
            (Some(model), Some(explain), Some(explainer)) => Some(Explaining::new(plan, model, explain, explainer)),
            _ => None,
        };
        let mut fairness = FairnessAccumulator::new(&spec(plan));
        let mut drifting = Drifting::new(plan);
        let mut confusion = Confusing::default();
        let mut sample = self.importance_sample();
        let mut people = self.people_sample();
        let mut spreads = attacking::spreads(plan);
        let mut for_surrogate = simplicity::sample(plan);
        let mut agreement = Agreement::default();
        let pseudonyms = assemble::pseudonyms(plan);
        let mut batch_difference = None;
        self.progress.rows_expected(plan.n_rows);
        self.progress.stage("auditing");
        let mut reader = Reader::start(&plan.source, &plan.selection, plan.batch_rows)?;
        while let Some(batch) = self.timed("read", || reader.next()) {
            let mut batch = batch?;
            if let Some(pseudonyms) = &pseudonyms {
                batch.ids = pseudonyms.of(&batch.ids);
            }
            if batch.first_row == 0 {
                batch_difference =
                    plan.model.as_ref().map(|model| scoring::batch_dependence(model, &batch)).transpose()?.flatten();
            }
            let mut scored = self.timed("score", || scoring::score(plan, &batch))?;
            self.timed("prove", || scoring::prove(plan, &batch, &mut scored, &mut agreement))?;
            let mut gaps = None;
            if let Some(explaining) = &mut explaining {
                let whole = Instant::now();
                let explained = explaining.batch(&batch, &scored, writer)?;
                gaps = explained.gaps;
                self.add("explain", explained.seconds);
                self.add("write", whole.elapsed().as_secs_f64() - explained.seconds);
            }
            self.timed("fairness", || fairness.update(rows(&batch, &scored)).map_err(RunError::unacceptable))?;
            self.timed("drift", || drifting.update(&batch, &scored));
            confusion.update(plan, &batch, &scored);
            self.timed("write", || predictions::write(plan, &batch, &scored, gaps.as_ref(), writer))?;
            if let Some(sample) = &mut sample {
                self.timed("importance", || sample.update(&batch).map_err(RunError::unacceptable))?;
            }
            if let Some(people) = &mut people {
                let scores = scored.scores.as_slice().unwrap_or_default();
                self.timed("individual", || {
                    people.update(batch.first_row, &batch.features, &batch.codes, scores, &scored.decisions);
                });
            }
            if let Some(spreads) = &mut spreads {
                self.timed("robustness", || spreads.update(&batch.features));
            }
            if let Some(sample) = &mut for_surrogate {
                self.timed("importance", || simplicity::offer(sample, &batch, &scored));
            }
            self.progress.rows_done(batch.first_row + batch.features.n_rows as u64);
        }
        let tally = reader.tally();
        let levels = GroupLevels {
            columns: plan.selection.groups.iter().map(|group| group.column.clone()).collect(),
            levels: tally.levels.clone(),
        };
        self.progress.stage("intervals");
        let mut fairness = self.timed("fairness", || fairness.finish(&levels).map_err(RunError::unacceptable))?;
        let confused = confusion.finish(plan, &levels)?;
        let distributions = self.timed("drift", || drifting.finish());
        self.timed("write", || writer.distributions(&distributions))?;
        self.progress.stage("importance");
        let predictor = plan.model.as_ref().map(|model| match &native {
            // The native structure was proved equal on every row by now.
            Some(native) => native as &dyn Predictor,
            None => &model.scorer,
        });
        // Rows without any label have nothing to lose.
        let sample = sample.and_then(|sample| sample.finish().ok());
        let (permutation, curves) = match predictor {
            Some(predictor) => (
                self.timed("importance", || permutation(plan, sample.as_ref(), predictor))?,
                self.timed("curves", || curves::curves(plan, predictor))?,
            ),
            None => (None, curves::Curves::default()),
        };
        let (permutation, conditional) = permutation.unzip();
        let conditional = conditional.flatten();
        let people = people.and_then(PeopleSample::finish);
        let individual =
            self.timed("individual", || individual(plan, people, &levels, &fairness.attributes, predictor))?;
        fairness.metrics.extend(individual.metrics);
        let trial = self.timed("importance", || Trial::new(plan))?;
        let proof = proof::main(plan, explaining.as_ref().zip(background.as_ref()), &agreement, batch_difference);
        let mut explained = self.timed("explain", || {
            explaining.map(|explaining| explaining.finish(&levels, &fairness.attributes)).transpose()
        })?;
        let exhibited = explained.as_ref().and_then(|explained| explained.pictures.as_ref());
        let mean_maps = exhibited.map_or(&[][..], |exhibited| &exhibited.mean_maps);
        self.timed("write", || writer.mean_maps(mean_maps))?;
        let scored = for_surrogate.and_then(|sample| sample.finish());
        let simplicity = self.timed("importance", || simplicity(plan, scored, explained.as_ref()));
        let mut global = Global::default();
        if let Some(predictor) = predictor {
            let find = || global::global(plan, predictor, sample.as_ref(), explained.as_mut());
            global = self.timed("importance", find)?;
        }
        let further = self.further(explained.as_ref(), native.as_ref(), &levels, trial.as_ref(), writer)?;
        if let (Some(trial), Some(predictor)) = (&trial, predictor) {
            let tried = self.tried(trial, explainer.as_ref(), &further)?;
            (global.metrics, global.curves) = self.timed("importance", || trial.finish(plan, predictor, &tried))?;
        }
        let cases = explained.as_ref().map_or(&[][..], |explained| &explained.cases);
        let inside = self.timed("layers", || layers::look_inside(plan, &levels, cases, self.progress))?;
        self.timed("write", || writer.layer_units(&inside.units))?;
        let progress = self.progress;
        let attacked = self.timed("robustness", || attacking::attack(plan, spreads, &levels, progress))?;
        self.add("total", started.elapsed().as_secs_f64());
        let (proxies, mut notes) = (individual.proxies, individual.notes);
        notes.extend(curves.notes);
        notes.extend(conditional.map(|text| Note { about: "explanation".to_owned(), text }));
        let timings = self.timings;
        Ok(Computed {
            fairness,
            explained,
            further,
            permutation,
            global,
            simplicity,
            curves: curves.points,
            distributions,
            confusion: confused,
            proxies,
            inside,
            attacked,
            notes,
            tally,
            proof,
            timings,
        })
    }

    fn further(
        &mut self,
        main: Option<&ExplainedRun>,
        native: Option<&NativePredictor>,
        levels: &GroupLevels,
        trial: Option<&Trial>,
        writer: &mut RunWriter,
    ) -> Result<Vec<FurtherRun>, RunError> {
        let (Some(model), Some(main)) = (&self.plan.model, main) else { return Ok(Vec::new()) };
        let (plan, progress) = (self.plan, self.progress);
        let mut further = Vec::with_capacity(model.also.len());
        for explain in &model.also {
            let found = further::Found { levels, picked: main.cases.as_slice(), trial };
            further.push(
                self.timed("explain", || further::explain(plan, model, explain, native, found, writer, progress))?,
            );
        }
        Ok(further)
    }

    /// What the main method, then the further ones, say of the rows on trial.
    fn tried(
        &mut self,
        trial: &Trial,
        explainer: Option<&Explainer>,
        further: &[FurtherRun],
    ) -> Result<Vec<Tried>, RunError> {
        let plan = self.plan;
        let (Some(model), Some(explain), Some(explainer)) = (&plan.model, plan.explain(), explainer) else {
            return Ok(Vec::new());
        };
        let main = self.timed("explain", || trial.put(plan, model, explain, explainer))?;
        Ok(std::iter::once(main).chain(further.iter().filter_map(|further| further.tried.clone())).collect())
    }

    fn explainer<'b>(
        &mut self,
        background: Option<&'b Background>,
        native: Option<&'b NativePredictor<'b>>,
    ) -> Result<Option<Explainer<'b>>, RunError>
    where
        'a: 'b,
    {
        let plan = self.plan;
        match (&plan.model, plan.explain(), background) {
            (Some(model), Some(explain), Some(background)) => {
                self.timed("explain", || Explainer::new(plan, model, explain, background, native)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Rows that are looked at one by one, where groups are asked for and the model's columns are known.
    fn people_sample(&self) -> Option<PeopleSample> {
        let plan = self.plan;
        let possible = plan.config().fairness.is_some() && !plan.selection.features.is_empty();
        possible.then(|| PeopleSample::new(importance::PEOPLE, plan.config().pipeline.seed))
    }

    fn importance_sample(&self) -> Option<Reservoir> {
        let plan = self.plan;
        let asked = plan.config().importance.methods.as_ref();
        let labelled = [ImportanceMethod::Permutation, ImportanceMethod::Sage];
        let wanted = asked.is_none_or(|methods| methods.iter().any(|method| labelled.contains(method)));
        let possible = plan.model.is_some() && plan.selection.label.is_some();
        (wanted && possible)
            .then(|| Reservoir::new(importance::DEFAULT_CAP.min(plan.rows_held()), plan.config().pipeline.seed))
    }
}
