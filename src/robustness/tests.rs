use super::{Attack, Ball, Loss, Method, Outcome, Reach, Rules};
use crate::dataset::{Column, Features};
use crate::model::differentiable::{Differentiable, Gradients, Stretch};
use crate::model::predictor::{PredictError, Predictor, Scores};
use crate::stats::random::Stream;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, array};
use std::sync::atomic::{AtomicU64, Ordering};

/// Scores z of a point, and how each changes with the point's numbers.
type Slopes = fn(&[f64]) -> (Vec<f64>, Vec<Vec<f64>>);

/// A model of some numbers whose probability is the logistic function, or the softmax, of z.
struct Model {
    layout: Vec<Stretch>,
    z: Slopes,
}

impl Model {
    fn new(width: usize, z: Slopes) -> Self {
        Self { layout: (0..width).map(|at| Stretch { numbers: at..at + 1, column: at, cell: 0 }).collect(), z }
    }
}

impl Differentiable for Model {
    fn width(&self) -> usize {
        self.layout.len()
    }

    fn layout(&self) -> &[Stretch] {
        &self.layout
    }

    fn most_points(&self) -> usize {
        7
    }

    fn points(&self, features: &Features) -> Result<Array2<f64>, PredictError> {
        Ok(Array2::from_shape_fn((features.n_rows, self.width()), |(row, column)| match &features.columns[column] {
            Column::Number(values) => values[row],
            _ => f64::NAN,
        }))
    }

    fn gradients(&self, points: ArrayView2<f64>, outputs: &[usize]) -> Result<Gradients, PredictError> {
        let n_outputs = (self.z)(&vec![0.0; self.width()]).0.len();
        let one = |(point, output): (usize, usize)| f64::from(u8::from(outputs[point] == output));
        self.combined(points, Array2::from_shape_fn((points.nrows(), n_outputs), one).view())
    }

    fn combined(&self, points: ArrayView2<f64>, weights: ArrayView2<f64>) -> Result<Gradients, PredictError> {
        let mut gradients = Array2::zeros(points.dim());
        let mut scores = Array2::zeros(weights.dim());
        for (at, point) in points.rows().into_iter().enumerate() {
            let (z, slopes) = (self.z)(&point.to_vec());
            scores.row_mut(at).assign(&Array1::from(z));
            for (output, slopes) in slopes.into_iter().enumerate() {
                gradients.row_mut(at).scaled_add(weights[[at, output]], &Array1::from(slopes));
            }
        }
        Ok(Gradients { scores, gradients })
    }

    fn multipliers(&self, points: ArrayView2<f64>, _: ArrayView2<f64>, _: &[usize]) -> Result<Gradients, PredictError> {
        Err(PredictError::Runtime { n_rows: points.nrows(), message: "no multipliers are asked for".to_owned() })
    }
}

impl Predictor for Model {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let points = self.points(features)?;
        let rows: Vec<Vec<f64>> = points.rows().into_iter().map(|point| (self.z)(&point.to_vec()).0).collect();
        let n_outputs = rows[0].len();
        let margin = Array2::from_shape_fn((rows.len(), n_outputs), |(row, output)| rows[row][output]);
        let mut probability = margin.mapv(f64::exp);
        match n_outputs {
            1 => probability = margin.mapv(|z| 1.0 / (1.0 + (-z).exp())),
            _ => probability.rows_mut().into_iter().for_each(|mut row| row /= row.sum()),
        }
        Ok(Scores { probability, margin: Some(margin) })
    }
}

const LINE: [f64; 3] = [2.0, -1.0, 0.5];

fn line(x: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    (vec![x.iter().zip(LINE).map(|(x, w)| x * w).sum::<f64>() + 0.25], vec![LINE.to_vec()])
}

/// A bumpy surface: its gradient at a row says little of what lies two steps away.
fn bumps(x: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let z = (3.0 * x[0]).sin() + (2.0 * x[1] + x[0]).cos() + 0.3 * x[2];
    let dx = 3.0 * (3.0 * x[0]).cos() - (2.0 * x[1] + x[0]).sin();
    (vec![z], vec![vec![dx, -2.0 * (2.0 * x[1] + x[0]).sin(), 0.3]])
}

const CLASSES: [[f64; 3]; 3] = [[1.0, 0.0, -0.5], [-0.5, 2.0, 0.0], [0.0, -1.0, 1.0]];

fn three(x: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let score = |weights: &[f64; 3]| weights.iter().zip(x).map(|(w, x)| w * x).sum();
    (CLASSES.iter().map(score).collect(), CLASSES.iter().map(|weights| weights.to_vec()).collect())
}

fn rows(n: usize) -> Features {
    let stream = Stream::new(3, "rows");
    let column = |at: u64| Column::Number((0..n as u64).map(|row| stream.child(at).normal(row)).collect());
    Features { n_rows: n, columns: (0..3).map(column).collect() }
}

fn point(rows: &Features, row: usize) -> Vec<f64> {
    let number = |column: &Column| match column {
        Column::Number(values) => values[row],
        _ => f64::NAN,
    };
    rows.columns.iter().map(number).collect()
}

fn free(unit: f64) -> Reach {
    Reach { unit, ..Reach::STILL }
}

fn rules(method: Method, loss: Loss, epsilons: &[f64]) -> Rules {
    Rules { method, loss, epsilons: epsilons.to_vec(), steps: 15, step: 0.2, restarts: 2, seed: 5 }
}

fn yes(scores: ArrayView1<f64>) -> u32 {
    u32::from(scores[0] >= 0.5)
}

fn most(scores: ArrayView1<f64>) -> u32 {
    (0..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best }) as u32
}

fn attacked(model: &Model, reach: &[Reach], rules: Rules, rows: &Features) -> Vec<Outcome> {
    let decide: super::attack::Decide = if rules.loss == Loss::OneScore { &yes } else { &most };
    let ball = Ball::new(3, &model.layout, reach);
    let keys: Vec<u64> = (0..rows.n_rows as u64).collect();
    Attack { model, predictor: model, decide, ball, rules }.all(rows, &keys).unwrap()
}

fn turned(outcomes: &[Outcome], at: usize) -> usize {
    outcomes.iter().filter(|outcome| outcome.turned[at]).count()
}

#[test]
fn a_linear_model_turns_exactly_where_the_margin_is_within_epsilon_times_the_weights() {
    let (model, rows) = (Model::new(3, line), rows(300));
    let units = [1.0, 0.5, 2.0];
    let reach = units.map(free);
    let epsilons = [0.0, 0.05, 0.3, 0.7];
    for method in [Method::Fgsm, Method::Pgd] {
        let found = attacked(&model, &reach, rules(method, Loss::OneScore, &epsilons), &rows);
        for (row, outcome) in found.iter().enumerate() {
            let margin = line(&point(&rows, row)).0[0];
            let norm: f64 = LINE.iter().zip(units).map(|(w, unit)| (w * unit).abs()).sum();
            let expected: Vec<bool> = epsilons.iter().map(|epsilon| margin.abs() < epsilon * norm).collect();
            assert_eq!(outcome.turned, expected, "{method:?}, row {row} with margin {margin}");
        }
        assert!(turned(&found, 1) > 0 && turned(&found, 3) > turned(&found, 2));
    }
}

#[test]
fn a_linear_model_of_classes_turns_exactly_where_its_nearest_border_is_within_reach() {
    let (model, rows) = (Model::new(3, three), rows(300));
    let epsilons = [0.0, 0.1, 0.4];
    let found = attacked(&model, &[free(1.0); 3], rules(Method::Pgd, Loss::CrossEntropy, &epsilons), &rows);
    let mut missed = 0;
    for (row, outcome) in found.iter().enumerate() {
        let (z, _) = three(&point(&rows, row));
        let own = outcome.decision as usize;
        // The distance to the border with another class, in the largest norm.
        let distance = |other: usize| {
            let norm: f64 = (0..3).map(|at| (CLASSES[own][at] - CLASSES[other][at]).abs()).sum();
            (z[own] - z[other]) / norm
        };
        let nearest = (0..3).filter(|other| *other != own).map(distance).fold(f64::INFINITY, f64::min);
        for (at, epsilon) in epsilons.iter().enumerate() {
            assert!(!outcome.turned[at] || nearest <= *epsilon, "row {row} cannot turn within {epsilon}");
            missed += usize::from(nearest < epsilon * 0.999 && !outcome.turned[at]);
        }
    }
    // Cross-entropy climbs towards the likeliest other class, which is not always the nearest.
    assert!(missed <= 3, "{missed} missed");
    assert!(turned(&found, 2) > turned(&found, 1) && turned(&found, 1) > 0);
}

#[test]
fn more_room_never_turns_fewer_many_steps_never_fewer_than_one_and_no_room_turns_none() {
    let (model, rows) = (Model::new(3, bumps), rows(200));
    let epsilons = [0.0, 0.02, 0.1, 0.3, 0.6, 1.2];
    let found = attacked(&model, &[free(1.0); 3], rules(Method::Pgd, Loss::OneScore, &epsilons), &rows);
    let plain = attacked(&model, &[free(1.0); 3], rules(Method::Fgsm, Loss::OneScore, &epsilons), &rows);
    assert_eq!((turned(&found, 0), turned(&plain, 0)), (0, 0));
    for (outcome, plain) in found.iter().zip(&plain) {
        assert!(outcome.turned.is_sorted(), "{outcome:?}");
        assert_eq!((&outcome.by_step, &plain.turned), (&plain.by_step, &plain.by_step));
        assert!(outcome.by_step.iter().zip(&outcome.turned).all(|(step, any)| !step || *any), "{outcome:?}");
    }
    let more = (0..epsilons.len()).any(|at| turned(&found, at) > turned(&plain, at));
    assert!(more, "on a bumpy surface many steps find what one does not");
}

#[test]
fn rows_alone_and_in_company_meet_the_same_fate_whatever_else_is_asked() {
    let (model, rows) = (Model::new(3, bumps), rows(150));
    let rules = rules(Method::Pgd, Loss::OneScore, &[0.1, 0.5]);
    let whole = attacked(&model, &[free(1.0); 3], rules.clone(), &rows);
    assert_eq!(whole, attacked(&model, &[free(1.0); 3], rules.clone(), &rows));
    let decide = yes;
    let ball = Ball::new(3, &model.layout, &[free(1.0); 3]);
    let attack = Attack { model: &model, predictor: &model, decide: &decide, ball, rules };
    let few = attack.all(&rows.take(&[3, 77]), &[3, 77]).unwrap();
    assert_eq!(few, [whole[3].clone(), whole[77].clone()]);
}

#[test]
fn columns_that_stay_turn_nothing_and_whole_numbers_move_by_whole_steps() {
    let (model, mut rows) = (Model::new(3, line), rows(200));
    let still = attacked(&model, &[Reach::STILL; 3], rules(Method::Pgd, Loss::OneScore, &[5.0]), &rows);
    assert_eq!(turned(&still, 0), 0);
    rows.columns[0] = Column::Number((0..200).map(|row| f64::from(row % 5) - 2.0).collect());
    let reach = [Reach { whole: true, ..free(1.0) }, Reach::STILL, Reach::STILL];
    let found = attacked(&model, &reach, rules(Method::Pgd, Loss::OneScore, &[0.9, 1.0, 1.9]), &rows);
    for (row, outcome) in found.iter().enumerate() {
        let within = line(&point(&rows, row)).0[0].abs() < 2.0;
        assert_eq!(outcome.turned, [false, within, within], "row {row}");
    }
}

/// A model that counts what it is asked.
struct Counting<'a> {
    model: &'a Model,
    scores: AtomicU64,
    gradients: AtomicU64,
}

impl Differentiable for Counting<'_> {
    fn width(&self) -> usize {
        self.model.width()
    }

    fn layout(&self) -> &[Stretch] {
        self.model.layout()
    }

    fn most_points(&self) -> usize {
        self.model.most_points()
    }

    fn points(&self, features: &Features) -> Result<Array2<f64>, PredictError> {
        self.model.points(features)
    }

    fn gradients(&self, points: ArrayView2<f64>, outputs: &[usize]) -> Result<Gradients, PredictError> {
        self.model.gradients(points, outputs)
    }

    fn combined(&self, points: ArrayView2<f64>, weights: ArrayView2<f64>) -> Result<Gradients, PredictError> {
        self.gradients.fetch_add(points.nrows() as u64, Ordering::Relaxed);
        self.model.combined(points, weights)
    }

    fn multipliers(
        &self,
        points: ArrayView2<f64>,
        to: ArrayView2<f64>,
        o: &[usize],
    ) -> Result<Gradients, PredictError> {
        self.model.multipliers(points, to, o)
    }
}

impl Predictor for Counting<'_> {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        self.scores.fetch_add(features.n_rows as u64, Ordering::Relaxed);
        self.model.predict(features)
    }
}

#[test]
fn what_is_foreseen_is_what_rows_that_nothing_turns_ask_for_and_others_ask_for_less() {
    let (model, rows) = (Model::new(3, bumps), rows(70));
    let keys: Vec<u64> = (0..70).collect();
    let decide: super::attack::Decide = &yes;
    for method in [Method::Fgsm, Method::Pgd] {
        for (reach, turns) in [([Reach::STILL; 3], false), ([free(1.0); 3], true)] {
            let rules = rules(method, Loss::OneScore, &[0.0, 0.1, 0.6]);
            let counting = Counting { model: &model, scores: AtomicU64::new(0), gradients: AtomicU64::new(0) };
            let effort = rules.effort();
            let ball = Ball::new(3, &model.layout, &reach);
            Attack { model: &counting, predictor: &counting, decide, ball, rules }.all(&rows, &keys).unwrap();
            let asked = (counting.scores.into_inner(), counting.gradients.into_inner());
            let most = (70 * effort.scores, 70 * effort.gradients);
            match turns && method == Method::Pgd {
                true => assert!(asked.0 < most.0 && asked.1 < most.1, "{asked:?} of {most:?}"),
                false => assert_eq!(asked, most, "{method:?}"),
            }
        }
    }
}

#[test]
fn a_range_keeps_rows_from_crossing() {
    let model = Model::new(3, line);
    let columns = vec![Column::Number(vec![0.1]), Column::Number(vec![0.0]), Column::Number(vec![0.0])];
    let rows = Features { n_rows: 1, columns };
    // z = 0.45 turns at x₀ < −0.125.
    let ranged = |low: f64| [Reach { low, ..free(1.0) }, Reach::STILL, Reach::STILL];
    let found = |low| attacked(&model, &ranged(low), rules(Method::Pgd, Loss::OneScore, &[1.0]), &rows);
    assert!(found(-0.2)[0].turned[0] && !found(-0.1)[0].turned[0]);
}

#[test]
fn a_missing_number_stays_missing_and_the_others_still_move() {
    fn skipping(x: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let known = |x: f64| if x.is_nan() { 0.0 } else { x };
        (vec![known(x[0]) + x[1]], vec![vec![if x[0].is_nan() { f64::NAN } else { 1.0 }, 1.0, 0.0]])
    }
    let columns = vec![Column::Number(vec![f64::NAN]), Column::Number(vec![0.5]), Column::Number(vec![0.0])];
    let rows = Features { n_rows: 1, columns };
    let model = Model::new(3, skipping);
    let found = attacked(&model, &[free(1.0); 3], rules(Method::Pgd, Loss::OneScore, &[0.4, 0.6]), &rows);
    assert_eq!(found[0].turned, [false, true]);
}

#[test]
fn certain_scores_still_have_a_direction() {
    // Probabilities of 1 − 10⁻³⁰⁰ have no gradient of their own; margins do.
    let model =
        Model::new(3, |x| (vec![800.0 * x[0], 0.0, -5.0], vec![vec![800.0, 0.0, 0.0], vec![0.0; 3], vec![0.0; 3]]));
    let columns = vec![Column::Number(vec![0.8]), Column::Number(vec![0.0]), Column::Number(vec![0.0])];
    let rows = Features { n_rows: 1, columns };
    let found = attacked(&model, &[free(1.0); 3], rules(Method::Fgsm, Loss::CrossEntropy, &[0.7, 0.9]), &rows);
    assert_eq!((found[0].decision, found[0].turned.clone()), (0, vec![false, true]));
    let weights = array![[1.0, 2.0, 0.0]];
    let both = model.combined(array![[0.8, 0.0, 0.0]].view(), weights.view()).unwrap();
    assert_eq!(both.gradients.sum_axis(Axis(0)), array![800.0, 0.0, 0.0]);
}
