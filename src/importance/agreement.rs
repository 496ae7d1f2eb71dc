//! How far two methods tell the same story: correlation of ranks, and the leading features they share.

/// Spearman's ρ: Pearson's correlation of the ranks, equal values at their mean rank. `None` for fewer than two pairs or
/// where one side does not vary.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

/// Kendall's τ-b, which takes equal values into account (Kendall 1945). `None` where one side does not vary.
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mut balance, mut varied_a, mut varied_b) = (0_i64, 0_i64, 0_i64);
    for i in 0..a.len() {
        for j in 0..i {
            let (x, y) = (sign(a[i], a[j]), sign(b[i], b[j]));
            balance += x * y;
            varied_a += x * x;
            varied_b += y * y;
        }
    }
    (varied_a > 0 && varied_b > 0).then(|| balance as f64 / ((varied_a * varied_b) as f64).sqrt())
}

/// Share of the `k` largest that both have; of equal values the first counts as larger. `None` for `k` = 0.
pub fn top_k_overlap(a: &[f64], b: &[f64], k: usize) -> Option<f64> {
    let k = k.min(a.len());
    let (mine, theirs) = (leading(a, k), leading(b, k));
    (k > 0).then(|| mine.iter().filter(|at| theirs.contains(at)).count() as f64 / k as f64)
}

fn leading(values: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    order.truncate(k);
    order
}

fn sign(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}

/// Ranks from 1; equal values share their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = from as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|at| ranks[*at] = mean);
        from += equal.len();
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product =
        |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    let scale = (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt();
    (scale > 0.0).then(|| product(a, mean_a, b, mean_b) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_order_agrees_wholly_and_the_reverse_not_at_all() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 7.0, 9.0]);
        let reversed = a.map(|x| -x);
        assert_eq!((spearman(&a, &b), kendall(&a, &b), top_k_overlap(&a, &b, 2)), (Some(1.0), Some(1.0), Some(1.0)));
        assert_eq!((spearman(&a, &reversed), kendall(&a, &reversed)), (Some(-1.0), Some(-1.0)));
        assert_eq!(top_k_overlap(&a, &reversed, 2), Some(0.0));
    }

    /// By hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4; five concordant pairs, one tie in a.
    #[test]
    fn equal_values_share_their_rank() {
        let (a, b) = ([1.0, 2.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0]);
        assert!((spearman(&a, &b).unwrap() - 4.5 / 22.5_f64.sqrt()).abs() < 1e-12);
        assert!((kendall(&a, &b).unwrap() - 5.0 / 30.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_vary_has_no_order() {
        assert_eq!((spearman(&[1.0, 1.0], &[1.0, 2.0]), kendall(&[1.0, 1.0], &[1.0, 2.0])), (None, None));
        assert_eq!((spearman(&[], &[]), kendall(&[1.0], &[2.0]), top_k_overlap(&[], &[], 3)), (None, None, None));
    }
}
