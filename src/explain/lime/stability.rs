//! Would another seed have told the same story?

/// Leading features that are compared.
const LEADING: usize = 5;

/// How much the leading features of any two answers agree, averaged over all pairs: the share of the [`LEADING`] largest
/// weights that both have, with the same sign. `None` for fewer than two answers.
pub(super) fn agreement(answers: &[&[f64]]) -> Option<f64> {
    let leading: Vec<Vec<(usize, bool)>> = answers.iter().map(|weights| leading(weights)).collect();
    let (mut sum, mut n) = (0.0, 0_u64);
    for (at, one) in leading.iter().enumerate() {
        for other in &leading[at + 1..] {
            sum += overlap(one, other);
            n += 1;
        }
    }
    (n > 0).then(|| sum / n as f64)
}

/// Standard deviation of each weight over the answers, with n − 1.
pub(super) fn spread(answers: &[&[f64]]) -> Vec<f64> {
    let n = answers.len() as f64;
    let of = |feature: usize| {
        let mean = answers.iter().map(|weights| weights[feature] / n).sum::<f64>();
        let squares: f64 = answers.iter().map(|weights| (weights[feature] - mean).powi(2)).sum();
        (squares / (n - 1.0).max(1.0)).sqrt()
    };
    (0..answers.first().map_or(0, |weights| weights.len())).map(of).collect()
}

/// The features of the largest weights that are not 0, and whether these are positive.
fn leading(weights: &[f64]) -> Vec<(usize, bool)> {
    let mut ranked: Vec<usize> = (0..weights.len()).filter(|j| weights[*j] != 0.0).collect();
    ranked.sort_by(|a, b| weights[*b].abs().total_cmp(&weights[*a].abs()));
    ranked.truncate(LEADING);
    ranked.into_iter().map(|j| (j, weights[j] > 0.0)).collect()
}

fn overlap(one: &[(usize, bool)], other: &[(usize, bool)]) -> f64 {
    let most = one.len().max(other.len());
    if most == 0 {
        return 1.0;
    }
    one.iter().filter(|feature| other.contains(feature)).count() as f64 / most as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_stories_agree_and_opposite_ones_do_not() {
        let story = [0.5, -0.3, 0.0, 0.1];
        let opposite = story.map(|weight| -weight);
        assert_eq!(agreement(&[&story, &story.map(|w| 2.0 * w)]), Some(1.0));
        assert_eq!(agreement(&[&story, &opposite]), Some(0.0));
        assert_eq!(agreement(&[&story, &story, &opposite]), Some(1.0 / 3.0));
        assert_eq!(agreement(&[&[0.0; 4], &[0.0; 4]]), Some(1.0));
        assert_eq!(agreement(&[&[0.0; 4], &story]), Some(0.0));
        assert_eq!(agreement(&[&story]), None);
    }

    #[test]
    fn only_the_leading_features_count() {
        let one = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        let other = [6.0, 5.0, 4.0, 3.0, 1.0, 2.0];
        assert_eq!(agreement(&[&one, &other]), Some(0.8));
        assert_eq!(spread(&[&one, &other]), [0.0, 0.0, 0.0, 0.0, 0.5_f64.sqrt(), 0.5_f64.sqrt()]);
    }
}
