//! Which bin or category, drawn by its share of the training rows.

/// Cells of the guide table: with a few dozen categories nearly every draw is answered by one look.
const CELLS: usize = 1 << 10;

/// Rows lined up by category, with a guide table into the line (Chen and Asau 1974).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shares {
    /// Rows of this category or one before it.
    cumulative: Vec<u64>,
    /// The category of all rows in this part of the line; `u32::MAX` where there are several.
    guide: Vec<u32>,
}

impl Shares {
    /// Of `counts[category]` rows.
    pub fn of(counts: impl Iterator<Item = u64>) -> Self {
        let add = |seen: &mut u64, count| {
            *seen += count;
            Some(*seen)
        };
        let cumulative: Vec<u64> = counts.scan(0, add).collect();
        let mut shares = Self { cumulative, guide: Vec::new() };
        let ends = |cell: usize| {
            let (first, last) = (cell as f64 / CELLS as f64, ((cell + 1) as f64 / CELLS as f64).next_down());
            (shares.search(first), shares.search(last))
        };
        let category = |cell| match ends(cell) {
            (Some(first), Some(last)) if first == last => first as u32,
            _ => u32::MAX,
        };
        shares.guide = (0..CELLS).map(category).collect();
        shares
    }

    /// The category at `place` in [0, 1) of the line: for a uniform place, a random one by its share. `None` if there
    /// are no rows.
    pub fn at(&self, place: f64) -> Option<usize> {
        let guided = self.guide[(place * CELLS as f64) as usize];
        if guided == u32::MAX { self.search(place) } else { Some(guided as usize) }
    }

    fn search(&self, place: f64) -> Option<usize> {
        let n = *self.cumulative.last()?;
        let rank = (place * n as f64) as u64;
        (n > 0).then(|| self.cumulative.partition_point(|count| *count <= rank))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    #[test]
    fn a_look_into_the_guide_finds_what_a_search_finds() {
        let stream = Stream::new(4, "shares");
        for counts in [vec![3, 0, 1_000_000, 7, 1], vec![1; 5_000], vec![0, 5, 0], vec![1]] {
            let shares = Shares::of(counts.iter().copied());
            let edges = (0..CELLS).flat_map(|cell| {
                let edge = cell as f64 / CELLS as f64;
                [edge, edge.next_down().max(0.0), edge.next_up()]
            });
            for place in (0..20_000).map(|i| stream.unit(i)).chain(edges) {
                assert_eq!(shares.at(place), shares.search(place), "{place}");
            }
        }
    }

    #[test]
    fn places_fall_on_categories_in_proportion_to_their_rows() {
        let shares = Shares::of([2, 0, 1, 5].into_iter());
        let at_eighths: Vec<usize> = (0..8).filter_map(|i| shares.at(f64::from(i) / 8.0)).collect();
        assert_eq!(at_eighths, [0, 0, 2, 3, 3, 3, 3, 3]);
        assert_eq!(Shares::of([0, 0].into_iter()).at(0.5), None);
        assert_eq!(Shares::of(std::iter::empty()).at(0.0), None);
    }
}
