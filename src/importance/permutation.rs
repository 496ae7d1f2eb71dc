//! Permutation importance: what a metric loses when one player's values are shuffled among the rows.

use super::error::ImportanceError;
use super::metric::{Metric, Task, Truth};
use super::sample::Sample;
use super::strata::Strata;
use crate::audit::Importance;
use crate::dataset::batch::{Column, Features, Labels};
use crate::explain::game::random::Draws;
use crate::explain::game::{Part, Player, chunk_rows};
use crate::model::predictor::Predictor;
use crate::stats::intervals::student_quantile;
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

/// What is measured, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub task: Task,
    pub metrics: Vec<Metric>,
    /// Shuffles of each player.
    pub repeats: usize,
    pub seed: u64,
    /// Of the intervals, such as 0.95.
    pub confidence: f64,
    /// Binary decisions: the positive class if its probability is at least this.
    pub threshold: f64,
}

/// Whose values are shuffled, and among which rows.
#[derive(Debug, Clone, Copy)]
pub struct Shuffle<'a> {
    /// Stands in every row of the result.
    pub method: &'static str,
    /// Draws belong to it, so that two ways of shuffling the same columns do not repeat each other.
    pub purpose: &'static str,
    /// They may share columns, and leave some to nobody.
    pub players: &'a [&'a Player],
    /// `None`: among all rows. Within strata it is what the player adds to what the strata tell already (Strobl et al.
    /// 2008).
    pub strata: Option<&'a Strata>,
}

/// Importance of every player by every metric that is defined.
#[derive(Debug, Clone, PartialEq)]
pub struct PermutationImportance {
    /// Metrics as asked for, in each the players in order. `value` is the mean over the repeats of the metric lost
    /// (for losses: gained), positive where the player matters, as scikit-learn's `permutation_importance`;
    /// `std_err` and the t interval say how far other shuffles of the same rows would move it.
    pub importance: Vec<Importance>,
    /// Each metric of the rows as they are.
    pub baseline: Vec<(Metric, f64)>,
    pub undefined: Vec<Undefined>,
    pub n_rows: usize,
}

/// A metric that these rows do not define.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undefined {
    pub metric: Metric,
    pub reason: String,
}

/// Shuffles each player's values among the rows of `sample`, `repeats` times in each way, and scores the metrics again.
///
/// The columns of one player move together. Shuffles belong to (seed, purpose, player, repeat): the number of threads
/// changes nothing. Each thread works on a copy of the sample.
///
/// # Errors
/// No repeats, labels beyond the model's outputs, or a model that fails or gives scores that are no numbers.
pub fn shuffles(
    predictor: &dyn Predictor,
    sample: &Sample,
    shuffles: &[Shuffle],
    settings: &Settings,
) -> Result<PermutationImportance, ImportanceError> {
    if settings.repeats == 0 {
        return Err(ImportanceError::NoRepeats);
    }
    let rows = Rows { predictor, sample, settings, chunks: chunks(&sample.features) };
    let plain = rows.scores(&rows.chunks, "(none)")?;
    check_classes(&sample.labels, &plain)?;
    let baseline = rows.metrics(&plain);
    let mut found = PermutationImportance {
        importance: vec![],
        baseline: vec![],
        undefined: vec![],
        n_rows: sample.features.n_rows,
    };
    for (metric, value) in settings.metrics.iter().zip(&baseline) {
        match value {
            Ok(score) => found.baseline.push((*metric, if metric.is_loss() { -score } else { *score })),
            Err(reason) => found.undefined.push(Undefined { metric: *metric, reason: reason.clone() }),
        }
    }
    for shuffle in shuffles {
        let losses = rows.losses(shuffle)?;
        summarise(shuffle, settings, &baseline, &losses, &mut found);
    }
    Ok(found)
}

/// What every shuffle works with.
struct Rows<'a> {
    predictor: &'a dyn Predictor,
    sample: &'a Sample,
    settings: &'a Settings,
    /// The sample's features in pieces that the model takes in one call.
    chunks: Vec<Features>,
}

impl Rows<'_> {
    /// `[player · repeats + repeat][metric]`.
    fn losses(&self, shuffle: &Shuffle) -> Result<Vec<Vec<Result<f64, String>>>, ImportanceError> {
        let repeats = self.settings.repeats;
        let shuffled: Vec<Result<Vec<Result<f64, String>>, ImportanceError>> = (0..shuffle.players.len() * repeats)
            .into_par_iter()
            .map_init(|| self.chunks.clone(), |chunks, at| self.shuffled(chunks, shuffle, at / repeats, at % repeats))
            .collect();
        shuffled.into_iter().collect()
    }

    /// All metrics with the player's values in the order of this repeat. Leaves `chunks` as they were.
    fn shuffled(
        &self,
        chunks: &mut [Features],
        shuffle: &Shuffle,
        index: usize,
        repeat: usize,
    ) -> Result<Vec<Result<f64, String>>, ImportanceError> {
        let player = shuffle.players[index];
        let unchanged: Vec<usize> = (0..self.sample.features.n_rows).collect();
        let mut draws = Draws::new(self.settings.seed, shuffle.purpose, &[index as u64, repeat as u64]);
        let order = match shuffle.strata {
            Some(strata) => strata.shuffled(&mut draws),
            None => {
                let mut order = unchanged.clone();
                draws.shuffle(&mut order);
                order
            }
        };
        write(player, &self.sample.features, &order, chunks);
        let scores = self.scores(chunks, &player.name);
        write(player, &self.sample.features, &unchanged, chunks);
        Ok(self.metrics(&scores?))
    }

    fn scores(&self, chunks: &[Features], player: &str) -> Result<Array2<f64>, ImportanceError> {
        let parts = chunks.iter().map(|chunk| Ok(self.predictor.predict(chunk)?.probability));
        let parts = parts.collect::<Result<Vec<Array2<f64>>, ImportanceError>>()?;
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        // No chunks, or chunks that disagree about the outputs, leave no scores at all.
        let scores = concatenate(Axis(0), &views).unwrap_or_default();
        let n_rows = self.sample.features.n_rows;
        let known = scores.rows().into_iter().filter(|row| !row.iter().any(|score| score.is_nan())).count();
        match n_rows.saturating_sub(known) {
            0 => Ok(scores),
            count => Err(ImportanceError::NotANumber { player: player.to_string(), count, n_rows }),
        }
    }

    /// Each metric, turned so that larger is better.
    fn metrics(&self, scores: &Array2<f64>) -> Vec<Result<f64, String>> {
        let Settings { task, threshold, metrics, .. } = self.settings;
        let weights = self.sample.weights.as_deref();
        let truth = Truth { labels: &self.sample.labels, weights, task: *task, threshold: *threshold };
        metrics.iter().map(|metric| metric.score(truth, scores.view())).collect()
    }
}

fn chunks(features: &Features) -> Vec<Features> {
    let size = chunk_rows(features);
    let rows: Vec<usize> = (0..features.n_rows).collect();
    rows.chunks(size).map(|rows| features.take(rows)).collect()
}

fn check_classes(labels: &Labels, scores: &Array2<f64>) -> Result<(), ImportanceError> {
    let n_outputs = scores.ncols().max(2);
    let Labels::Class(classes) = labels else { return Ok(()) };
    match classes.iter().flatten().find(|class| **class as usize >= n_outputs) {
        Some(class) => Err(ImportanceError::Class { class: *class, n_outputs }),
        None => Ok(()),
    }
}

/// Writes the player's cells of row `order[i]` into row i, counted through all chunks.
fn write(player: &Player, from: &Features, order: &[usize], chunks: &mut [Features]) {
    let mut first = 0;
    for chunk in chunks {
        let order = &order[first..first + chunk.n_rows];
        first += chunk.n_rows;
        for part in &player.parts {
            match part {
                Part::Column(column) => write_column(&from.columns[*column], order, None, &mut chunk.columns[*column]),
                Part::Cells { column, cells } => {
                    write_column(&from.columns[*column], order, Some(cells), &mut chunk.columns[*column]);
                }
            }
        }
    }
}

fn write_column(from: &Column, order: &[usize], cells: Option<&[usize]>, into: &mut Column) {
    match (from, into) {
        (Column::Number(from), Column::Number(into)) => {
            into.iter_mut().zip(order).for_each(|(into, row)| *into = from[*row]);
        }
        (Column::Text(from), Column::Text(into)) => {
            into.iter_mut().zip(order).for_each(|(into, row)| into.clone_from(&from[*row]));
        }
        (Column::Tensor { width, values: from }, Column::Tensor { values: into, .. }) => {
            for (into, row) in into.chunks_mut(*width).zip(order) {
                let from = &from[row * width..][..*width];
                match cells {
                    None => into.copy_from_slice(from),
                    Some(cells) => cells.iter().for_each(|cell| into[*cell] = from[*cell]),
                }
            }
        }
        // The chunks are pieces of the sample.
        _ => {}
    }
}

/// Adds what a shuffle found; `shuffled[player · repeats + repeat][metric]`.
fn summarise(
    shuffle: &Shuffle,
    settings: &Settings,
    baseline: &[Result<f64, String>],
    shuffled: &[Vec<Result<f64, String>>],
    found: &mut PermutationImportance,
) {
    for (at, metric) in settings.metrics.iter().enumerate() {
        let Ok(baseline) = &baseline[at] else { continue };
        let lost = |scores: &Vec<Result<f64, String>>| scores[at].clone().map(|score| baseline - score);
        match shuffled.iter().map(lost).collect::<Result<Vec<f64>, String>>() {
            Err(reason) => found.undefined.push(Undefined { metric: *metric, reason }),
            Ok(losses) => {
                let of_player = losses.chunks(settings.repeats).zip(shuffle.players);
                let row = |(losses, player): (&[f64], &&Player)| {
                    let row = importance(*metric, &player.name, losses, settings.confidence);
                    Importance { method: shuffle.method.to_owned(), ..row }
                };
                let mut rows: Vec<Importance> = of_player.map(row).collect();
                rank(&mut rows);
                found.importance.extend(rows);
            }
        }
    }
}

/// Mean loss over the repeats with a t interval; neither error nor interval from a single repeat.
fn importance(metric: Metric, player: &str, losses: &[f64], confidence: f64) -> Importance {
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
    let std_err = (losses.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
    let reach = std_err.map(|std_err| std_err * student_quantile(confidence, n - 1.0));
    Importance {
        method: "permutation".to_string(),
        metric: metric.name().to_string(),
        feature: player.to_string(),
        output: String::new(),
        value: mean,
        std_err,
        ci_low: reach.map(|reach| mean - reach),
        ci_high: reach.map(|reach| mean + reach),
        rank: 0,
    }
}

/// 1 for the most important; equal ones in the order of the players.
fn rank(rows: &mut [Importance]) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| rows[*b].value.total_cmp(&rows[*a].value));
    for (rank, at) in order.into_iter().enumerate() {
        rows[at].rank = rank as u32 + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::game::Players;
    use crate::model::predictor::{PredictError, Scores};
    use std::sync::Arc;

    /// Every player among all rows.
    fn permutation_importance(
        predictor: &dyn Predictor,
        sample: &Sample,
        players: &Players,
        settings: &Settings,
    ) -> Result<PermutationImportance, ImportanceError> {
        let list: Vec<&Player> = players.iter().collect();
        let shuffle =
            Shuffle { method: "permutation", purpose: "permutation importance", players: &list, strata: None };
        shuffles(predictor, sample, &[shuffle], settings)
    }

    /// Scores a row by a function of its numbers and of the length of its text.
    struct Fake<F>(F);

    impl<F: Fn(&[f64]) -> f64 + Sync> Predictor for Fake<F> {
        fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
            let cell = |column: &Column, row: usize| match column {
                Column::Number(values) => values[row],
                Column::Text(values) => values[row].as_ref().map_or(0.0, |text| text.len() as f64),
                Column::Tensor { width, values } => values[row * width..][..*width].iter().map(|v| f64::from(*v)).sum(),
            };
            let score = |row| (self.0)(&features.columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>());
            let scores: Vec<f64> = (0..features.n_rows).map(score).collect();
            let probability = Array2::from_shape_vec((features.n_rows, 1), scores).unwrap();
            Ok(Scores { probability, margin: None })
        }
    }

    /// Column 0 uniform on a grid, 1 a text, 2 constant, 3 a tensor of two.
    fn features(n_rows: usize) -> Features {
        let mut draws = Draws::new(77, "features", &[]);
        let numbers = (0..n_rows).map(|_| draws.below(1000) as f64 / 1000.0).collect();
        let texts = (0..n_rows).map(|row| (row % 4 > 0).then(|| Arc::from("x".repeat(row % 4)))).collect();
        let tensors = (0..2 * n_rows).map(|_| draws.below(100) as f32 / 100.0).collect();
        let columns = vec![
            Column::Number(numbers),
            Column::Text(texts),
            Column::Number(vec![5.0; n_rows]),
            Column::Tensor { width: 2, values: tensors },
        ];
        Features { n_rows, columns }
    }

    fn regression(n_rows: usize, model: &dyn Predictor) -> Sample {
        let features = features(n_rows);
        let labels = Labels::Value(model.predict(&features).unwrap().probability.column(0).to_vec());
        Sample { features, labels, weights: None, n_total: n_rows as u64 }
    }

    fn players() -> Players {
        Players::columns(&["number", "text", "constant", "tensor"].map(String::from))
    }

    fn settings(task: Task, metrics: &[Metric]) -> Settings {
        Settings { task, metrics: metrics.to_vec(), repeats: 10, seed: 7, confidence: 0.95, threshold: 0.5 }
    }

    #[test]
    fn a_perfect_additive_model_loses_twice_the_variance_it_had_from_a_column() {
        let model = Fake(|x: &[f64]| 3.0 * x[0] + x[1]);
        let sample = regression(4_000, &model);
        let found =
            permutation_importance(&model, &sample, &players(), &settings(Task::Regression, &[Metric::Mse])).unwrap();
        let Column::Number(values) = &sample.features.columns[0] else { panic!("numbers") };
        let mean = values.iter().sum::<f64>() / 4_000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4_000.0;
        let expected = [2.0 * 9.0 * variance, 2.0 * 1.25];
        for (importance, expected) in found.importance.iter().zip(expected) {
            assert!(
                (importance.value - expected).abs() < 5.0 * importance.std_err.unwrap(),
                "{importance:?}, {expected}"
            );
            assert!(importance.ci_low.unwrap() < importance.value && importance.value < importance.ci_high.unwrap());
        }
        assert!(
            found.importance[2..].iter().all(|importance| importance.value == 0.0 && importance.std_err == Some(0.0))
        );
        let ranks: Vec<u32> = found.importance.iter().map(|importance| importance.rank).collect();
        assert_eq!(ranks, [2, 1, 3, 4]);
        assert_eq!(found.baseline, [(Metric::Mse, 0.0)]);
    }

    #[test]
    fn losses_and_scores_are_both_positive_where_a_player_matters() {
        let model = Fake(|x: &[f64]| 3.0 * x[0] - x[3]);
        let sample = regression(300, &model);
        let metrics = [Metric::R2, Metric::Mae, Metric::Rmse];
        let found = permutation_importance(&model, &sample, &players(), &settings(Task::Regression, &metrics)).unwrap();
        assert_eq!(found.importance.len(), 12);
        for metric in metrics {
            let of = |player: &str| {
                let mine = |row: &&Importance| row.metric == metric.name() && row.feature == player;
                found.importance.iter().find(mine).unwrap().value
            };
            assert!(of("number") > 0.1 && of("tensor") > 0.1 && of("text") == 0.0);
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_of_whole_cells_and_is_undone() {
        let sample = features(30);
        let whole = chunks(&sample);
        let mut shuffled = whole.clone();
        let order: Vec<usize> = (0..30).rev().collect();
        let parts = vec![Part::Column(1), Part::Cells { column: 3, cells: vec![1] }];
        let player = Player { name: "both".to_string(), parts };
        write(&player, &sample, &order, &mut shuffled);
        let reversed = sample.take(&order);
        assert_eq!(shuffled[0].columns[0], sample.columns[0]);
        assert_eq!(shuffled[0].columns[1], reversed.columns[1]);
        let (
            Column::Tensor { values: mine, .. },
            Column::Tensor { values: plain, .. },
            Column::Tensor { values: back, .. },
        ) = (&shuffled[0].columns[3], &sample.columns[3], &reversed.columns[3])
        else {
            panic!("tensors")
        };
        assert!((0..30).all(|row| mine[2 * row] == plain[2 * row] && mine[2 * row + 1] == back[2 * row + 1]));
        write(&player, &sample, &(0..30).collect::<Vec<_>>(), &mut shuffled);
        assert_eq!(shuffled, whole);
    }

    #[test]
    fn grouped_columns_are_shuffled_together() {
        // The model sees only whether both columns carry the same number: shuffling them together changes nothing.
        let mut features = features(200);
        features.columns[2] = features.columns[0].clone();
        let model = Fake(|x: &[f64]| f64::from(u8::from(x[0] == x[2])));
        let labels = Labels::Value((0..200).map(|row| 1.0 + f64::from(row % 2)).collect());
        let sample = Sample { features, labels, weights: None, n_total: 200 };
        let names = ["a", "text", "b", "tensor"].map(String::from);
        let settings = settings(Task::Regression, &[Metric::Mse]);
        let alone = permutation_importance(&model, &sample, &Players::columns(&names), &settings).unwrap();
        let group = [("ab".to_string(), vec!["a".to_string(), "b".to_string()])];
        let grouped =
            permutation_importance(&model, &sample, &Players::grouped(&names, &group).unwrap(), &settings).unwrap();
        assert!(alone.importance[0].value > 0.5 && alone.importance[2].value > 0.5);
        assert_eq!(grouped.importance[0].value, 0.0);
    }

    #[test]
    fn threads_and_chunks_change_no_bit() {
        let model = Fake(|x: &[f64]| 1.0 / (1.0 + (1.0 - 2.0 * x[0] - x[1] * x[3]).exp()));
        let mut sample = regression(20_000, &model);
        let Labels::Value(values) = &sample.labels else { panic!("values") };
        sample.labels = Labels::Class(
            values.iter().enumerate().map(|(row, p)| Some(u32::from(*p * 7.0 > (row % 7) as f64))).collect(),
        );
        sample.weights = Some((0..20_000).map(|row| f64::from(row % 5)).collect());
        let settings = settings(Task::Binary, &[Metric::RocAuc, Metric::LogLoss, Metric::Accuracy]);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| permutation_importance(&model, &sample, &players(), &settings)).unwrap()
        };
        assert_eq!(run(1), run(2));
        assert!(chunks(&sample.features).len() > 1);
    }

    #[test]
    fn a_metric_without_meaning_is_left_out_with_its_reason() {
        let model = Fake(|x: &[f64]| x[0]);
        let mut sample = regression(50, &model);
        sample.labels = Labels::Class(vec![Some(1); 50]);
        let settings = settings(Task::Binary, &[Metric::RocAuc, Metric::Accuracy]);
        let found = permutation_importance(&model, &sample, &players(), &settings).unwrap();
        assert_eq!(found.undefined[0].metric, Metric::RocAuc);
        assert!(found.undefined[0].reason.contains("one class"));
        assert_eq!(found.baseline.len(), 1);
        assert_eq!(found.importance.len(), 4);
    }

    #[test]
    fn one_repeat_or_one_row_has_no_interval_or_no_effect() {
        let model = Fake(|x: &[f64]| x[0]);
        let once = Settings { repeats: 1, ..settings(Task::Regression, &[Metric::Mae]) };
        let found = permutation_importance(&model, &regression(50, &model), &players(), &once).unwrap();
        assert_eq!((found.importance[0].std_err, found.importance[0].ci_low), (None, None));
        let found = permutation_importance(&model, &regression(1, &model), &players(), &once).unwrap();
        assert_eq!(found.importance[0].value, 0.0);
        let never = Settings { repeats: 0, ..once };
        let error = permutation_importance(&model, &regression(5, &model), &players(), &never).unwrap_err();
        assert_eq!(error, ImportanceError::NoRepeats);
    }

    #[test]
    fn scores_and_labels_that_do_not_fit_are_refused() {
        let mut sample = regression(20, &Fake(|x: &[f64]| x[0]));
        let settings = settings(Task::Binary, &[Metric::Accuracy]);
        let missing = Fake(|x: &[f64]| if x[0] > 0.5 { f64::NAN } else { 0.0 });
        let error = permutation_importance(&missing, &sample, &players(), &settings).unwrap_err();
        assert!(matches!(error, ImportanceError::NotANumber { n_rows: 20, .. }));
        sample.labels = Labels::Class(vec![Some(2); 20]);
        let error = permutation_importance(&Fake(|x: &[f64]| x[0]), &sample, &players(), &settings).unwrap_err();
        assert_eq!(error, ImportanceError::Class { class: 2, n_outputs: 2 });
    }

    fn within<'a>(players: &'a [&'a Player], strata: Option<&'a Strata>) -> Shuffle<'a> {
        Shuffle { method: "permutation_conditional", purpose: "conditional", players, strata }
    }

    #[test]
    fn within_strata_of_itself_a_column_loses_nothing() {
        let model = Fake(|x: &[f64]| 3.0 * x[0] + x[1]);
        let sample = regression(500, &model);
        let strata = Strata::new(&sample.features, &[1], &[true; 4]);
        let players = players();
        let list: Vec<&Player> = players.iter().collect();
        let settings = settings(Task::Regression, &[Metric::Mse]);
        let found = shuffles(&model, &sample, &[within(&list, Some(&strata))], &settings).unwrap().importance;
        assert_eq!((found[1].value, found[1].std_err), (0.0, Some(0.0)));
        assert!(found[0].value > 0.5 && found.iter().all(|row| row.method == "permutation_conditional"));
    }

    #[test]
    fn a_twin_matters_much_alone_and_little_beside_the_other() {
        // The second column is the first with a little noise; the model lives on the second.
        let mut sample = regression(2_000, &Fake(|x: &[f64]| x[0]));
        let Column::Number(first) = sample.features.columns[0].clone() else { panic!("numbers") };
        let mut draws = Draws::new(5, "noise", &[]);
        let twin: Vec<f64> = first.iter().map(|value| value + 0.02 * draws.unit()).collect();
        sample.labels = Labels::Value(twin.clone());
        sample.features.columns[2] = Column::Number(twin);
        let model = Fake(|x: &[f64]| x[2]);
        let strata = Strata::new(&sample.features, &[0], &[false; 4]);
        let players = players();
        let list: Vec<&Player> = players.iter().collect();
        let settings = settings(Task::Regression, &[Metric::R2]);
        let [all, within] = [None, Some(&strata)]
            .map(|strata| shuffles(&model, &sample, &[within(&list, strata)], &settings).unwrap().importance[2].value);
        assert!(all > 1.8 && within < 0.05, "{all} among all rows, {within} among rows alike in the twin");
    }

    #[test]
    fn columns_of_a_group_move_together() {
        let model = Fake(|x: &[f64]| x[0] + x[1]);
        let sample = regression(400, &model);
        let group = Player { name: "both".into(), parts: vec![Part::Column(0), Part::Column(1)] };
        let settings = settings(Task::Regression, &[Metric::Mse]);
        let shuffle = Shuffle { method: "permutation_groups", purpose: "groups", players: &[&group], strata: None };
        let found = shuffles(&model, &sample, &[shuffle], &settings).unwrap().importance.remove(0);
        // By hand: both columns of row i from row order[i], so the score is that of another row.
        let Labels::Value(scores) = &sample.labels else { panic!("values") };
        let losses = (0..10).map(|repeat| {
            let mut order: Vec<usize> = (0..400).collect();
            Draws::new(7, "groups", &[0, repeat]).shuffle(&mut order);
            (0..400).map(|row| (scores[row] - scores[order[row]]).powi(2)).sum::<f64>() / 400.0
        });
        let expected = losses.sum::<f64>() / 10.0;
        assert!((found.value - expected).abs() < 1e-12, "{} for {expected}", found.value);
    }
}
