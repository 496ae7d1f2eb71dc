//! Pictures kept for the reader: some of every class, the worst errors, and mean maps of classes and groups.
//!
//! What is kept does not grow with the rows: a few pictures a class, and one sum for every class and group. Rows come in
//! their order, so sums do not depend on batches or threads.

use super::part::{PartOfBatch, label_text};
use super::scoring::ScoredBatch;
use super::thumbnails::{Shades, Thumbnail, Thumbnails};
use crate::audit::{MeanMap, Overlay, Pictures, Probability, StoredMeanMap};
use crate::config::Task;
use crate::dataset::{Batch, Column, Labels};
use crate::plan::Plan;
use crate::stats::GroupLevels;
use ndarray::{ArrayView1, ArrayView3, s};
use std::collections::BTreeMap;

/// Confident errors that are kept.
const ERRORS: usize = 12;
/// Most classes, and most groups of an attribute, that are kept: the first that come.
const MOST_KINDS: usize = 100;
/// Most probable classes that are told of a picture.
const PROBABILITIES: usize = 5;

pub struct Exhibition {
    thumbnails: Thumbnails,
    column: usize,
    task: Task,
    classes: Vec<String>,
    outputs: Vec<String>,
    /// Group columns with the attributes that they are.
    attributes: Vec<(usize, String)>,
    n_explained: u64,
    picks: BTreeMap<Pick, (f64, Kept)>,
    /// The largest first.
    errors: Vec<(f64, Kept)>,
    /// By group column (`None`: by class decided for) and level.
    means: BTreeMap<(Option<usize>, u32), Sum>,
}

/// What is kept at the end.
pub struct Exhibited {
    /// Small enough to be looked at.
    pub pictures: Pictures,
    /// The mean maps among them at full precision.
    pub mean_maps: Vec<StoredMeanMap>,
}

/// Of a class decided for (0 in regressions): the most certain, then the least.
type Pick = (u32, bool);

struct Kept {
    overlay: Overlay,
    thumbnail: Thumbnail,
}

#[derive(Default)]
struct Sum {
    n: u64,
    sum: Thumbnail,
}

/// Explained rows with their maps.
pub(super) struct Hung<'a> {
    pub plan: &'a Plan,
    /// The rows' batch, and what is known of all its rows.
    pub batch: &'a Batch,
    pub scored: &'a ScoredBatch,
    pub part: &'a PartOfBatch<'a>,
    /// `[group column][explained row]`.
    pub codes: &'a [Vec<u32>],
    /// `[rows × outputs × pixels]`.
    pub maps: ArrayView3<'a, f32>,
    /// Position among all outputs of a row's explained one.
    pub output_of: &'a dyn Fn(usize, usize) -> usize,
}

impl Exhibition {
    /// `attributes`: group columns that are attributes by themselves, with their names.
    pub fn new(
        thumbnails: Thumbnails,
        column: usize,
        task: Task,
        [classes, outputs]: [&[String]; 2],
        attributes: Vec<(usize, String)>,
    ) -> Self {
        Self {
            thumbnails,
            column,
            task,
            classes: classes.to_vec(),
            outputs: outputs.to_vec(),
            attributes,
            n_explained: 0,
            picks: BTreeMap::new(),
            errors: Vec::new(),
            means: BTreeMap::new(),
        }
    }

    pub(super) fn update(&mut self, hung: &Hung) {
        let Some(Column::Tensor { width, values }) = hung.part.features.columns.get(self.column) else { return };
        for (row, numbers) in values.chunks_exact((*width).max(1)).enumerate() {
            let decision = hung.scored.decisions.get(hung.part.rows[row]).copied().unwrap_or(0);
            let explained = self.explained(hung, row, decision);
            let map = hung.maps.slice(s![row, explained, ..]);
            let map = map.as_standard_layout();
            let thumbnail = self.thumbnails.of(numbers, map.as_slice().unwrap_or_default());
            self.add_to_means(hung, row, decision, &thumbnail);
            self.consider(hung, row, (decision, explained), thumbnail);
        }
        self.n_explained += hung.part.rows.len() as u64;
    }

    /// Position of the explained output that was decided for, else the first.
    fn explained(&self, hung: &Hung, row: usize, decision: u32) -> usize {
        let n_outputs = hung.maps.dim().1;
        let decided = |at: &usize| self.task == Task::Multiclass && (hung.output_of)(row, *at) == decision as usize;
        (0..n_outputs).find(decided).unwrap_or(0)
    }

    fn add_to_means(&mut self, hung: &Hung, row: usize, decision: u32, thumbnail: &Thumbnail) {
        let by_class = (self.task != Task::Regression).then_some((None, decision));
        let by_group = self.attributes.iter().map(|(column, _)| (Some(*column), hung.codes[*column][row]));
        for key in by_class.into_iter().chain(by_group).filter(|(_, level)| (*level as usize) < MOST_KINDS) {
            self.means.entry(key).or_default().add(thumbnail);
        }
    }

    fn consider(&mut self, hung: &Hung, row: usize, (decision, explained): (u32, usize), thumbnail: Thumbnail) {
        let at = hung.part.rows[row];
        let scores = hung.scored.scores.row(at);
        let certainty = self.certainty(scores, decision);
        let error = self.error(hung.batch.labels.as_ref(), at, decision, certainty);
        let keep = |chosen_as: &str, this: &Self, thumbnail: Thumbnail| Kept {
            overlay: this.overlay(hung, row, (decision, explained), chosen_as),
            thumbnail,
        };
        if let Some(error) = error.filter(|error| *error > 0.0) {
            let place = self.errors.partition_point(|(known, _)| *known >= error);
            if place < ERRORS {
                let name = if self.task == Task::Regression { "largest error" } else { "confident error" };
                let kept = keep(name, self, thumbnail.clone());
                self.errors.insert(place, (error, kept));
                self.errors.truncate(ERRORS);
            }
        }
        let names =
            if self.task == Task::Regression { ["highest", "lowest"] } else { ["most certain", "least certain"] };
        // Of the certain ones, those that are right.
        let wrong = self.task != Task::Regression && error.is_some_and(|error| error > 0.0);
        for (is_least, rank) in [(false, certainty), (true, -certainty)] {
            if (decision as usize) < MOST_KINDS && (is_least || !wrong) {
                let pick = (decision, is_least);
                if self.picks.get(&pick).is_none_or(|(best, _)| rank > *best) {
                    let kept = keep(names[usize::from(is_least)], self, thumbnail.clone());
                    self.picks.insert(pick, (rank, kept));
                }
            }
        }
    }

    /// The probability of the decision; the value of a regression.
    fn certainty(&self, scores: ArrayView1<f64>, decision: u32) -> f64 {
        match self.task {
            Task::Binary if decision == 0 => 1.0 - scores[0],
            Task::Binary | Task::Regression => scores[0],
            _ => scores[decision as usize],
        }
    }

    /// How wrong a row is: 0 where it is right, `None` without a label.
    fn error(&self, labels: Option<&Labels>, at: usize, decision: u32, certainty: f64) -> Option<f64> {
        match labels? {
            Labels::Class(classes) => Some(if classes[at]? == decision { 0.0 } else { certainty }),
            Labels::Value(values) => Some((values[at] - certainty).abs()).filter(|error| error.is_finite()),
        }
    }

    fn overlay(&self, hung: &Hung, row: usize, (decision, explained): (u32, usize), chosen_as: &str) -> Overlay {
        let at = hung.part.rows[row];
        let scores = hung.scored.scores.row(at);
        let decided = if self.task == Task::Regression { None } else { self.classes.get(decision as usize) };
        Overlay {
            row_id: hung.part.ids.text(row),
            chosen_as: chosen_as.to_owned(),
            decision: decided.cloned().unwrap_or_default(),
            label: label_text(hung.plan, hung.batch, at),
            output: self.outputs[(hung.output_of)(row, explained)].clone(),
            score: self.certainty(scores, decision),
            probabilities: self.probabilities(scores),
            map: Default::default(),
        }
    }

    fn probabilities(&self, scores: ArrayView1<f64>) -> Vec<Probability> {
        let all: Vec<f64> = match self.task {
            Task::Regression => Vec::new(),
            Task::Binary => vec![1.0 - scores[0], scores[0]],
            _ => scores.to_vec(),
        };
        let mut order: Vec<usize> = (0..all.len().min(self.classes.len())).collect();
        order.sort_by(|a, b| all[*b].total_cmp(&all[*a]));
        let one = |at: &usize| Probability { class: self.classes[*at].clone(), probability: all[*at] };
        order.iter().take(PROBABILITIES).map(one).collect()
    }

    pub fn has_any(&self) -> bool {
        self.n_explained > 0
    }

    pub fn finish(self, levels: &GroupLevels) -> Exhibited {
        let means: BTreeMap<_, (u64, Thumbnail)> =
            self.means.into_iter().map(|(key, sum)| (key, (sum.n, sum.mean()))).collect();
        let kept: Vec<Kept> = self.picks.into_values().chain(self.errors).map(|(_, kept)| kept).collect();
        let shades = Shades::of(kept.iter().map(|kept| &kept.thumbnail).chain(means.values().map(|(_, mean)| mean)));
        let name = |(column, level): &(Option<usize>, u32)| {
            let level = *level as usize;
            Some(match column {
                None => (String::new(), self.classes.get(level)?.clone()),
                Some(column) => {
                    let attribute = self.attributes.iter().find(|(at, _)| at == column)?.1.clone();
                    (attribute, levels.levels.get(*column)?.get(level)?.clone())
                }
            })
        };
        let mean_map = |(key, (n, mean)): (&(Option<usize>, u32), &(u64, Thumbnail))| {
            let (attribute, group_value) = name(key)?;
            Some(MeanMap { attribute, group_value, n: *n, map: shades.draw(mean) })
        };
        let picture = self.thumbnails.picture;
        let (drawn_height, drawn_width) = self.thumbnails.size();
        let stored = |(key, (n, mean)): (&(Option<usize>, u32), &(u64, Thumbnail))| {
            let (attribute, group_value) = name(key)?;
            Some(StoredMeanMap {
                attribute,
                group_value,
                n: *n,
                height: drawn_height as u64,
                width: drawn_width as u64,
                step: self.thumbnails.step as u64,
                values: mean.map.iter().map(|value| *value as f32).collect(),
            })
        };
        let mean_maps = means.iter().filter_map(stored).collect();
        let pictures = Pictures {
            height: picture.height as u64,
            width: picture.width as u64,
            channels: picture.channels as u64,
            drawn_height: drawn_height as u64,
            drawn_width: drawn_width as u64,
            n_explained: self.n_explained,
            mean_maps: means.iter().filter_map(mean_map).collect(),
            overlays: kept
                .into_iter()
                .map(|Kept { overlay, thumbnail }| Overlay { map: shades.draw(&thumbnail), ..overlay })
                .collect(),
        };
        Exhibited { pictures, mean_maps }
    }
}

impl Sum {
    fn add(&mut self, one: &Thumbnail) {
        let add = |sum: &mut Vec<f64>, more: &[f64]| {
            sum.resize(more.len(), 0.0);
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        };
        self.n += 1;
        add(&mut self.sum.shades, &one.shades);
        add(&mut self.sum.map, &one.map);
    }

    fn mean(self) -> Thumbnail {
        let n = self.n.max(1) as f64;
        let mean = |sum: Vec<f64>| sum.into_iter().map(|sum| sum / n).collect();
        Thumbnail { shades: mean(self.sum.shades), map: mean(self.sum.map) }
    }
}
