//! What the network does inside: a pass of its own over a sample of the rows, through sessions of their own.

use super::feature_maps::feature_maps;
use super::gallery::Picked;
use super::membership::{group_names, numbered};
use super::{Progress, RunError};
use crate::audit::{FeatureMaps, LayerActivity, LayerProbe, LayerUnit, Note};
use crate::dataset::{Batch, Features, Labels, Reader};
use crate::fairness::AttributeSpec;
use crate::layers::{Activity, GroupActivity, MOST_INPUTS, Reduction, Target, probe};
use crate::plan::{LayersPlan, Plan, PlannedLayer, choose, within};
use crate::stats::GroupLevels;
use crate::stats::groups::groups;
use ndarray::ArrayView2;
use rayon::prelude::*;

/// Rows that probes are fitted on and asked about.
const PROBED: u64 = 2_000;
/// Numbers that are kept for probes of all layers together.
const PROBED_NUMBERS: usize = 1 << 26;

/// What was found.
#[derive(Debug, Default)]
pub struct Inside {
    pub activities: Vec<LayerActivity>,
    pub probes: Vec<LayerProbe>,
    pub units: Vec<LayerUnit>,
    pub feature_maps: Vec<FeatureMaps>,
    pub notes: Vec<Note>,
}

/// Sends the sample through. `levels` name the groups of the main pass, and feature maps are those of its `cases`.
pub fn look_inside(
    plan: &Plan,
    levels: &GroupLevels,
    cases: &[Picked],
    progress: &dyn Progress,
) -> Result<Inside, RunError> {
    let Some(layers) = plan.model.as_ref().and_then(|model| model.layers.as_ref()) else {
        return Ok(Inside::default());
    };
    let mut looking = Looking::new(plan, layers);
    let chosen = looking.choose(layers.n_rows);
    progress.rows_expected(plan.n_rows);
    progress.stage("layers");
    for batch in Reader::start(&plan.source, &plan.selection, plan.batch_rows)? {
        let batch = batch?;
        let n_rows = batch.features.n_rows;
        looking.add(&batch, &within(chosen.as_deref(), batch.first_row, n_rows))?;
        progress.rows_done(batch.first_row + n_rows as u64);
    }
    looking.send(true)?;
    let inside = looking.finish(levels)?;
    Ok(Inside { feature_maps: feature_maps(plan, layers, &inside.units, cases)?, ..inside })
}

/// Rows on their way, and what is known of those that went through.
struct Looking<'a> {
    plan: &'a Plan,
    layers: &'a LayersPlan,
    waiting: Sent,
    activities: Vec<Activity>,
    reductions: Vec<Reduction>,
    /// Rows that probes see; `None` = all.
    probed: Option<Vec<u64>>,
    /// By layer, the reduced numbers of the probed rows.
    reduced: Vec<Vec<f32>>,
    known: Known,
}

/// Rows that have not gone through.
#[derive(Default)]
struct Sent {
    features: Features,
    /// Positions in the data.
    keys: Vec<u64>,
    codes: Vec<Vec<u32>>,
}

/// What probes are to tell of the probed rows.
#[derive(Default)]
struct Known {
    keys: Vec<u64>,
    codes: Vec<Vec<u32>>,
    classes: Vec<Option<u32>>,
    values: Vec<f64>,
}

/// What one run gave.
struct Part {
    activities: Vec<Activity>,
    reduced: Vec<Vec<f32>>,
}

impl<'a> Looking<'a> {
    fn new(plan: &'a Plan, layers: &'a LayersPlan) -> Self {
        let seed = plan.config().pipeline.seed;
        let reductions: Vec<Reduction> =
            layers.layers.iter().map(|layer| Reduction::new(&layer.layout, seed)).collect();
        let width: usize = reductions.iter().map(Reduction::n_inputs).sum();
        let most = PROBED.min((PROBED_NUMBERS / width.max(1)) as u64).min(layers.n_rows);
        let mut looking = Self {
            plan,
            layers,
            waiting: Sent::default(),
            activities: layers.layers.iter().map(|layer| Activity::new(&layer.layout)).collect(),
            reduced: vec![Vec::new(); reductions.len()],
            reductions,
            probed: None,
            known: Known::default(),
        };
        looking.probed = if layers.probes { looking.choose(most) } else { Some(Vec::new()) };
        looking
    }

    /// The same seed and purpose: fewer rows are among more.
    fn choose(&self, n_rows: u64) -> Option<Vec<u64>> {
        choose(self.plan.n_rows, n_rows, self.plan.config().pipeline.seed, "layers")
    }

    fn is_probed(&self, key: u64) -> bool {
        self.probed.as_ref().is_none_or(|probed| probed.binary_search(&key).is_ok())
    }

    fn add(&mut self, batch: &Batch, rows: &[usize]) -> Result<(), RunError> {
        if rows.is_empty() {
            return Ok(());
        }
        let key = |row: &usize| batch.first_row + *row as u64;
        let probed: Vec<usize> = rows.iter().copied().filter(|row| self.is_probed(key(row))).collect();
        self.known.add(batch, &probed);
        self.waiting.keys.extend(rows.iter().map(key));
        extend(&mut self.waiting.codes, &batch.codes, rows);
        // Of large pictures a batch may hold more than should wait.
        for rows in rows.chunks(self.at_once().max(1)) {
            let features = batch.features.take(rows);
            match self.waiting.features.columns.is_empty() {
                true => self.waiting.features = features,
                false => self.waiting.features.append(features),
            }
            self.send(false)?;
        }
        Ok(())
    }

    /// Rows that keep all threads busy.
    fn at_once(&self) -> usize {
        self.layers.taps.rows_at_once() * self.plan.threads
    }

    /// Sends whole runs through once there is one for every thread; at the end whatever waits.
    fn send(&mut self, all: bool) -> Result<(), RunError> {
        let step = self.layers.taps.rows_at_once();
        let waiting = self.waiting.features.n_rows;
        let ready = if all { waiting } else { waiting / self.at_once() * self.at_once() };
        if ready == 0 {
            return Ok(());
        }
        let starts: Vec<usize> = (0..ready).step_by(step).collect();
        let parts: Vec<Part> =
            starts.into_par_iter().map(|from| self.run(from..(from + step).min(ready))).collect::<Result<_, _>>()?;
        for part in parts {
            self.activities.iter_mut().zip(part.activities).for_each(|(mine, theirs)| mine.merge(theirs));
            self.reduced.iter_mut().zip(part.reduced).for_each(|(mine, theirs)| mine.extend(theirs));
        }
        self.waiting.drop_first(ready);
        Ok(())
    }

    fn run(&self, rows: std::ops::Range<usize>) -> Result<Part, RunError> {
        let keys = &self.waiting.keys[rows.clone()];
        let codes: Vec<Vec<u32>> = self.waiting.codes.iter().map(|column| column[rows.clone()].to_vec()).collect();
        let numbers = self.layers.taps.run(&self.waiting.features, rows).map_err(RunError::broken)?;
        let mut part = Part { activities: Vec::new(), reduced: Vec::new() };
        for ((layer, reduction), numbers) in self.layers.layers.iter().zip(&self.reductions).zip(&numbers) {
            let mut activity = Activity::new(&layer.layout);
            activity.update(&codes, numbers);
            part.activities.push(activity);
            let each = numbers.chunks_exact(layer.layout.width().max(1)).zip(keys);
            let probed = each.filter(|(_, key)| self.is_probed(**key));
            part.reduced.push(probed.flat_map(|(row, _)| reduction.apply(row)).collect());
        }
        Ok(part)
    }

    fn finish(self, levels: &GroupLevels) -> Result<Inside, RunError> {
        let probes = self.probes(levels);
        let mut inside = Inside { probes, ..Inside::default() };
        for (layer, activity) in self.layers.layers.iter().zip(&self.activities) {
            let told = |attribute: &str| {
                let of = |probe: &&LayerProbe| probe.layer == layer.tensor && probe.attribute == attribute;
                let measures = ["roc_auc", "r2"];
                let found = inside.probes.iter().filter(of).find(|probe| measures.contains(&probe.measure.as_str()));
                found.and_then(|probe| probe.value)
            };
            let overall = activity.overall(layer.rectified);
            inside.notes.extend(not_finite(layer, &overall));
            let mut rows = vec![row(layer, ["", ""], &overall, told(""))];
            for attribute in &self.plan.groups.attributes {
                let found = groups(&attribute.name, &attribute.columns, activity.cells(), levels);
                let found = found.map_err(RunError::broken)?;
                rows.push(row(layer, [&attribute.name, ""], &overall, told(&attribute.name)));
                rows.extend(found.iter().filter(|group| !group.cells.is_empty()).map(|group| {
                    row(layer, [&attribute.name, &group.name], &activity.group(group, layer.rectified), None)
                }));
            }
            inside.activities.extend(rows);
            inside.units.extend(units(layer, activity, overall.n_rows));
        }
        Ok(inside)
    }

    /// One probe for each layer and for the label and each attribute.
    fn probes(&self, levels: &GroupLevels) -> Vec<LayerProbe> {
        if !self.layers.probes {
            return Vec::new();
        }
        let targets = self.known.targets(&self.plan.groups.attributes, levels);
        let pairs: Vec<(usize, usize)> =
            (0..self.layers.layers.len()).flat_map(|layer| (0..targets.len()).map(move |at| (layer, at))).collect();
        let found: Vec<Vec<LayerProbe>> =
            pairs.into_par_iter().map(|(layer, target)| self.probe(layer, &targets[target])).collect();
        found.concat()
    }

    fn probe(&self, layer: usize, (attribute, told): &(String, Told)) -> Vec<LayerProbe> {
        let (reduction, numbers) = (&self.reductions[layer], &self.reduced[layer]);
        let shape = (self.known.keys.len(), reduction.n_inputs());
        let Ok(x) = ArrayView2::from_shape(shape, numbers) else { return Vec::new() };
        let (target, measures): (Target, &[&str]) = match told {
            Told::Classes(classes) => (Target::Classes(classes), &["balanced_accuracy", "roc_auc"]),
            Told::Values(values) => (Target::Values(values), &["r2"]),
        };
        let blank = |measure: &str| LayerProbe {
            layer: self.layers.layers[layer].tensor.clone(),
            attribute: attribute.clone(),
            measure: measure.to_owned(),
            value: None,
            undefined_reason: None,
            ci_low: None,
            ci_high: None,
            baseline: None,
            n_train: 0,
            n_test: 0,
            n_classes: 0,
            n_inputs: shape.1.min(MOST_INPUTS) as u64,
            reduction: reduction.describe(),
        };
        let seed = self.plan.config().pipeline.seed;
        match probe(x, target, &self.known.keys, seed, self.plan.groups.confidence) {
            Err(why) => {
                let undefined =
                    |measure: &&str| LayerProbe { undefined_reason: Some(why.to_string()), ..blank(measure) };
                measures.iter().map(undefined).collect()
            }
            Ok(found) => found
                .measures
                .iter()
                .map(|measured| LayerProbe {
                    value: Some(measured.value),
                    ci_low: measured.interval.map(|interval| interval.low),
                    ci_high: measured.interval.map(|interval| interval.high),
                    baseline: Some(measured.baseline),
                    n_train: found.n_train,
                    n_test: found.n_test,
                    n_classes: found.n_classes,
                    ..blank(measured.measure)
                })
                .collect(),
        }
    }
}

/// What a probe is to tell.
enum Told {
    Classes(Vec<Option<u32>>),
    Values(Vec<f64>),
}

impl Known {
    fn add(&mut self, batch: &Batch, rows: &[usize]) {
        self.keys.extend(rows.iter().map(|row| batch.first_row + *row as u64));
        extend(&mut self.codes, &batch.codes, rows);
        match &batch.labels {
            Some(Labels::Class(classes)) => self.classes.extend(rows.iter().map(|row| classes[*row])),
            Some(Labels::Value(values)) => self.values.extend(rows.iter().map(|row| values[*row])),
            None => {}
        }
    }

    /// The label as "", then the attributes.
    fn targets(&self, attributes: &[AttributeSpec], levels: &GroupLevels) -> Vec<(String, Told)> {
        let mut targets = Vec::new();
        if !self.classes.is_empty() {
            targets.push((String::new(), Told::Classes(self.classes.clone())));
        } else if !self.values.is_empty() {
            targets.push((String::new(), Told::Values(self.values.clone())));
        }
        let names = |attribute: &AttributeSpec| group_names(attribute, levels, &self.codes, self.keys.len());
        let groups = |attribute: &AttributeSpec| Told::Classes(numbered(&names(attribute)));
        targets.extend(attributes.iter().map(|attribute| (attribute.name.clone(), groups(attribute))));
        targets
    }
}

impl Sent {
    fn drop_first(&mut self, n: usize) {
        let rest: Vec<usize> = (n..self.features.n_rows).collect();
        self.features = self.features.take(&rest);
        self.keys.drain(..n);
        self.codes.iter_mut().for_each(|column| drop(column.drain(..n)));
    }
}

fn extend(mine: &mut Vec<Vec<u32>>, codes: &[Vec<u32>], rows: &[usize]) {
    mine.resize(codes.len(), Vec::new());
    mine.iter_mut().zip(codes).for_each(|(mine, column)| mine.extend(rows.iter().map(|row| column[*row])));
}

fn row(
    layer: &PlannedLayer,
    [attribute, group]: [&str; 2],
    found: &GroupActivity,
    separability: Option<f64>,
) -> LayerActivity {
    LayerActivity {
        layer: layer.tensor.clone(),
        op: layer.op.clone(),
        shape: layer.shape.clone(),
        parameters: layer.parameters,
        attribute: attribute.to_owned(),
        group_value: group.to_owned(),
        n: found.n_rows,
        units: layer.layout.n_units() as u64,
        mean: found.numbers.mean,
        std: found.numbers.std,
        zero_fraction: found.numbers.zero_fraction,
        minimum: found.numbers.minimum,
        maximum: found.numbers.maximum,
        dead_units: found.dead_units,
        separability,
    }
}

fn units(layer: &PlannedLayer, activity: &Activity, n: u64) -> Vec<LayerUnit> {
    let of = |unit: crate::layers::UnitActivity| LayerUnit {
        layer: layer.tensor.clone(),
        unit: unit.unit as u64,
        n,
        mean: unit.numbers.mean,
        std: unit.numbers.std,
        zero_fraction: unit.numbers.zero_fraction,
        minimum: unit.numbers.minimum,
        maximum: unit.numbers.maximum,
        is_dead: unit.is_dead,
    };
    activity.units(layer.rectified).into_iter().map(of).collect()
}

fn not_finite(layer: &PlannedLayer, found: &GroupActivity) -> Option<Note> {
    let text = format!(
        "{} numbers of layer `{}` are not finite; they are left out of its statistics.",
        found.not_finite, layer.tensor
    );
    (found.not_finite > 0).then(|| Note { about: "layers".to_owned(), text })
}
