//! LIME for pictures against what leaving segments out does by definition.

use super::*;
use crate::dataset::Column;
use crate::explain::game::Scale;
use crate::model::predictor::{PredictError, Scores};

/// Weighted sums of a picture's numbers, two outputs.
struct Linear {
    weights: Vec<[f64; 2]>,
}

impl Predictor for Linear {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let score = |(row, output): (usize, usize)| {
            let cells = cells(features, 0, row).iter().zip(&self.weights);
            cells.map(|(x, weights)| f64::from(*x) * weights[output]).sum::<f64>()
        };
        Ok(Scores { probability: Array2::from_shape_fn((features.n_rows, 2), score), margin: None })
    }
}

const PICTURE: Picture = Picture { height: 18, width: 14, channels: 3, channels_last: false };

fn linear() -> Linear {
    let stream = Stream::new(3, "weights");
    let weight = |at: usize| [stream.normal(at as u64), stream.normal(100_000 + at as u64)];
    Linear { weights: (0..PICTURE.n_numbers()).map(weight).collect() }
}

/// Pictures of noise on four quarters.
fn pictures(n_rows: usize) -> Features {
    let stream = Stream::new(4, "pictures");
    let number = |at: usize| {
        let pixel = PICTURE.pixel(at % PICTURE.n_numbers());
        let quarter = usize::from(pixel / 14 < 9) + 2 * usize::from(pixel % 14 < 6);
        (0.25 * quarter as f64 + 0.1 * stream.unit(at as u64)) as f32
    };
    let width = PICTURE.n_numbers();
    Features { n_rows, columns: vec![Column::Tensor { width, values: (0..n_rows * width).map(number).collect() }] }
}

fn explainer(model: &Linear, hidden: Hidden, players: Players, settings: LimeSettings) -> PictureLime<'_> {
    let asker = Asker { predictor: model, scale: Scale::Probability };
    let superpixels = Superpixels { picture: PICTURE, segments: 10, compactness: 0.1, hidden };
    PictureLime::new(asker, superpixels, players, settings).unwrap()
}

fn settings() -> LimeSettings {
    LimeSettings { samples: 300, ridge: 1e-9, ..LimeSettings::new(vec![0, 1], Scale::Probability, 1) }
}

fn whole() -> Players {
    Players::columns(&["picture".to_owned()])
}

/// What leaving a segment out takes from a linear model's score, by definition.
fn taken(model: &Linear, rows: &Features, row: usize, output: usize, hidden: Hidden) -> (Segments, Vec<f64>) {
    let cells = cells(rows, 0, row);
    let segments = Segments::of(cells, PICTURE, 10, 0.1);
    let mut taken = vec![0.0; segments.len()];
    for (segment, taken) in taken.iter_mut().enumerate() {
        for channel in 0..3 {
            let pixels = (0..PICTURE.n_pixels()).filter(|pixel| segments.of_pixel[*pixel] == segment);
            let numbers: Vec<usize> = pixels.map(|pixel| PICTURE.number(pixel, channel)).collect();
            let fill = match hidden {
                Hidden::Mean => numbers.iter().map(|at| f64::from(cells[*at])).sum::<f64>() / numbers.len() as f64,
                Hidden::Number(number) => f64::from(number),
            };
            let change = |at: &usize| model.weights[*at][output] * (f64::from(cells[*at]) - fill);
            *taken += numbers.iter().map(change).sum::<f64>();
        }
    }
    (segments, taken)
}

#[test]
fn a_linear_model_is_found_again_segment_by_segment() {
    let (model, rows) = (linear(), pictures(2));
    for hidden in [Hidden::Mean, Hidden::Number(0.0), Hidden::Number(-1.5)] {
        let found = explainer(&model, hidden, whole(), settings()).explain(&rows, &[7, 9], None).unwrap();
        let scores = model.predict(&rows).unwrap().probability;
        for (row, output) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (segments, taken) = taken(&model, &rows, row, output, hidden);
            for (pixel, segment) in segments.of_pixel.iter().enumerate() {
                let expected = taken[*segment] / segments.sizes[*segment] as f64;
                assert!((f64::from(found.maps[[row, output, pixel]]) - expected).abs() < 1e-5, "{hidden:?}");
            }
            let fit = found.lime.fits[[row, output]];
            assert!((fit.r2.unwrap() - 1.0).abs() < 1e-9);
            assert!((fit.local_prediction - scores[[row, output]]).abs() < 1e-6);
            let phi = found.lime.attributions.phi[[row, output, 0]];
            assert!((phi - taken.iter().sum::<f64>()).abs() < 1e-5);
            assert!((phi + found.lime.attributions.base[[row, output]] - fit.local_prediction).abs() < 1e-9);
            // Every seed says the same of a linear model.
            assert!(fit.stability.unwrap() > 0.999);
            assert!(found.lime.attributions.std_err.as_ref().unwrap()[[row, output, 0]] < 1e-6);
        }
    }
}

#[test]
fn patches_have_their_pixels_shares_of_the_segments_weights() {
    let (model, rows) = (linear(), pictures(1));
    let players = Players::patches((18, 14, 3), false, (9, 5));
    let parts: Vec<Vec<usize>> = players
        .iter()
        .map(|player| match player.parts.as_slice() {
            [Part::Cells { cells, .. }] => cells.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let found = explainer(&model, Hidden::Mean, players, settings()).explain(&rows, &[0], None).unwrap();
    for output in 0..2 {
        for (player, cells) in parts.iter().enumerate() {
            let pixels = cells.iter().map(|cell| f64::from(found.maps[[0, output, PICTURE.pixel(*cell)]]) / 3.0);
            assert!((found.lime.attributions.phi[[0, output, player]] - pixels.sum::<f64>()).abs() < 1e-5);
        }
    }
}

#[test]
fn neither_threads_nor_company_nor_the_choice_of_outputs_change_a_digit() {
    let (model, rows) = (linear(), pictures(5));
    for stability in [Stability::Resampled { replicates: 4 }, Stability::Seeds { further: 2 }] {
        let settings = LimeSettings { stability, ..settings() };
        let explainer = explainer(&model, Hidden::Mean, whole(), settings);
        let keys = [3, 4, 5, 6, 7];
        let with = |n: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| explainer.explain(&rows, &keys, None).unwrap())
        };
        let (one, four) = (with(1), with(4));
        assert_eq!(one, four);
        let alone = explainer.explain(&rows.take(&[2]), &[5], Some(&[1])).unwrap();
        assert_eq!(alone.maps.slice(s![0, 0, ..]), one.maps.slice(s![2, 1, ..]));
        assert_eq!(alone.lime.fits[[0, 0]], one.lime.fits[[2, 1]]);
    }
}

#[test]
fn neighbours_are_weighed_by_the_cosine_distance_of_what_they_keep() {
    // The intercept and weights of a model that is not linear, against the normal equations row by row.
    struct Squares;
    impl Predictor for Squares {
        fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
            let sum = |row: usize| cells(features, 0, row).iter().map(|x| f64::from(*x)).sum::<f64>() / 100.0;
            Ok(Scores {
                probability: Array2::from_shape_fn((features.n_rows, 1), |(row, _)| sum(row).powi(2)),
                margin: None,
            })
        }
    }
    let rows = pictures(1);
    let settings = LimeSettings { ridge: 1.0, ..LimeSettings { outputs: vec![0], ..settings() } };
    let asker = Asker { predictor: &Squares, scale: Scale::Probability };
    let superpixels = Superpixels { picture: PICTURE, segments: 10, compactness: 0.1, hidden: Hidden::Number(0.0) };
    let explainer = PictureLime::new(asker, superpixels, whole(), settings.clone()).unwrap();
    let found = explainer.explain(&rows, &[0], None).unwrap();
    let segments = Segments::of(cells(&rows, 0, 0), PICTURE, 10, 0.1);
    let p = segments.len();
    let stream = Stream::new(settings.seed, "lime of pictures").child(0).child(0);
    let mut sums = vec![0.0; p];
    let worth = |segment: usize| {
        let pixels = (0..PICTURE.n_pixels()).filter(|pixel| segments.of_pixel[*pixel] == segment);
        let numbers = pixels.flat_map(|pixel| (0..3).map(move |channel| PICTURE.number(pixel, channel)));
        numbers.map(|number| f64::from(cells(&rows, 0, 0)[number])).sum::<f64>() / 100.0
    };
    (0..p).for_each(|segment| sums[segment] = worth(segment));
    let coefficient = |segment: usize| {
        let pixel = segments.of_pixel.iter().position(|of| *of == segment).unwrap();
        f64::from(found.maps[[0, 0, pixel]]) * segments.sizes[segment] as f64
    };
    let coefficients: Vec<f64> = (0..p).map(coefficient).collect();
    let intercept = found.lime.attributions.base[[0, 0]];
    let mut gradient = vec![0.0; p + 1];
    for version in 0..settings.samples {
        let kept: Vec<f64> = (0..p)
            .map(|at| f64::from(u8::from(version == 0 || stream.unit((version * p + at) as u64) < 0.5)))
            .collect();
        let (dot, norm) = (kept.iter().sum::<f64>(), kept.iter().map(|z| z * z).sum::<f64>().sqrt());
        let cosine = if norm > 0.0 { dot / (norm * (p as f64).sqrt()) } else { 0.0 };
        let weight = (-(1.0 - cosine).powi(2) / 0.25_f64.powi(2)).exp().sqrt();
        let score = kept.iter().zip(&sums).map(|(z, sum)| z * sum).sum::<f64>().powi(2);
        let rest = score - intercept - kept.iter().zip(&coefficients).map(|(z, beta)| z * beta).sum::<f64>();
        gradient[p] += weight * rest;
        (0..p).for_each(|at| gradient[at] += weight * rest * kept[at]);
    }
    (0..p).for_each(|at| gradient[at] -= coefficients[at]);
    assert!(gradient.iter().all(|slope| slope.abs() < 1e-4), "{gradient:?}");
    assert!(found.lime.fits[[0, 0]].r2.unwrap() < 0.9999);
}

#[test]
fn too_few_neighbours_are_refused_with_the_least_number() {
    let model = linear();
    let asker = Asker { predictor: &model, scale: Scale::Probability };
    let superpixels = Superpixels { picture: PICTURE, segments: 40, compactness: 0.1, hidden: Hidden::Mean };
    let settings = LimeSettings { samples: 159, ..settings() };
    let refused = PictureLime::new(asker, superpixels, whole(), settings).err();
    assert_eq!(refused, Some(LimeError::Neighbours { samples: 159, segments: 40, least: 160 }));
}
