//! A scored neighbourhood, its surrogates, and what other seeds make of them.

use super::products::Products;
use super::surrogate::Surrogate;
use super::truncated::Uniforms;
use super::{LimeError, LimeSettings, Stability, stability};
use crate::stats::random::Stream;
use ndarray::{Array1, Array2, ArrayView1};
use rayon::prelude::*;

/// A scored neighbourhood.
pub(super) struct Neighbourhood {
    pub products: Products,
    /// The row's design.
    pub own: Array1<f64>,
    /// The row's scores.
    pub scores: Array1<f64>,
}

/// Surrogates of one row with what other seeds make of them.
pub(super) struct Explained {
    pub surrogates: Vec<Surrogate>,
    /// `[outputs × features]`.
    pub phi: Array2<f64>,
    pub std_err: Array2<f64>,
}

impl Neighbourhood {
    /// Surrogates and attributions. `further` draws and scores the neighbourhood of another seed, from 1; `shares` makes
    /// attributions of coefficients and the row's design.
    pub fn explain(
        &self,
        settings: &LimeSettings,
        key: u64,
        further: impl Fn(u64) -> Result<Self, LimeError> + Sync,
        shares: impl Fn(&[f64], ArrayView1<f64>) -> Vec<f64>,
    ) -> Result<Explained, LimeError> {
        let mut surrogates = self.fit(settings, |_| 1.0);
        let others = self.others(&surrogates, settings, key, further)?;
        let correction = self.spread_correction(settings.stability);
        let (mut phi, mut std_err) = (Vec::new(), Vec::new());
        for (output, surrogate) in surrogates.iter_mut().enumerate() {
            let answers: Vec<&[f64]> = others.iter().map(|other| other[output].coefficients.as_slice()).collect();
            surrogate.fit.stability = stability::agreement(&answers);
            let attributions = shares(&surrogate.coefficients, self.own.view());
            let others: Vec<Vec<f64>> = answers.iter().map(|answer| shares(answer, self.own.view())).collect();
            let others: Vec<&[f64]> = others.iter().map(Vec::as_slice).collect();
            match others.is_empty() {
                true => std_err.extend(attributions.iter().map(|_| 0.0)),
                false => std_err.extend(stability::spread(&others).iter().map(|spread| spread * correction)),
            }
            phi.extend(attributions);
        }
        let shape = (surrogates.len(), phi.len() / surrogates.len().max(1));
        let shaped = |numbers| Array2::from_shape_vec(shape, numbers).unwrap_or_default();
        Ok(Explained { phi: shaped(phi), std_err: shaped(std_err), surrogates })
    }

    /// What other seeds answer, `[answer][output]`.
    fn others(
        &self,
        first: &[Surrogate],
        settings: &LimeSettings,
        key: u64,
        further: impl Fn(u64) -> Result<Self, LimeError> + Sync,
    ) -> Result<Vec<Vec<Surrogate>>, LimeError> {
        match settings.stability {
            Stability::NotAsked => Ok(vec![]),
            Stability::Resampled { replicates } => {
                let stream = Stream::new(settings.seed, "lime stability").child(key);
                let replicate = |at: usize| {
                    let times = resampled(self.products.n_parts(), stream.child(at as u64));
                    self.fit(settings, |part| times[part])
                };
                Ok((0..replicates).map(replicate).collect())
            }
            Stability::Seeds { further: n } => {
                let fit = |seed: usize| Ok(further(seed as u64)?.fit(settings, |_| 1.0));
                let others: Vec<Result<Vec<Surrogate>, LimeError>> = (1..=n).into_par_iter().map(fit).collect();
                std::iter::once(Ok(first.to_vec())).chain(others).collect()
            }
        }
    }

    /// Resampling n parts shows (n − 1)/n of the variance.
    fn spread_correction(&self, stability: Stability) -> f64 {
        let n_parts = self.products.n_parts();
        match stability {
            Stability::Resampled { .. } if n_parts > 1 => (n_parts as f64 / (n_parts - 1) as f64).sqrt(),
            _ => 1.0,
        }
    }

    fn fit(&self, settings: &LimeSettings, times: impl Fn(usize) -> f64) -> Vec<Surrogate> {
        let centred = self.products.with(self.own.len(), times);
        let fit = |(output, score): (usize, &f64)| Surrogate::fit(&centred, output, self.own.view(), *score, settings);
        self.scores.iter().enumerate().map(fit).collect()
    }
}

/// How often each of `n` parts comes when `n` are drawn with replacement.
fn resampled(n: usize, stream: Stream) -> Vec<f64> {
    let (mut times, mut uniforms) = (vec![0.0; n], Uniforms::new(stream));
    (0..n).for_each(|_| times[uniforms.below(n as u64) as usize] += 1.0);
    times
}
